"""What the boxes of a dataset are like: how large, where, and of which colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset, FloatArray, IntArray
from oddemo.errors import OddemoError


@dataclass(frozen=True, eq=False)
class BoxMeasures:
    """All N boxes of a dataset, picture by picture, in the records' order.

    Attributes:
        class_ids: (N,) int64, from 1.
        longer_side: (N,) float64, the box's longer side as a fraction of its picture's longer side.
        middle_yx: (N, 2) float64, the box's middle as a fraction of the picture's height and width.
        images: How many pictures there are, with or without a box.
    """

    class_ids: IntArray
    longer_side: FloatArray
    middle_yx: FloatArray
    images: int

    @property
    def off_centre(self) -> FloatArray:
        """(N,) distance of the box's middle from the picture's, as a fraction of height and width, mean of the two."""
        distance: FloatArray = np.abs(self.middle_yx - 0.5).mean(axis=1)
        return distance

    @property
    def boxes_per_image(self) -> float:
        """Mean number of boxes in a picture."""
        return len(self.class_ids) / self.images


def box_measures(dataset: Dataset) -> BoxMeasures:
    """Measure all boxes of a dataset; no picture is opened.

    Raises:
        OddemoError: If there is no box.
    """
    _check_boxes(dataset)
    boxes = np.concatenate([record.boxes_yxyx_px for record in dataset.records])
    class_ids = np.concatenate([record.class_ids for record in dataset.records])
    counts = [len(record.class_ids) for record in dataset.records]
    sizes_hw = np.repeat([record.image_size_hw_px for record in dataset.records], counts, axis=0)
    sides_hw = boxes[:, 2:] - boxes[:, :2]
    return BoxMeasures(
        class_ids=class_ids,
        longer_side=sides_hw.max(axis=1) / sizes_hw.max(axis=1),
        middle_yx=(boxes[:, :2] + boxes[:, 2:]) / 2 / sizes_hw,
        images=len(dataset),
    )


def box_colours(dataset: Dataset) -> NDArray[np.float64]:
    """Return the (N, 3) mean colour inside every box, RGB from 0 to 255, in the order of `box_measures`.

    A pixel belongs to a box if its middle lies inside.

    Raises:
        OddemoError: If there is no box, a picture cannot be decoded, or a box holds no pixel.
    """
    _check_boxes(dataset)
    colours = []
    for record in dataset.records:
        if not len(record.class_ids):
            continue
        image = read_image_rgb(dataset.image_path(record))
        for index, box in enumerate(record.boxes_yxyx_px):
            y_min, x_min, y_max, x_max = np.clip(np.ceil(box - 0.5), 0, None).astype(int)
            inside = image[y_min:y_max, x_min:x_max]
            if not inside.size:
                raise OddemoError(
                    f"{record.file_name}: box {index} holds no pixel.",
                    expected="boxes with an area, inside the picture",
                    found=str(box.tolist()),
                    do="look for such boxes with `oddemo data check`",
                )
            colours.append(inside.reshape(-1, 3).mean(axis=0))
    return np.array(colours)


def _check_boxes(dataset: Dataset) -> None:
    if not any(len(record.class_ids) for record in dataset.records):
        raise OddemoError(f"{dataset.name} has no boxes to measure.", expected="at least one")
