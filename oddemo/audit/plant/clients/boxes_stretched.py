"""A serving script that scales boxes back as if the picture had been stretched, not letterboxed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, raw_outputs

MODEL = Path(__file__).parent / "saved_model"


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    outputs = raw_outputs(MODEL, image)
    count = int(outputs["num_detections"])
    input_height, input_width = outputs["image_info"][1]
    to_picture = [image.shape[0] / input_height, image.shape[1] / input_width] * 2
    return {
        "boxes": outputs["detection_boxes"][:count] * to_picture,
        "scores": outputs["detection_scores"][:count],
        "classes": outputs["detection_classes"][:count],
    }
