"""Pairing the detections of two sources on one picture: by what they say, never by their slot in the list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from oddemo.audit.stages import Tolerance, tolerance_for
from oddemo.data.boxes import pairwise_iou
from oddemo.data.records import Detections


@dataclass(frozen=True, eq=False)
class Pairing:
    """Which detection of the candidate goes with which of the reference.

    Attributes:
        pairs: (P, 2) int64, index into reference and candidate.
        reference_only: Indices without a partner.
        candidate_only: Indices without a partner.
        same_class: (P,) bool.
        iou: (P,) overlap of each pair.
        box_difference_px: (P,) largest difference of a coordinate, pixels of the picture.
        score_difference: (P,) absolute difference of the scores.
    """

    pairs: NDArray[np.int64]
    reference_only: NDArray[np.int64]
    candidate_only: NDArray[np.int64]
    same_class: NDArray[np.bool_]
    iou: NDArray[np.float64]
    box_difference_px: NDArray[np.float64]
    score_difference: NDArray[np.float64]


def pair_detections(reference: Detections, candidate: Detections, *, minimum_iou: float = 0.5) -> Pairing:
    """Pair detections, whatever their class, so that overlap and score agree best over the whole picture.

    Class ids only break ties: a shifted label map must not look like moved boxes.

    Args:
        reference: Detections of the reference.
        candidate: Detections of the candidate on the same picture.
        minimum_iou: Less overlap than this is no pair.
    """
    iou = pairwise_iou(reference.boxes_yxyx_px.astype(np.float64), candidate.boxes_yxyx_px.astype(np.float64))
    gap = np.abs(reference.scores[:, None].astype(np.float64) - candidate.scores[None, :])
    far = np.abs(reference.boxes_yxyx_px[:, None].astype(np.float64) - candidate.boxes_yxyx_px[None]).max(axis=2)
    # Boxes without area have no overlap, even with themselves; where all coordinates agree, they are a pair.
    same_place = far <= tolerance_for("detections", "boxes_yxyx_px").absolute
    iou = np.where(same_place & (iou < minimum_iou), 1.0, iou)
    allowed = iou >= minimum_iou
    same_class = reference.class_ids[:, None] == candidate.class_ids[None, :]
    # A pair is always worth more than no pair; within pairs, overlap and score decide.
    gain = np.where(allowed, 5.0 + 2.0 * iou - 2.0 * gap + 1e-6 * same_class, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = allowed[rows, columns]
    rows, columns = rows[kept], columns[kept]
    boxes = np.abs(reference.boxes_yxyx_px[rows].astype(np.float64) - candidate.boxes_yxyx_px[columns])
    return Pairing(
        pairs=np.stack([rows, columns], axis=1).astype(np.int64),
        reference_only=np.setdiff1d(np.arange(len(reference)), rows),
        candidate_only=np.setdiff1d(np.arange(len(candidate)), columns),
        same_class=same_class[rows, columns],
        iou=iou[rows, columns],
        box_difference_px=boxes.max(axis=1, initial=0.0),
        score_difference=gap[rows, columns],
    )


@dataclass(frozen=True)
class DetectionAgreement:
    """How well two sources agree on one picture.

    Attributes:
        paired: Pairs whose box and score agree within tolerance.
        moved: Pairs that do not.
        reference_only: Detections that only the reference has.
        candidate_only: Detections that only the candidate has.
        relabelled: Pairs whose class ids differ; they do not make the stage `detections` differ, but `labels`.
        largest_box_difference_px: Over all pairs.
        largest_score_difference: Over all pairs.
    """

    paired: int
    moved: int
    reference_only: int
    candidate_only: int
    relabelled: int
    largest_box_difference_px: float
    largest_score_difference: float

    @property
    def equal(self) -> bool:
        """Whether nothing moved, appeared or vanished."""
        return self.moved == self.reference_only == self.candidate_only == 0

    @property
    def differing(self) -> int:
        """How many detections moved, appeared or vanished."""
        return self.moved + self.reference_only + self.candidate_only


def agreement(
    reference: Detections,
    candidate: Detections,
    *,
    floor: float = 0.0,
    box_tolerance: Tolerance | None = None,
    score_tolerance: Tolerance | None = None,
) -> DetectionAgreement:
    """Count what agrees and what does not on one picture.

    Args:
        reference: Detections of the reference.
        candidate: Detections of the candidate on the same picture.
        floor: The score at which the reference cuts its list. A detection that one side lacks is not counted when its
            score is within tolerance of it: float noise decides there which side of the cut it falls.
        box_tolerance: Instead of the one of the stage `detections`.
        score_tolerance: Instead of the one of the stage `detections`.
    """
    box_limit = (box_tolerance or tolerance_for("detections", "boxes_yxyx_px")).absolute
    score_limit = (score_tolerance or tolerance_for("detections", "scores")).absolute
    pairing = pair_detections(reference, candidate)
    good = (pairing.box_difference_px <= box_limit) & (pairing.score_difference <= score_limit)
    return DetectionAgreement(
        paired=int(good.sum()),
        moved=int((~good).sum()),
        reference_only=int((reference.scores[pairing.reference_only] > floor + score_limit).sum()),
        candidate_only=int((candidate.scores[pairing.candidate_only] > floor + score_limit).sum()),
        relabelled=int((~pairing.same_class).sum()),
        largest_box_difference_px=float(pairing.box_difference_px.max(initial=0.0)),
        largest_score_difference=float(pairing.score_difference.max(initial=0.0)),
    )


def likeness(reference: Detections, candidate: Detections, *, classes: bool = True) -> float:
    """Return how alike two sets of detections are: 1 if equal, 0 if nothing is shared.

    Each pair of the same class counts by its overlap and the closeness of its scores; all weighted by score, so that a
    tail of weak detections does not drown the strong ones. Used to rank hypotheses, never to verify one.

    Args:
        reference: One set.
        candidate: The other.
        classes: Whether pairs of different classes count for nothing.
    """
    weight = float(reference.scores.sum() + candidate.scores.sum())
    if weight == 0.0:
        return 1.0
    pairing = pair_detections(reference, candidate, minimum_iou=0.1)
    rows, columns = pairing.pairs[:, 0], pairing.pairs[:, 1]
    closeness = np.clip(1.0 - 2.0 * pairing.score_difference, 0.0, 1.0) * pairing.iou**2
    if classes:
        closeness = closeness * pairing.same_class
    return float(((reference.scores[rows] + candidate.scores[columns]) * closeness).sum() / weight)
