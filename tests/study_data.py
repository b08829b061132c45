"""Small datasets for the tests of damage, balance, folds and cleaning: boxes by hand or by chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oddemo.data.records import Dataset, ImageRecord

SIZE_HW = (60, 80)
NAMES = ("nut", "bolt", "washer")


def dataset_of(shown: Sequence[Sequence[int]], root: Path = Path("nowhere")) -> Dataset:
    """Return a dataset whose pictures show these class ids, each box in a column of its own."""
    records = []
    for number, ids in enumerate(shown, 1):
        boxes = [[5.0 + k % 3, 9.0 * k + 1, 20.0 + k % 3, 9.0 * k + 8] for k in range(len(ids))]
        records.append(ImageRecord(number, f"{number}.png", SIZE_HW, np.reshape(boxes, (-1, 4)), list(ids)))
    return Dataset("parts", root, NAMES, tuple(records))


def chance_dataset(pictures: int, *, seed: int = 0, weights: Sequence[float] = (0.5, 0.4, 0.1)) -> Dataset:
    """Return pictures with 0 to 5 boxes of random place, size and class."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(1, pictures + 1):
        count = int(rng.integers(0, 6))
        corners = rng.random((count, 2)) * [40, 60]
        sides = 6 + rng.random((count, 2)) * 12
        ids = 1 + rng.choice(len(weights), size=count, p=weights)
        records.append(ImageRecord(number, f"{number}.png", SIZE_HW, np.hstack([corners, corners + sides]), ids))
    return Dataset("chance", Path("nowhere"), NAMES, tuple(records))


def pictures_with(dataset: Dataset, class_id: int) -> int:
    return sum(class_id in record.class_ids for record in dataset.records)
