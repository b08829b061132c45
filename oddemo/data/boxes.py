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
    top_left = np.maximum(first_yxyx[:, None, :2], second_yxyx[None, :, :2])
    bottom_right = np.minimum(first_yxyx[:, None, 2:], second_yxyx[None, :, 2:])
    sides = np.clip(bottom_right - top_left, 0, None)
    intersection = sides[..., 0] * sides[..., 1]
    union = box_areas(first_yxyx)[:, None] + box_areas(second_yxyx)[None, :] - intersection
    iou: FloatArray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return iou
