"""What kind of mistakes a detector makes, and which of them a candidate makes more often than the reference.

The kinds are those of TIDE (Bolya et al., 2020), at IoU 0.5 with 0.1 as the border to the background. Each is weighed
by a counterfactual: the AP50 if this kind alone were put right, minus the AP50 as it is. Effects keep their sign. They
do not add up, because putting one kind right changes what the others cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from oddemo.data.records import Dataset, Detections
from oddemo.errors import OddemoError
from oddemo.metrics.average_precision import average_precision
from oddemo.metrics.coco_form import check_truths
from oddemo.metrics.error_kinds import IOU_RIGHT, ScoredRows, sort_errors
from oddemo.metrics.match_records import Matches

#: A detection of the right place with the wrong class; of the right class at the wrong place (IoU 0.1 to 0.5); both
#: wrong; of a true box that a better detection has taken; of nothing; and a true box that no detection comes near.
ErrorKind = Literal["classification", "localisation", "both", "duplicate", "background", "missed"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)


@dataclass(frozen=True)
class ErrorProfile:
    """The mistakes of one detector on one dataset.

    Attributes:
        ap50: Mean average precision at IoU 0.5.
        right: Detections that are right.
        counts: Mistakes of each kind: wrong detections, and for `missed` true boxes.
        ap50_gain: By how much the AP50 would change if this kind alone were put right.
        outcomes: What became of each true box, in the dataset's order: `found`, or the kind of the best-scored wrong
            detection that would have found it, or `missed`.
    """

    ap50: float
    right: int
    counts: Mapping[ErrorKind, int]
    ap50_gain: Mapping[ErrorKind, float]
    outcomes: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("counts", "ap50_gain"):
            values = getattr(self, name)
            if tuple(values) != ERROR_KINDS:
                raise OddemoError(
                    f"{name} lacks a kind of error.", expected=", ".join(ERROR_KINDS), found=", ".join(values)
                )
            object.__setattr__(self, name, MappingProxyType(dict(values)))

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and effects as JSON values, without the single true boxes."""
        kinds: dict[str, Any] = {"counts": dict(self.counts), "ap50_gain": dict(self.ap50_gain)}
        return {"ap50": self.ap50, "right": self.right, **kinds}


@dataclass(frozen=True)
class ErrorChange:
    """One line of the comparison of two detectors.

    Attributes:
        kind: The kind of mistake.
        reference: How many the reference makes.
        candidate: How many the candidate makes.
        reference_ap50_gain: What putting them right would change in the reference's AP50.
        candidate_ap50_gain: The same for the candidate.
        truths_lost: True boxes that the reference finds and the candidate loses in this way.
        truths_won: True boxes that the reference loses in this way and the candidate finds.
    """

    kind: ErrorKind
    reference: int
    candidate: int
    reference_ap50_gain: float
    candidate_ap50_gain: float
    truths_lost: int
    truths_won: int


@dataclass(frozen=True)
class ErrorComparison:
    """What changed from reference to candidate: the change in AP50, and a line for each kind of mistake."""

    ap50_change: float
    lines: tuple[ErrorChange, ...]

    def __str__(self) -> str:
        head = f"{'mistake':<15}{'reference':>10}{'candidate':>10}{'AP50 if right':>20}{'lost':>6}{'won':>6}"
        rows = [
            f"{line.kind:<15}{line.reference:>10}{line.candidate:>10}"
            f"{line.reference_ap50_gain:>+11.3f} → {line.candidate_ap50_gain:+.3f}"
            f"{line.truths_lost:>6}{line.truths_won:>6}"
            for line in self.lines
        ]
        return "\n".join([head, *rows, f"AP50 changes by {self.ap50_change:+.3f}"])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {"ap50_change": self.ap50_change, "lines": [dict(vars(line)) for line in self.lines]}


def error_profile(dataset: Dataset, detections: Sequence[Detections]) -> ErrorProfile:
    """Sort the mistakes of a detector by kind, and weigh each kind.

    Every detection counts, however low its score, since every one counts in the average precision. For the mistakes
    that a user sees, give `Detections.above` the score from which detections are shown.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set for each picture, in the dataset's order; the 100 best of each class count.

    Raises:
        OddemoError: If there are no pictures or no true boxes, or the detections do not fit or are not finite.
    """
    check_truths(dataset)
    rows = sort_errors(dataset, detections)
    base = _ap50(dataset, rows.as_found())
    counts = {kind: int((rows.kinds == kind).sum()) for kind in ERROR_KINDS}
    counts["missed"] = sum(outcome == "missed" for outcome in rows.outcomes)
    gains = {kind: _ap50(dataset, rows.with_fixed(kind)) - base for kind in ERROR_KINDS}
    return ErrorProfile(base, int(rows.right.sum()), counts, gains, tuple(rows.outcomes))


def describe_change(reference: ErrorProfile, candidate: ErrorProfile) -> ErrorComparison:
    """Set the mistakes of two detectors on the same dataset side by side.

    Raises:
        OddemoError: If the profiles are of different true boxes.
    """
    if len(reference.outcomes) != len(candidate.outcomes):
        raise OddemoError(
            "The two profiles are of different true boxes.",
            expected="profiles of one dataset",
            found=f"{len(reference.outcomes)} and {len(candidate.outcomes)} true boxes",
        )
    moves = Counter(zip(reference.outcomes, candidate.outcomes, strict=True))
    lines = tuple(
        ErrorChange(
            kind=kind,
            reference=reference.counts[kind],
            candidate=candidate.counts[kind],
            reference_ap50_gain=reference.ap50_gain[kind],
            candidate_ap50_gain=candidate.ap50_gain[kind],
            truths_lost=moves["found", kind],
            truths_won=moves[kind, "found"],
        )
        for kind in ERROR_KINDS
    )
    return ErrorComparison(candidate.ap50 - reference.ap50, lines)


def _ap50(dataset: Dataset, rows: ScoredRows) -> float:
    order = np.lexsort((rows.image, -rows.scores, rows.class_ids))
    matches = Matches(
        image_ids=np.arange(len(dataset)),
        class_names=dataset.class_names,
        iou_thresholds=(IOU_RIGHT,),
        image=rows.image[order],
        class_ids=rows.class_ids[order],
        scores=rows.scores[order],
        true_positive=rows.right[None, order],
        ignored=np.zeros((1, len(order)), dtype=bool),
        truth_counts=rows.truth_counts,
    )
    # Where nothing is left to be found, nothing is missing.
    return float(np.nan_to_num(average_precision(matches)[0], nan=1.0))
