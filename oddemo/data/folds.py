"""Folds for cross-validation by scikit-learn: plain, with each class spread evenly, or keeping scenes together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from oddemo.data.balance.resampling import rarest_class_ids
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


def folds(
    dataset: Dataset,
    count: int,
    *,
    seed: int,
    stratified: bool = False,
    scene_of: Callable[[ImageRecord], Hashable] | None = None,
) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield `count` pairs: pictures to learn from, and pictures to measure on; each picture is measured on once.

    Args:
        dataset: All pictures.
        count: Number of folds.
        seed: Decides which picture is in which fold.
        stratified: Spread the pictures of each class evenly, counting a picture for the rarest class that it shows.
        scene_of: What names a picture's scene (a camera, a part, a day): pictures of one scene stay in one fold, so
            that nothing is measured on a scene that was learnt from.

    Raises:
        OddemoError: If there are fewer pictures, or scenes, than folds.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    labels = rarest_class_ids(dataset) if stratified else np.zeros(len(dataset), np.int64)
    groups = None
    if scene_of is not None:
        scenes = [scene_of(record) for record in dataset.records]
        numbers = {scene: number for number, scene in enumerate(dict.fromkeys(scenes))}
        groups = np.array([numbers[scene] for scene in scenes])
    parts = len(dataset) if groups is None else len(set(groups.tolist()))
    if not 2 <= count <= parts:
        raise OddemoError(
            f"{dataset.name} cannot be cut into {count} folds.",
            expected=f"2 to {parts} folds: there are {parts} {'pictures' if groups is None else 'scenes'}",
        )
    splitter: Any
    if stratified:
        _check_rarest(dataset, labels, count)
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        splitter = kind(n_splits=count, shuffle=True, random_state=seed)
    else:
        kind = KFold if groups is None else GroupKFold
        splitter = kind(n_splits=count, shuffle=True, random_state=seed)
    ids = np.array([record.image_id for record in dataset.records])
    for number, (learn, measure) in enumerate(splitter.split(ids, labels, groups), 1):
        yield (
            dataset.subset(ids[learn].tolist(), name=f"{dataset.name} without fold {number}"),
            dataset.subset(ids[measure].tolist(), name=f"{dataset.name} fold {number}"),
        )


def _check_rarest(dataset: Dataset, labels: Any, count: int) -> None:
    """A class that cannot be in every fold makes scikit-learn warn; here it is an error."""
    pictures = np.bincount(labels)
    few = {index: int(number) for index, number in enumerate(pictures.tolist()) if 0 < number < count}
    if few:
        named = ", ".join(
            f"{dataset.class_names[index - 1] if index else 'no class'} {number}" for index, number in few.items()
        )
        raise OddemoError(
            f"{dataset.name} cannot be stratified into {count} folds.",
            expected=f"each class the rarest one of at least {count} pictures",
            found=named,
            do="take fewer folds, or plain ones",
        )
