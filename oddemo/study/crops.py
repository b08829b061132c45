"""The trial of the study on SMOTE: a small classifier tells the rare class from its neighbours, crop by crop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.balance.classifiers import balanced_classifier
from oddemo.data.records import Dataset
from oddemo.study.changes import Change, one_of
from oddemo.study.detecting import shared_facts
from oddemo.study.places import pictures_of, start_of


@dataclass(frozen=True)
class CropTrial:
    """Train a classifier on the features of objects that were cut out, and measure it on those of test pictures.

    The features are those of the detector that the world's trainings start from: one of another world.

    Attributes:
        way: How the classes are balanced, see `oddemo.data.balance.classifiers`.
        changes: Done to the training pictures first; no pixel may change.
        rare: Classes of which a world has one: the one to be told from all others.
        measured_on: Split of the measurement.
    """

    way: str
    changes: tuple[Change, ...]
    rare: tuple[str, ...]
    measured_on: str = "test"

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Draw the world's pictures, and return the fingerprints of pictures and weights."""
        return shared_facts(world, work, self.measured_on)

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Train and measure once."""
        learnt = _cuttable(pictures_of(world, "train", work))
        for change in self.changes:
            learnt = change.apply(learnt, seed=seed, folder=scratch)
        vectors, is_rare = self._vectors(world, "train", work, learnt)
        classifier = balanced_classifier(self.way, seed=seed).fit(vectors, is_rare)
        unseen, truth = self._vectors(world, self.measured_on, work)
        told = told_apart(truth, classifier.predict_proba(unseen)[:, 1], classifier.predict(unseen))
        return {**told, "learnt_rare": int(is_rare.sum()), "learnt_other": int((~is_rare).sum())}

    def _vectors(
        self, world: str, split: str, work: Path, part: Dataset | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of a split or a part of it, and whether each is of the rare class."""
        dataset = _cuttable(pictures_of(world, split, work)) if part is None else part
        known = _features(world, split, str(work))
        rare_id = dataset.class_names.index(one_of(self.rare, dataset)) + 1
        vectors = np.concatenate([known[record.image_id] for record in dataset.records])
        return vectors, np.concatenate([record.class_ids for record in dataset.records]) == rare_id


def told_apart(
    truth: NDArray[np.bool_], probability: NDArray[np.floating[Any]], said: NDArray[np.bool_]
) -> dict[str, float]:
    """Return how well a class is told: by the order of the probabilities, and by what was said.

    Args:
        truth: (N,) whether it is the class.
        probability: (N,) that it is.
        said: (N,) whether it was said to be.
    """
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, precision_score, recall_score

    return {
        "order": float(average_precision_score(truth, probability)),
        "balanced": float(balanced_accuracy_score(truth, said)),
        "recall": float(recall_score(truth, said)),
        "precision": float(precision_score(truth, said, zero_division=0.0)),
    }


@lru_cache(maxsize=8)
def _features(world: str, split: str, work: str) -> dict[int, NDArray[np.float32]]:
    """Return picture's id → (boxes, D) features; computed once a process."""
    from oddemo.detect.crop_features import crop_features
    from oddemo.detect.detector import load_detector

    dataset = _cuttable(pictures_of(world, split, Path(work)))
    counts = [len(record.class_ids) for record in dataset.records]
    parts = np.split(crop_features(load_detector(start_of(world)), dataset), np.cumsum(counts)[:-1])
    return {record.image_id: part for record, part in zip(dataset.records, parts, strict=True)}


def _cuttable(dataset: Dataset) -> Dataset:
    """Leave out boxes of less than a pixel, and pictures that hold no other: BCCD has such a box."""
    records = []
    for record in dataset.records:
        keep = (record.boxes_yxyx_px[:, 2:] - record.boxes_yxyx_px[:, :2] >= 1).all(axis=1)
        if keep.any():
            boxes, ids = record.boxes_yxyx_px[keep], record.class_ids[keep]
            records.append(replace(record, boxes_yxyx_px=boxes, class_ids=ids))
    return replace(dataset, records=tuple(records))
