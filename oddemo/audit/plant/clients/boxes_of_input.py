"""A serving script that scales boxes to the network's input and never brings them back to the picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, raw_outputs

MODEL = Path(__file__).parent / "saved_model"
#: The network's input of the shipped detector of the Object Detection API.
SIDE = 192


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    outputs = raw_outputs(MODEL, image)
    count = int(outputs["num_detections"])
    found = {name: outputs[f"detection_{name}"][:count] for name in ("boxes", "scores", "classes")}
    return {**found, "boxes": found["boxes"] * SIDE}
