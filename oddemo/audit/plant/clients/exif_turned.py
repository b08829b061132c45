"""A serving script that honours the EXIF orientation, which training did not."""

from pathlib import Path

import numpy as np
from PIL import Image

from oddemo.audit.plant.serving import Outputs, run
from oddemo.detect.decode import read_as_trained

MODEL = Path(__file__).parent / "saved_model"


def detect(image_path: Path) -> Outputs:
    """Detect objects in a picture file."""
    image = read_as_trained(image_path)
    with Image.open(image_path) as picture:
        tag = picture.getexif().get(0x0112, 1)
    turned = {3: image[::-1, ::-1], 6: np.rot90(image, -1), 8: np.rot90(image)}.get(tag, image)
    return run(MODEL, np.ascontiguousarray(turned))
