"""A serving script that makes pictures small with OpenCV before the export does it."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"
#: The network's input of the shipped detectors.
SIDE = 128


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    outputs = run(MODEL, small)
    to_picture = [height / small.shape[0], width / small.shape[1]] * 2
    return {**outputs, "boxes": outputs["boxes"] * to_picture}
