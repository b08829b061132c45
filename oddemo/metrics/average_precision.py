"""Average precision from matches, for many weightings of the pictures at once.

A weighting says how often each picture counts: all ones is the dataset itself, a bootstrap resample is a row of
multiplicities. What makes it fast: the order of the detections never changes, and precision and recall need to be known
only where some threshold has a right detection. There are about as many such places as true boxes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from oddemo.errors import OddemoError
from oddemo.metrics.match_records import Matches

#: COCO reads the precision at these 101 recalls.
RECALL_POINTS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)

#: Weightings at a time, and how many numbers of a block may wait in memory.
_MOST_WEIGHTINGS = 1024
_MOST_NUMBERS = 2**23


def average_precision(
    matches: Matches, image_weights: NDArray[np.integer[Any]] | None = None, *, metric: str = "ap"
) -> NDArray[np.float64]:
    """Return the mean average precision of each weighting, as COCO computes it.

    Args:
        matches: The matched detections of I pictures.
        image_weights: (R, I) whole numbers, how often each picture counts; all once, if not given. A picture that
            counts twice does so as two copies of it would (copies of equal scores stand together).
        metric: "ap", "ap50" or "ap75".

    Returns:
        (R,) float64 from 0 to 1; NaN where no true box is left.
    """
    per_class = class_average_precision(matches, image_weights, metric=metric)
    defined = ~np.isnan(per_class)
    count = defined.sum(axis=1)
    total = np.where(defined, per_class, 0.0).sum(axis=1)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(per_class), np.nan), where=count > 0)
    return mean


def class_average_precision(
    matches: Matches, image_weights: NDArray[np.integer[Any]] | None = None, *, metric: str = "ap"
) -> NDArray[np.float64]:
    """Return the average precision of each weighting and class: (R, K), NaN where a class has no true box left."""
    images = len(matches.image_ids)
    weights = np.ones((1, images), dtype=np.int64) if image_weights is None else np.asarray(image_weights)
    if weights.ndim != 2 or weights.shape[1] != images or not np.issubdtype(weights.dtype, np.integer):
        raise OddemoError(
            "The weights do not fit the pictures.",
            expected=f"whole numbers of shape (resamples, {images})",
            found=f"{weights.dtype} of shape {weights.shape}",
        )
    thresholds = np.array(matches.threshold_indices(metric))
    ends = np.searchsorted(matches.class_ids, np.arange(1, len(matches.class_names) + 2))
    result = np.empty((len(weights), len(matches.class_names)))
    for index in range(len(matches.class_names)):
        rows = slice(int(ends[index]), int(ends[index + 1]))
        right, ignored = matches.true_positive[thresholds, rows], matches.ignored[thresholds, rows]
        truths = weights @ matches.truth_counts[:, index]
        curve = _ClassCurve(matches.image[rows], right, ignored, images)
        for start in range(0, len(weights), curve.block):
            block = slice(start, start + curve.block)
            result[block, index] = curve.area(weights[block].T, truths[block])
    return result


class _ClassCurve:
    """The precision-recall curve of one class: which places matter, and which detections lie between them.

    Args:
        image: (D,) picture of each detection, best score first.
        right: (T, D) bool.
        ignored: (T, D) bool.
        images: How many pictures there are.
    """

    def __init__(
        self, image: NDArray[np.int64], right: NDArray[np.bool_], ignored: NDArray[np.bool_], images: int
    ) -> None:
        places = np.flatnonzero(right.any(axis=0))
        self.image = image[places]
        # Right at a high threshold is nearly always right at the lower ones: what lies above the last is left out.
        self.right = right[:, places]
        self.used = len(right) - np.argmax(self.right[::-1], axis=0) if len(places) else np.zeros(0, dtype=np.int64)
        self.thresholds = len(right)
        segment = np.searchsorted(places, np.arange(len(image)))
        counted = ~ignored if ignored.any() else np.ones((1, len(image)), dtype=bool)
        self.between = []
        for row in counted:
            kept = row & (segment < len(places))
            entries = (np.ones(int(kept.sum())), (segment[kept], image[kept]))
            self.between.append(csr_array(entries, shape=(len(places), images)))
        self.block = int(np.clip(_MOST_NUMBERS // max(1, len(places) * len(self.between)), 16, _MOST_WEIGHTINGS))

    def area(self, weights: NDArray[np.integer[Any]], truths: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return the (R,) mean over thresholds of the area under the curve, for (I, R) weights and (R,) true boxes."""
        # (1 or T, places, R): how many detections stand before each place, itself among them.
        before = np.stack([np.cumsum(segments @ weights.astype(np.float64), axis=0) for segments in self.between])
        before += np.spacing(1)
        before = before.transpose(1, 0, 2)
        reached, start = _recall_points_reached(truths)
        gain = weights[self.image].astype(np.int64)
        # Walk from the worst score to the best. A place that lifts the recall past k recall points adds k times the
        # largest precision from there on.
        hits = np.einsum("tp,pr->tr", self.right.astype(np.int64), gain) + start
        points = reached[hits]
        best = np.zeros((self.thresholds, len(truths)))
        area = np.zeros_like(best)
        for place in range(len(gain) - 1, -1, -1):
            used = int(self.used[place])
            now, largest, now_points = hits[:used], best[:used], points[:used]
            detections = before[place] if len(self.between) == 1 else before[place, :used]
            np.maximum(largest, (now - start) / detections, out=largest)
            np.subtract(now, self.right[:used, place, None] * gain[place], out=now)
            fewer = reached[now]
            now_points -= fewer
            now_points *= largest
            area[:used] += now_points
            now_points[:] = fewer
        return np.where(truths > 0, area.sum(axis=0) / (len(RECALL_POINTS) * self.thresholds), np.nan)


def _recall_points_reached(truths: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return a table and where each weighting starts in it: `table[start + h]` recall points are reached by h hits."""
    different, which = np.unique(truths, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(different + 1)[:-1]]) if len(different) else np.zeros(0, dtype=np.int64)
    table = np.concatenate([_points_reached_by_hits(int(count)) for count in different])
    return table, starts[which]


@cache
def _points_reached_by_hits(truths: int) -> NDArray[np.float64]:
    """Return (truths + 1,) how many recall points 0, 1, … hits reach; none at all reach none, not even recall 0."""
    reached = np.searchsorted(RECALL_POINTS, np.arange(truths + 1) / max(truths, 1), side="right").astype(np.float64)
    reached[0] = 0
    return reached
