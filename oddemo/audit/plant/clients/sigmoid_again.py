"""A serving script that takes the export's scores for logits."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    outputs = run(MODEL, image)
    return {**outputs, "scores": 1.0 / (1.0 + np.exp(-outputs["scores"]))}
