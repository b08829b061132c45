"""Non-maximum suppression in NumPy: by its definition, and as tf-models-official really does it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import overlapping_pairs, pairwise_iou

Float = NDArray[np.floating[Any]]

#: tf-models-official works through the boxes in tiles of this size (`ops/nms.py`).
_TILE = 512
#: The number that its loop within a tile compares overlaps with, whatever threshold was asked for.
_FIXED_OVERLAP = 0.5


def suppress(boxes_yxyx: Float, scores: Float, iou_threshold: float, limit: int) -> NDArray[np.int64]:
    """Return the indices that greedy non-maximum suppression keeps, best score first.

    Args:
        boxes_yxyx: (N, 4).
        scores: (N,); equal scores are taken in their order.
        iou_threshold: A box is dropped when it overlaps a kept one by at least this.
        limit: How many are kept at the most.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_boxes, alive = boxes_yxyx[order], np.ones(len(order), dtype=bool)
    kept: list[int] = []
    # Overlaps of kept boxes alone: few are kept, while thousands may be given.
    while len(kept) < limit and alive.any():
        position = int(alive.argmax())
        kept.append(int(order[position]))
        alive[position:] &= (
            pairwise_iou(sorted_boxes[position : position + 1], sorted_boxes[position:])[0] < iou_threshold
        )
        alive[position] = False
    return np.array(kept, dtype=np.int64)


def suppress_softly(
    boxes_yxyx: Float, scores: Float, limit: int, *, sigma: float, score_threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the indices that TensorFlow's soft suppression keeps, and their lowered scores, best first.

    It lowers scores, and drops what falls to the threshold of scores. The overlap from which other kinds of
    suppression drop a box is an argument of `tf.image.non_max_suppression_with_scores` all the same; it has no effect.

    Args:
        boxes_yxyx: (N, 4).
        scores: (N,).
        limit: How many are kept at the most.
        sigma: With an overlap of `iou`, a score is multiplied by exp(-iou**2 / (2 * sigma)).
        score_threshold: Scores that fall to this are dropped.
    """
    import tensorflow as tf

    kept, lowered = tf.image.non_max_suppression_with_scores(
        tf.constant(boxes_yxyx, tf.float32),
        tf.constant(scores, tf.float32),
        limit,
        score_threshold=score_threshold,
        soft_nms_sigma=sigma,
    )
    return kept.numpy().astype(np.int64), lowered.numpy()


def suppress_tfvision_v2(boxes_yxyx: Float, scores: Float, iou_threshold: float, limit: int) -> NDArray[np.int64]:
    """Return the indices that tf-models-official's `nms_version: v2` keeps (`ops/nms.py`, release 2.20.0).

    It departs from the definition in two ways. A box whose coordinates are all 0 is never kept. And within a tile the
    loop that settles which boxes may still suppress others compares with 0.5 instead of the threshold: below 0.5, a box
    that is itself suppressed goes on suppressing others, so fewer boxes survive than greedy suppression would keep.

    Args:
        boxes_yxyx: (N, 4).
        scores: (N,).
        iou_threshold: Overlap from which a box is dropped.
        limit: How many are kept at the most.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = np.asarray(boxes_yxyx, dtype=np.float32)[order]
    kept: list[int] = []
    for start in range(0, len(boxes), _TILE):
        tile = boxes[start : start + _TILE]
        free: NDArray[np.bool_] = np.ones(len(tile), dtype=np.bool_)
        if kept:
            free = np.asarray((pairwise_iou(boxes[kept], tile) < iou_threshold).all(axis=0))
        tile = tile * free[:, None]
        alive = ~_suppressed_in_tile(tile, iou_threshold) & (tile > 0).any(axis=1)
        kept += (start + np.flatnonzero(alive)).tolist()
        if len(kept) >= limit:
            break
    return order[np.array(kept[:limit], dtype=np.int64)]


def _suppressed_in_tile(tile: Float, iou_threshold: float) -> NDArray[np.bool_]:
    # Of all pairs of boxes few overlap that much, so only these are carried through the loop, by the later box.
    later, earlier, current = overlapping_pairs(tile, iou_threshold)
    if not len(later):
        return np.zeros(len(tile), dtype=np.bool_)
    starts = np.flatnonzero(np.diff(later, prepend=-1))
    rows = later[starts]

    def largest(overlaps: Float) -> Float:
        """Return each box's largest overlap with an earlier one, 0 where there is none."""
        result = np.zeros(len(tile), dtype=overlaps.dtype)
        result[rows] = np.maximum.reduceat(overlaps, starts)
        return result

    while True:
        may_suppress = largest(current) <= _FIXED_OVERLAP
        stays = largest(may_suppress[earlier] * current) <= _FIXED_OVERLAP
        following = stays[earlier] * current
        if current.sum() - following.sum() <= _FIXED_OVERLAP:
            return np.asarray(largest(following) > 0)
        current = following
