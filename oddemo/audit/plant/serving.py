"""The right part of every planted serving script: run an export on one picture and bring the boxes back to it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = dict[str, NDArray[Any]]


@lru_cache(maxsize=4)
def _signature(folder: Path) -> Any:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    # The signature alone does not keep its variables alive.
    return loaded, loaded.signatures["serving_default"]


def raw_outputs(folder: Path, image: NDArray[Any]) -> Outputs:
    """Return what the signature returns for one (height, width, 3) picture of its own dtype, without the batch."""
    import tensorflow as tf

    _, signature = _signature(folder)
    return {name: value[0].numpy() for name, value in signature(tf.constant(image[None])).items()}


def in_picture(boxes_yxyx: NDArray[Any], image_info: NDArray[Any]) -> NDArray[Any]:
    """Return boxes (N, 4) of the network's frame in pixels of the picture.

    `image_info` (4, 2) of tf-models-official holds the scale in its third row, and in its fourth where the picture
    begins, with a minus sign.
    """
    moved: NDArray[Any] = (boxes_yxyx + np.tile(image_info[3], 2)) / np.tile(image_info[2], 2)
    return moved


def run(folder: Path, image: NDArray[Any]) -> Outputs:
    """Return boxes (N, 4) yxyx in pixels of the picture, scores (N,) and classes (N,) from 1.

    An export of tf-models-official says by `image_info` how its boxes lie; the Object Detection API's are in [0, 1].
    """
    outputs = raw_outputs(folder, image)
    count = int(outputs["num_detections"])
    boxes, size_hw_px = outputs["detection_boxes"][:count], np.array(image.shape[:2])
    return {
        "boxes": in_picture(boxes, outputs["image_info"])
        if "image_info" in outputs
        else boxes * np.tile(size_hw_px, 2),
        "scores": outputs["detection_scores"][:count],
        "classes": outputs["detection_classes"][:count],
    }
