"""The records of matched detections, of one picture and of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddemo.errors import OddemoError


@dataclass(frozen=True, eq=False)
class ImageMatches:
    """The matched detections of one picture: N of them, in COCO's order within each class.

    Attributes:
        detections: (N,) int64, their place among the picture's `Detections`.
        class_ids: (N,) int64, from 1.
        scores: (N,) float.
        true_positive: (T, N) bool, one row for each IoU threshold.
        ignored: (T, N) bool, neither right nor wrong.
        truth: (T, N) int64, the true box taken, by its place in the picture's record; -1 for none.
        truth_counts: (K,) int64, true boxes that count, for each class.
    """

    detections: NDArray[np.int64]
    class_ids: NDArray[np.integer[Any]]
    scores: NDArray[np.floating[Any]]
    true_positive: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truth: NDArray[np.int64]
    truth_counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("class_ids", "scores"):
            _check_shape(getattr(self, name), self.detections.shape, name)
        for name in ("ignored", "truth"):
            _check_shape(getattr(self, name), self.true_positive.shape, name)


@dataclass(frozen=True, eq=False)
class Matches:
    """The matched detections of I pictures in K classes: D of them, by class, falling score and picture.

    Attributes:
        image_ids: (I,) int64, in the order in which ties between pictures are broken.
        class_names: K names; class id `k` is `class_names[k - 1]`.
        iou_thresholds: T overlaps from which a detection is right.
        image: (D,) int64, the picture of each detection, by its place in `image_ids`.
        class_ids: (D,) int64, from 1, rising.
        scores: (D,) float64, falling within a class.
        true_positive: (T, D) bool.
        ignored: (T, D) bool, neither right nor wrong.
        truth_counts: (I, K) int64, true boxes that count.
    """

    image_ids: NDArray[np.int64]
    class_names: tuple[str, ...]
    iou_thresholds: tuple[float, ...]
    image: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    true_positive: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truth_counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "iou_thresholds", tuple(float(value) for value in self.iou_thresholds))
        kinds: dict[str, type] = {"image_ids": np.int64, "image": np.int64, "class_ids": np.int64}
        kinds |= {"scores": np.float64, "true_positive": bool, "ignored": bool, "truth_counts": np.int64}
        for name, kind in kinds.items():
            object.__setattr__(self, name, _frozen(getattr(self, name), kind))
        count, thresholds = len(self.image), len(self.iou_thresholds)
        for name in ("class_ids", "scores"):
            _check_shape(getattr(self, name), (count,), name)
        for name in ("true_positive", "ignored"):
            _check_shape(getattr(self, name), (thresholds, count), name)
        _check_shape(self.truth_counts, (len(self.image_ids), len(self.class_names)), "truth_counts")
        if not thresholds or not all(0 < value <= 1 for value in self.iou_thresholds):
            raise OddemoError(
                "The IoU thresholds are not possible.", expected="above 0, up to 1", found=str(self.iou_thresholds)
            )
        if count and not (self.image.min() >= 0 and self.image.max() < len(self.image_ids)):
            raise OddemoError("A detection belongs to no picture.", expected=f"0 to {len(self.image_ids) - 1}")
        if count and not (self.class_ids.min() >= 1 and self.class_ids.max() <= len(self.class_names)):
            raise OddemoError("A detection has no class name.", expected=f"ids 1 to {len(self.class_names)}")
        rising = np.diff(self.class_ids)
        if (rising < 0).any() or (np.diff(self.scores)[rising == 0] > 0).any():
            raise OddemoError("The detections are out of order.", expected="rising class ids, falling scores in each")

    def threshold_indices(self, metric: str) -> tuple[int, ...]:
        """Return the IoU thresholds over which a metric is the mean: "ap" all, "ap50" and "ap75" one.

        Raises:
            OddemoError: If the metric is unknown or its threshold was not matched.
        """
        if metric == "ap":
            return tuple(range(len(self.iou_thresholds)))
        wanted = {"ap50": 0.5, "ap75": 0.75}.get(metric)
        found = [i for i, value in enumerate(self.iou_thresholds) if wanted is not None and abs(value - wanted) < 1e-9]
        if not found:
            thresholds = ", ".join(f"{value:.2f}" for value in self.iou_thresholds)
            raise OddemoError(
                f"{metric} cannot be computed from these matches.",
                expected="ap, or ap50 or ap75 with its IoU threshold among the matched ones",
                found=f"thresholds {thresholds}",
            )
        return (found[0],)

    def select(self, images: ArrayLike) -> Matches:
        """Return the pictures at these places in `image_ids`, in that order.

        Repeated ones count as pictures of their own. The new ids are 1, 2, …: the old ones would not be unique.
        """
        chosen = np.asarray(images, dtype=np.int64).reshape(-1)
        by_image = np.argsort(self.image, kind="stable")
        ends = np.searchsorted(self.image[by_image], np.arange(len(self.image_ids) + 1))
        rows = [by_image[ends[index] : ends[index + 1]] for index in chosen.tolist()]
        row = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
        image = np.repeat(np.arange(len(chosen)), [len(part) for part in rows])
        return _ordered(self, np.arange(1, len(chosen) + 1), row, image, self.truth_counts[chosen])

    def only_class(self, class_id: int) -> Matches:
        """Return the matches of one class, on all pictures; the class id becomes 1."""
        kept = self.class_ids == class_id
        return replace(
            self,
            class_names=(self.class_names[class_id - 1],),
            image=self.image[kept],
            class_ids=np.ones(int(kept.sum()), dtype=np.int64),
            scores=self.scores[kept],
            true_positive=self.true_positive[:, kept],
            ignored=self.ignored[:, kept],
            truth_counts=self.truth_counts[:, [class_id - 1]],
        )


def collect_matches(
    images: Sequence[ImageMatches],
    *,
    image_ids: Sequence[int],
    class_names: tuple[str, ...],
    iou_thresholds: tuple[float, ...],
) -> Matches:
    """Join the matches of single pictures, which must be in the order of their ids."""
    class_ids = np.concatenate([np.zeros(0, dtype=np.int64), *(image.class_ids for image in images)])
    scores = np.concatenate([np.zeros(0), *(image.scores.astype(np.float64) for image in images)])
    image = np.repeat(np.arange(len(images)), [len(part.detections) for part in images])
    order = np.lexsort((image, -scores, class_ids))
    nothing = np.zeros((len(iou_thresholds), 0), dtype=bool)
    return Matches(
        image_ids=np.array(image_ids, dtype=np.int64),
        class_names=class_names,
        iou_thresholds=iou_thresholds,
        image=image[order],
        class_ids=class_ids[order],
        scores=scores[order],
        true_positive=np.concatenate([nothing, *(part.true_positive for part in images)], axis=1)[:, order],
        ignored=np.concatenate([nothing, *(part.ignored for part in images)], axis=1)[:, order],
        truth_counts=np.array([part.truth_counts for part in images]).reshape(len(images), len(class_names)),
    )


def _ordered(
    matches: Matches,
    image_ids: NDArray[np.int64],
    row: NDArray[np.int64],
    image: NDArray[np.int64],
    truth_counts: NDArray[np.int64],
) -> Matches:
    order = np.lexsort((image, -matches.scores[row], matches.class_ids[row]))
    row = row[order]
    return replace(
        matches,
        image_ids=image_ids,
        image=image[order],
        class_ids=matches.class_ids[row],
        scores=matches.scores[row],
        true_positive=matches.true_positive[:, row],
        ignored=matches.ignored[:, row],
        truth_counts=truth_counts,
    )


def _check_shape(value: NDArray[Any], expected: tuple[int, ...], name: str) -> None:
    if value.shape != expected:
        raise OddemoError(f"{name} does not fit the other arrays.", expected=str(expected), found=str(value.shape))


def _frozen(value: ArrayLike, kind: type) -> NDArray[Any]:
    array: NDArray[Any] = np.array(value, dtype=kind)
    array.setflags(write=False)
    return array
