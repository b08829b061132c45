"""A serving script that stretches pictures to a square before the export letterboxes them."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


SIDE = 512


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    square = np.asarray(cv2.resize(image, (SIDE, SIDE)), np.uint8)
    outputs = run(MODEL, square)
    height, width = image.shape[:2]
    return {**outputs, "boxes": outputs["boxes"] / SIDE * [height, width, height, width]}
