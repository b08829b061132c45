"""Arithmetic on boxes in the order `y_min, x_min, y_max, x_max`, any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import FloatArray

#: Boxes that are compared with all before them at once; small enough for the numbers to stay near the processor.
_BLOCK = 64
#: By how much of the union the first, cheap look at a pair is more generous than the threshold.
_MARGIN = 1e-3


def box_areas(boxes_yxyx: FloatArray) -> FloatArray:
    """Return the (N,) areas of (N, 4) boxes; a box turned inside out has area 0."""
    sides = np.clip(boxes_yxyx[:, 2:] - boxes_yxyx[:, :2], 0, None)
    areas: FloatArray = sides[:, 0] * sides[:, 1]
    return areas


def pairwise_iou(first_yxyx: FloatArray, second_yxyx: FloatArray) -> FloatArray:
    """Return the (N, M) intersection over union of (N, 4) and (M, 4) boxes; 0 where both areas are 0."""
    # One plane a coordinate: with the coordinates as a last axis of four, the same takes several times as long.
    top, left, bottom, right = (
        choose(first_yxyx[:, None, k], second_yxyx[None, :, k])
        for k, choose in enumerate((np.maximum, np.maximum, np.minimum, np.minimum))
    )
    intersection = np.clip(bottom - top, 0, None) * np.clip(right - left, 0, None)
    union = box_areas(first_yxyx)[:, None] + box_areas(second_yxyx)[None, :] - intersection
    iou: FloatArray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return iou


def overlapping_pairs(
    boxes_yxyx: FloatArray, iou_threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Return the pairs of (N, 4) boxes that overlap by at least this, by the later box, then by the earlier.

    The same pairs and overlaps as `pairwise_iou` gives, without dividing for all of them.

    Returns:
        (P,) place of the later box, (P,) place of the earlier, and (P,) their intersection over union.
    """
    top, left, bottom, right = np.ascontiguousarray(boxes_yxyx.T)
    areas = box_areas(boxes_yxyx)
    found = []
    for start in range(0, max(len(boxes_yxyx), 1), _BLOCK):
        stop = start + _BLOCK
        rows = slice(start, stop), None
        intersection = np.minimum(bottom[rows], bottom[:stop]) - np.maximum(top[rows], top[:stop])
        width = np.minimum(right[rows], right[:stop]) - np.maximum(left[rows], left[:stop])
        # In place: new memory for every step takes longer than the arithmetic.
        np.clip(intersection, 0, None, out=intersection)
        intersection *= np.clip(width, 0, None, out=width)
        union = areas[rows] + areas[:stop]
        union -= intersection
        row, earlier = np.nonzero(intersection >= (iou_threshold - _MARGIN) * union)
        before = earlier < row + start
        row, earlier = row[before], earlier[before]
        found.append((row + start, earlier, intersection[row, earlier], union[row, earlier]))
    later, earlier, shared, whole = (np.concatenate(part) for part in zip(*found, strict=True))
    iou = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    enough = iou >= iou_threshold
    return later[enough], earlier[enough], iou[enough]
