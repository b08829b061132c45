"""Grass and leaves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.outlines import blob, fixed_point
from oddemo.data.scenes.wild.canvas import Canvas


def leaf_clump(
    rng: np.random.Generator,
    canvas: Canvas,
    centre_xy: tuple[float, float],
    radius_xy: tuple[float, float],
    *,
    leaf_px: float,
    near: float,
) -> None:
    """Draw a bush of small leaves, darker inside, in place."""
    count = int(np.clip(1.1 * radius_xy[0] * radius_xy[1] / leaf_px**2, 12, 400))
    places = rng.normal(0, 0.45, (count, 2)) * radius_xy + centre_xy
    leaf = blob(rng, aspect=1.8, roughness=0.06, corners=8)
    angles = rng.uniform(0, np.pi, count)
    sizes = leaf_px * rng.uniform(0.6, 1.3, count)
    cos, sin = np.cos(angles), np.sin(angles)
    turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2) * sizes[:, None, None]
    outlines = fixed_point(leaf[None] @ turn + places[:, None])
    green = np.array([0.24, 0.36, 0.12]) * rng.uniform(0.7, 1.25) + np.array([0.08, 0.02, 0]) * rng.random()
    groups = 6
    for group in range(groups):
        tone = 255 * np.clip(green * (0.4 + 0.15 * group), 0, 1)
        cv2.fillPoly(canvas, list(outlines[group::groups]), (*tone.tolist(), 255 * near), cv2.LINE_AA, 4)


def grass(
    rng: np.random.Generator,
    canvas: Canvas,
    roots_xy: NDArray[np.float64],
    heights_px: NDArray[np.float64],
    *,
    near: float,
    ground: str,
    shade: float = 1.0,
) -> None:
    """Draw bent blades growing from roots, in place."""
    count = len(roots_xy)
    if not count:
        return
    share = np.linspace(0, 1, 4)[None, :]
    lean = (rng.normal(0, 0.45, count) * heights_px)[:, None]
    x = roots_xy[:, :1] + lean * share**2
    y = roots_xy[:, 1:] - heights_px[:, None] * share * (1 - 0.18 * np.abs(lean) / heights_px[:, None] * share)
    middle = np.stack([x, y], axis=-1)
    half = np.maximum(0.035 * heights_px, 0.45)[:, None] * (1 - 0.92 * share)
    left, right = middle.copy(), middle[:, ::-1].copy()
    left[..., 0] -= half
    right[..., 0] += half[:, ::-1]
    outlines = fixed_point(np.concatenate([left, right], axis=1))
    green, straw = np.array([0.29, 0.36, 0.16]), np.array([0.55, 0.50, 0.33])
    dryness = {"grass": 0.3, "leaves": 0.6, "earth": 0.7}[ground]
    groups = 5
    for group in range(groups):
        mix = np.clip(dryness + rng.normal(0, 0.3), 0, 1)
        tone = 255 * shade * (green + (straw - green) * mix) * rng.uniform(0.65, 1.1)
        tone = np.clip(tone, 0, 255)
        cv2.fillPoly(canvas, list(outlines[group::groups]), (*tone.tolist(), 255 * near), cv2.LINE_AA, 4)
