"""How much of what a dataset holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oddemo.data.records import Dataset


@dataclass(frozen=True)
class DatasetCounts:
    """The sizes of a dataset.

    Attributes:
        images: Number of pictures.
        boxes: Number of boxes.
        boxes_of_class: Class name → number of boxes, in the order of the class ids.
        images_without_class: Class name → number of pictures without a box of it.
    """

    images: int
    boxes: int
    boxes_of_class: Mapping[str, int]
    images_without_class: Mapping[str, int]


def count_dataset(dataset: Dataset) -> DatasetCounts:
    """Count a dataset's pictures and boxes."""
    boxes = dict.fromkeys(dataset.class_names, 0)
    images = dict.fromkeys(dataset.class_names, 0)
    for record in dataset.records:
        names = [dataset.class_names[class_id - 1] for class_id in record.class_ids.tolist()]
        for name in names:
            boxes[name] += 1
        for name in set(names):
            images[name] += 1
    without = {name: len(dataset) - count for name, count in images.items()}
    return DatasetCounts(len(dataset), sum(boxes.values()), boxes, without)
