"""Arithmetic on boxes in the order `y_min, x_min, y_max, x_max`, any unit."""

from __future__ import annotations

import numpy as np

from oddemo.data.records import FloatArray


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
