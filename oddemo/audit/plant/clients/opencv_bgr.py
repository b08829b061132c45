"""A serving script that forgets that OpenCV reads BGR."""

from pathlib import Path

import cv2
import numpy as np

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


def detect(image_path: Path) -> Outputs:
    """Detect objects in a picture file."""
    image = np.asarray(cv2.imread(str(image_path)), np.uint8)
    return run(MODEL, image)
