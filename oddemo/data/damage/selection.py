"""Leaving pictures out until a dataset has the fault that is wanted: a rare class, few pictures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


def take_few(dataset: Dataset, pictures: int, *, seed: int) -> Dataset:
    """Keep some pictures, drawn by chance; a larger number keeps the same ones and more.

    Args:
        dataset: Where they are drawn from.
        pictures: How many are kept.
        seed: Another seed, other pictures.

    Raises:
        OddemoError: If there are not that many.
    """
    return dataset.subset(_drawn(dataset, dataset.records, pictures, seed))


def make_rare(dataset: Dataset, class_name: str, pictures: int, *, seed: int, most: int | None = None) -> Dataset:
    """Keep some of the pictures that show a class, drawn by chance, and those that do not show it.

    Args:
        dataset: Where pictures are left out.
        class_name: The class that becomes rare.
        pictures: How many with the class are kept; a larger number keeps the same ones and more.
        seed: Another seed, other pictures.
        most: Most pictures in all; those without the class are drawn by chance then.

    Raises:
        OddemoError: If there is no such class, or not that many pictures show it.
    """
    class_id = class_id_of(dataset, class_name)
    showing = [record for record in dataset.records if class_id in record.class_ids]
    kept = set(_drawn(dataset, showing, pictures, seed))
    without = [record for record in dataset.records if class_id not in record.class_ids]
    wanted = len(without) if most is None else min(len(without), most - pictures)
    return dataset.subset(kept.union(_drawn(dataset, without, wanted, seed)) if wanted > 0 else kept)


def class_id_of(dataset: Dataset, class_name: str) -> int:
    """Return the id of a class.

    Raises:
        OddemoError: If the dataset has no class of this name.
    """
    if class_name not in dataset.class_names:
        raise OddemoError(
            f"{dataset.name} has no class {class_name!r}.", expected=", ".join(dataset.class_names), found=class_name
        )
    return dataset.class_names.index(class_name) + 1


def _drawn(dataset: Dataset, records: Iterable[ImageRecord], pictures: int, seed: int) -> list[int]:
    ids = [record.image_id for record in records]
    if not 1 <= pictures <= len(ids):
        raise OddemoError(
            f"{pictures} pictures cannot be drawn from {dataset.name}.", expected=f"from 1 to {len(ids)} of them"
        )
    return [ids[index] for index in np.random.default_rng(seed).permutation(len(ids))[:pictures].tolist()]
