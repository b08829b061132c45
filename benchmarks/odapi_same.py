"""When are two lists of detections the same? The rule by which what two TensorFlows say of one file is compared.

Suppression makes lists, not numbers: rounding may exchange two neighbours of equal score, or move one over the limit of
the list. So partners are sought, and order is not looked at. A partner has the same class, and lies less than
`PARTNER_WITHIN` away in each coordinate and in its score; partners are chosen so that all differences together are
smallest. What finds none is counted, unless it stands at the very edge of the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.trace import Trace
from oddemo.data.records import Detections
from oddemo.errors import OddemoError
from oddemo.lanes.matrix import SAME_WITHIN

#: Coordinates are fractions of the picture's sides, scores lie in 0 to 1: further apart, two are not one detection.
PARTNER_WITHIN = 0.05


@dataclass(frozen=True)
class Limits:
    """Where a detector's lists end.

    Attributes:
        detections: At most so many a picture.
        score: None below it.
    """

    detections: int
    score: float


@dataclass(frozen=True)
class Compared:
    """How far apart two recordings on the same pictures are.

    Attributes:
        pairs: Detections that have a partner.
        box: Largest difference of a coordinate of partners, as a fraction of the picture's side.
        score: Largest difference of a score of partners.
        alone: Detections of either without a partner, those at the edge left out. Another class is no partner.
        at_edge: Detections without a partner whose score is that at which the list ends, give or take `SAME_WITHIN`.
        raw: Largest difference of boxes (fractions of the frame) and scores before suppression, None where one of the
            two does not show them.
        decoded: Largest difference of a decoded picture, 0 to 255, None where one of the two does not show it.
    """

    pairs: int
    box: float
    score: float
    alone: int
    at_edge: int
    raw: float | None = None
    decoded: int | None = None

    @property
    def same(self) -> bool:
        """Whether every detection has its partner, and no number differs by more than `SAME_WITHIN`."""
        return self.alone == 0 and max(self.box, self.score) <= SAME_WITHIN


def compare(one: Trace, other: Trace, limits: Limits, sizes_hw: Mapping[str, tuple[int, int]]) -> Compared:
    """Compare two recordings.

    Args:
        one: What was recorded first.
        other: On the same pictures.
        limits: Of the detector.
        sizes_hw: Name of each picture → its height and width in pixels.

    Raises:
        OddemoError: If they are not of the same pictures.
    """
    if one.image_names != other.image_names:
        raise OddemoError("Two recordings on different pictures cannot be compared.", found=str(other.image_names))
    pairs = alone = at_edge = 0
    boxes, scores = [0.0], [0.0]
    for name, first, second in zip(one.image_names, one.detections, other.detections, strict=True):
        box, score, partners = _differences(first, second, np.tile(np.array(sizes_hw[name], np.float64), 2))
        pairs += len(partners)
        boxes += [float(box[i, j]) for i, j in partners]
        scores += [float(score[i, j]) for i, j in partners]
        for column, found in enumerate((first, second)):
            lone = np.delete(found.scores, [pair[column] for pair in partners])
            edge = int((lone <= _edge(first, second, limits) + SAME_WITHIN).sum())
            alone, at_edge = alone + len(lone) - edge, at_edge + edge
    return Compared(pairs, max(boxes), max(scores), alone, at_edge, _raw(one, other), _decoded(one, other))


def _differences(
    first: Detections, second: Detections, sides_px: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, int]]]:
    """Return differences of boxes and of scores, each with each, and who is whose partner."""
    from scipy.optimize import linear_sum_assignment

    one, other = (found.boxes_yxyx_px.astype(np.float64) / sides_px for found in (first, second))
    box = np.abs(one[:, None] - other[None]).max(axis=-1, initial=0.0)
    score = np.abs(first.scores.astype(np.float64)[:, None] - second.scores.astype(np.float64)[None])
    cost = np.maximum(box, score)
    possible = (cost < PARTNER_WITHIN) & (first.class_ids[:, None] == second.class_ids[None])
    # Larger than all possible ones together: as many as can be are paired.
    rows, columns = linear_sum_assignment(np.where(possible, cost, 1.0 + cost.shape[0] * PARTNER_WITHIN))
    return box, score, [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if possible[i, j]]


def _edge(first: Detections, second: Detections, limits: Limits) -> float:
    """Return the score at which the shorter of two lists ends: its last one if it is full, else the limit."""
    full = [float(found.scores.min()) for found in (first, second) if len(found) >= limits.detections]
    return max([limits.score, *full])


def _raw(one: Trace, other: Trace) -> float | None:
    first, second = one.dense.get("decoded"), other.dense.get("decoded")
    if not first or not second:
        return None
    frame = np.tile(np.array(one.dense["pixels"]["pixels"].shape[1:3], np.float64), 2)
    scale: dict[str, Any] = {"boxes_yxyx": frame, "scores": 1.0}
    return max(float(np.abs((first[key] - second[key]) / by).max()) for key, by in scale.items())


def _decoded(one: Trace, other: Trace) -> int | None:
    if not one.images or not other.images:
        return None
    pairs = zip(one.images, other.images, strict=True)
    return max(int(np.abs(first.astype(int) - second.astype(int)).max()) for first, second in pairs)
