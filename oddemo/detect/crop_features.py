"""What a detector's network makes of each object by itself: a vector for every box, for classifiers and samplers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset
from oddemo.detect.detector import Detector
from oddemo.errors import OddemoError

#: Background that a crop shows around its box, as a part of the box's sides.
MARGIN = 0.1


def crop_features(detector: Detector, dataset: Dataset, *, batch: int = 16) -> NDArray[np.float32]:
    """Cut every box out, show it to the network as a picture of its own, and average what its feature pyramid says.

    Args:
        detector: Whose network is used; its classes do not matter.
        dataset: Pictures with boxes.
        batch: Crops that go through the network together.

    Returns:
        (N, D) float32, N boxes picture by picture in the records' order; D is filters times levels, the finest first.

    Raises:
        OddemoError: If there is no box, or one holds no pixel.
    """
    inputs = [detector.preprocess(crop)[0] for crop in object_crops(dataset)]
    if not inputs:
        raise OddemoError(f"{dataset.name} has no boxes to cut out.", expected="at least one")
    parts = []
    for start in range(0, len(inputs), batch):
        features = detector.run_network(np.stack(inputs[start : start + batch]))[0]
        parts.append(np.concatenate([features[level].mean(axis=(1, 2)) for level in sorted(features)], axis=1))
    return np.concatenate(parts)


def object_crops(dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Yield every box with a margin around it, (h, w, 3) uint8, picture by picture in the records' order.

    Raises:
        OddemoError: If a box holds no pixel.
    """
    for record in dataset.records:
        image = read_image_rgb(dataset.image_path(record)) if len(record.class_ids) else None
        for index, box in enumerate(record.boxes_yxyx_px):
            margins = MARGIN * np.tile(box[2:] - box[:2], 2) * [-1, -1, 1, 1]
            low, high = np.split(np.round(box + margins).astype(int), 2)
            low = np.clip(low, 0, None)
            crop = image[low[0] : high[0], low[1] : high[1]] if image is not None else np.zeros((0, 0, 3), np.uint8)
            if not crop.size or (high <= 0).any():
                raise OddemoError(
                    f"{record.file_name}: box {index} holds no pixel.",
                    expected="boxes with an area, inside the picture",
                    found=str(box.tolist()),
                    do="look for such boxes with `oddemo data check`",
                )
            yield crop
