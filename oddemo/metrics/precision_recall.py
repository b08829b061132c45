"""The curve whose area is the average precision of one class at one overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.errors import OddemoError
from oddemo.metrics.match_records import Matches

#: COCO reads the curve at these recalls and takes the mean.
RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """What a detector achieves as its detections are taken one by one, best score first.

    Attributes:
        recall: (N,) float64, rising: part of the true boxes found so far.
        precision: (N,) float64: part of the detections so far that are right.
        scores: (N,) float64, falling: the score of the detection just taken.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def envelope(self) -> NDArray[np.float64]:
        """(N,) best precision at this recall or any higher one: the curve without its dents, as COCO uses it."""
        best: NDArray[np.float64] = np.maximum.accumulate(self.precision[::-1])[::-1]
        return best

    @property
    def average_precision(self) -> float:
        """The mean of the envelope at the 101 recalls; 0 beyond the highest recall reached."""
        reached = np.searchsorted(self.recall, RECALL_POINTS, side="left")
        return float(np.append(self.envelope, 0.0)[reached].mean())


def precision_recall(matches: Matches, class_id: int, *, metric: str = "ap50") -> PrecisionRecall:
    """Return the curve of one class.

    Args:
        matches: The matched detections of some pictures.
        class_id: From 1.
        metric: "ap50" or "ap75": the overlap from which a detection is right.

    Raises:
        OddemoError: If there is no such class, it has no true box, or the metric needs several curves.
    """
    if not 1 <= class_id <= len(matches.class_names):
        raise OddemoError(
            "There is no such class.", expected=f"class ids 1 to {len(matches.class_names)}", found=str(class_id)
        )
    truths = int(matches.truth_counts[:, class_id - 1].sum())
    rows = matches.threshold_indices(metric)
    if not truths or len(rows) != 1:
        raise OddemoError(
            f"There is no single curve of {matches.class_names[class_id - 1]} for {metric}.",
            expected="ap50 or ap75, and a class with true boxes",
            found=f"{len(rows)} IoU thresholds, {truths} true boxes",
        )
    counts = (matches.class_ids == class_id) & ~matches.ignored[rows[0]]
    right = np.cumsum(matches.true_positive[rows[0], counts])
    taken = np.arange(1, len(right) + 1)
    return PrecisionRecall(right / truths, right / taken, matches.scores[counts])
