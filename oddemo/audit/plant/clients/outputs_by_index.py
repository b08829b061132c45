"""A serving script that takes outputs by their place, where the signature sorts them by name."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.plant.serving import Outputs, in_picture, raw_outputs

MODEL = Path(__file__).parent / "saved_model"


def detect(image: NDArray[np.uint8]) -> Outputs:
    """Detect objects in a picture."""
    outputs = raw_outputs(MODEL, image)
    boxes, scores, classes = [outputs[name] for name in sorted(outputs)][:3]
    count = int(outputs["num_detections"])
    ids = classes[:count].astype(int)
    return {"boxes": in_picture(boxes[:count], outputs["image_info"]), "scores": scores[:count], "classes": ids}
