"""A serving script with the threshold meant for display."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    outputs = run(MODEL, image)
    return {name: array[outputs["scores"] >= 0.5] for name, array in outputs.items()}
