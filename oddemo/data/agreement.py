"""Do two datasets say the same about the same pictures? Asked after every conversion between formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


@dataclass(frozen=True)
class Agreement:
    """How well the boxes of two datasets agree.

    Attributes:
        images: Pictures compared.
        boxes: Boxes compared.
        other_class: Boxes whose class has another name.
        largest_shift_px: Largest difference of a coordinate in pixels.
    """

    images: int
    boxes: int
    other_class: int
    largest_shift_px: float

    def __str__(self) -> str:
        classes = "same classes" if not self.other_class else f"{self.other_class} of another class"
        return f"{self.images} pictures, {self.boxes} boxes, {classes}, largest shift {self.largest_shift_px:.3f} px"


def compare_truth(first: Dataset, second: Dataset) -> Agreement:
    """Compare the boxes of two datasets in their order; pictures are matched by file name, without folders.

    Args:
        first: One dataset.
        second: The other; its classes may have other ids.

    Raises:
        OddemoError: If the two do not hold the same pictures, or a picture has more boxes in one than in the other.
    """
    ones, others = _by_name(first), _by_name(second)
    if set(ones) != set(others) or not ones:
        alone = sorted(set(ones) ^ set(others))
        raise OddemoError(
            "The two datasets do not hold the same pictures.",
            expected=f"the {len(ones)} pictures of {first.name}",
            found=f"{len(others)} in {second.name}; in one of them only: {', '.join(alone[:5]) or 'none'}",
        )
    boxes = other_class = 0
    largest_px = 0.0
    for name, one in ones.items():
        other = others[name]
        if len(one.class_ids) != len(other.class_ids):
            raise OddemoError(
                f"{name} has another number of boxes.",
                expected=str(len(one.class_ids)),
                found=str(len(other.class_ids)),
            )
        if len(one.class_ids):
            largest_px = max(largest_px, float(np.abs(one.boxes_yxyx_px - other.boxes_yxyx_px).max()))
        boxes += len(one.class_ids)
        pairs = zip(_names(one, first.class_names), _names(other, second.class_names), strict=True)
        other_class += sum(a != b for a, b in pairs)
    return Agreement(len(ones), boxes, other_class, largest_px)


def _names(record: ImageRecord, class_names: Sequence[str]) -> list[str]:
    return [class_names[class_id - 1] for class_id in record.class_ids.tolist()]


def _by_name(dataset: Dataset) -> dict[str, ImageRecord]:
    records = {PurePosixPath(record.file_name).name: record for record in dataset.records}
    if len(records) != len(dataset):
        raise OddemoError(
            f"{dataset.name} has pictures of the same name in different folders.",
            expected="file names that differ without their folders",
        )
    return records
