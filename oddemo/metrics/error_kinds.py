"""Sorting every detection into right or one kind of mistake, and putting one kind right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.metrics.coco_form import bbox_xywh_px, check_detections, coco_iou
from oddemo.metrics.match_records import ImageMatches
from oddemo.metrics.matches import match_image

#: From this overlap a detection is at the right place; below the second one it has nothing to do with a true box.
IOU_RIGHT = 0.5
IOU_BACKGROUND = 0.1


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Detections as they are, or with one kind of mistake put right: what average precision needs.

    Attributes:
        image: (D,) picture, by its place in the order of image ids.
        class_ids: (D,) from 1.
        scores: (D,).
        right: (D,) bool.
        truth_counts: (I, K) true boxes.
    """

    image: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    truth_counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ErrorRows:
    """Every detection with its kind, and every true box with what became of it.

    Attributes:
        image: (D,) picture of each detection, by its place in the order of image ids.
        class_ids: (D,) from 1.
        scores: (D,).
        kinds: (D,) `right` or a kind of mistake.
        target: (D,) the true box that a misplaced or misnamed detection aims at, by its place among all; -1 for none.
        truth_image: (G,) picture of each true box, as `image`.
        truth_class_ids: (G,) from 1.
        outcomes: (G,) `found`, `classification`, `localisation` or `missed`.
        truth_counts: (I, K).
    """

    image: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    kinds: NDArray[np.str_]
    target: NDArray[np.int64]
    truth_image: NDArray[np.int64]
    truth_class_ids: NDArray[np.int64]
    outcomes: list[str]
    truth_counts: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """(D,) bool."""
        return np.asarray(self.kinds == "right")

    def as_found(self) -> ScoredRows:
        """Return the detections with nothing put right."""
        return ScoredRows(self.image, self.class_ids, self.scores, self.right, self.truth_counts)

    def with_fixed(self, kind: str) -> ScoredRows:
        """Return the detections with one kind of mistake put right.

        Of the misplaced or misnamed detections that aim at one true box that nobody has found, the one with the best
        score becomes right; the others, and all duplicates and detections of nothing, go. Missed true boxes no longer
        count.
        """
        if kind == "missed":
            counts = self.truth_counts.copy()
            missed = np.array(self.outcomes) == "missed"
            np.subtract.at(counts, (self.truth_image[missed], self.truth_class_ids[missed] - 1), 1)
            return ScoredRows(self.image, self.class_ids, self.scores, self.right, counts)
        wrong = self.kinds == kind
        free = np.array([outcome != "found" for outcome in self.outcomes], dtype=bool)
        aims = np.flatnonzero(wrong & (self.target >= 0) & (free[self.target] if len(free) else False))
        best_first = aims[np.argsort(-self.scores[aims], kind="stable")]
        _, first = np.unique(self.target[best_first], return_index=True)
        fixed = best_first[first]
        class_ids, right = self.class_ids.copy(), self.right
        class_ids[fixed] = self.truth_class_ids[self.target[fixed]]
        right[fixed] = True
        kept = ~wrong
        kept[fixed] = True
        return ScoredRows(self.image[kept], class_ids[kept], self.scores[kept], right[kept], self.truth_counts)


def sort_errors(dataset: Dataset, detections: Sequence[Detections]) -> ErrorRows:
    """Sort the detections of every picture, at most the 100 best of each class."""
    check_detections(dataset, detections)
    classes = len(dataset.class_names)
    place = {image_id: index for index, image_id in enumerate(sorted(r.image_id for r in dataset.records))}
    counts = np.zeros((len(dataset), classes), dtype=np.int64)
    images: list[int] = []
    parts: list[tuple[ImageMatches, NDArray[np.str_], NDArray[np.int64]]] = []
    outcomes: list[str] = []
    for record, found in zip(dataset.records, detections, strict=True):
        matches = match_image(record, found, classes=classes, iou_thresholds=(IOU_RIGHT,))
        kinds, target = _sort_image(record, found, matches)
        parts.append((matches, kinds, np.where(target >= 0, target + len(outcomes), -1)))
        outcomes += _outcomes(len(record.class_ids), matches, kinds, target)
        images.append(place[record.image_id])
        counts[images[-1]] = matches.truth_counts
    return ErrorRows(
        image=np.repeat(images, [len(matches.detections) for matches, _, _ in parts]),
        class_ids=np.concatenate([matches.class_ids for matches, _, _ in parts]),
        scores=np.concatenate([matches.scores for matches, _, _ in parts]).astype(np.float64),
        kinds=np.concatenate([kinds for _, kinds, _ in parts]),
        target=np.concatenate([target for _, _, target in parts]),
        truth_image=np.repeat(images, [len(record.class_ids) for record in dataset.records]),
        truth_class_ids=np.concatenate([record.class_ids for record in dataset.records]),
        outcomes=outcomes,
        truth_counts=counts,
    )


def _sort_image(
    record: ImageRecord, found: Detections, matches: ImageMatches
) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the kind of each matched detection and the true box of the picture that it aims at."""
    count, truths = len(matches.detections), len(record.class_ids)
    right = matches.true_positive[0]
    no_target = np.full(count, -1, dtype=np.int64)
    if not truths:
        return np.where(right, "right", np.full(count, "background", dtype="<U14")), no_target
    iou = coco_iou(bbox_xywh_px(found.boxes_yxyx_px)[matches.detections], bbox_xywh_px(record.boxes_yxyx_px))
    same_class = matches.class_ids[:, None] == record.class_ids[None, :]
    same, other = np.where(same_class, iou, -1.0), np.where(same_class, -1.0, iou)
    best_same, best_other = same.max(axis=1), other.max(axis=1)
    misplaced = (best_same >= IOU_BACKGROUND) & (best_same < IOU_RIGHT)
    conditions = [
        right,
        misplaced,
        best_other >= IOU_RIGHT,
        best_same >= IOU_RIGHT,
        np.maximum(best_same, best_other) < IOU_BACKGROUND,
    ]
    names = ["right", "localisation", "classification", "duplicate", "background"]
    kinds = np.select(conditions, names, default="both").astype("<U14")
    target = np.where(kinds == "localisation", same.argmax(axis=1), no_target)
    return kinds, np.where(kinds == "classification", other.argmax(axis=1), target)


def _outcomes(truths: int, matches: ImageMatches, kinds: NDArray[np.str_], target: NDArray[np.int64]) -> list[str]:
    outcomes = ["missed"] * truths
    # From the worst score to the best, so that the best one has the last word.
    for row in np.argsort(matches.scores, kind="stable"):
        if target[row] >= 0:
            outcomes[target[row]] = str(kinds[row])
    for truth in matches.truth[0][matches.true_positive[0]].tolist():
        outcomes[truth] = "found"
    return outcomes
