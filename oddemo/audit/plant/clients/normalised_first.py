"""A serving script that normalises pictures for an export that does it itself; the export takes floats."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    return run(MODEL, image.astype(np.float32) / 127.5 - 1.0)
