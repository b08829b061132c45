"""A serving script that decodes with Pillow, where training decoded with TensorFlow."""

from pathlib import Path

import numpy as np
from PIL import Image

from oddemo.audit.plant.serving import Outputs, run

MODEL = Path(__file__).parent / "saved_model"


def detect(image_path: Path) -> Outputs:
    """Detect objects in a picture file."""
    return run(MODEL, np.array(Image.open(image_path).convert("RGB")))
