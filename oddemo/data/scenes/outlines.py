"""Outlines as (N, 2) arrays of `x, y` in pixels, and how they are filled with soft edges."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field

Outline = NDArray[np.float64]
_SHIFT = 4


def fixed_point(points_xy: NDArray[Any]) -> NDArray[np.int32]:
    """Return points as the sixteenths of a pixel that `cv2` draws with (`shift=4`)."""
    sixteenths: NDArray[np.int32] = np.round((np.asarray(points_xy) - 0.5) * 2**_SHIFT).astype(np.int32)
    return sixteenths


def filled(outlines: list[Outline], size_hw: tuple[int, int]) -> Field:
    """Return the (h, w) coverage in [0, 1] of the union of some outlines, with anti-aliased edges."""
    canvas = np.zeros(size_hw, np.uint8)
    for outline in outlines:
        cv2.fillPoly(canvas, [fixed_point(outline)], 255, cv2.LINE_AA, _SHIFT)
    return canvas.astype(np.float32) / np.float32(255)


def turned(points_xy: Outline, angle: float) -> Outline:
    """Return the points turned about the origin by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    result: Outline = points_xy @ np.array([[cos, sin], [-sin, cos]])
    return result


def fitted(outlines: list[Outline], length_px: float, margin_px: float) -> tuple[list[Outline], tuple[int, int]]:
    """Scale outlines together until their longer side is `length_px`, and move them `margin_px` into a window.

    Returns:
        The outlines, and the window's height and width in pixels.
    """
    joined = np.concatenate(outlines)
    low, high = joined.min(axis=0), joined.max(axis=0)
    scale = length_px / max(float((high - low).max()), 1e-9)
    width, height = np.ceil((high - low) * scale + 2 * margin_px).astype(int) + 1
    return [(outline - low) * scale + margin_px for outline in outlines], (int(height), int(width))


def stroke(path_xy: Outline, widths: NDArray[Any]) -> Outline:
    """Return the outline of a line through `path_xy` whose full width varies point by point."""
    ahead = np.gradient(path_xy, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    aside = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * (np.asarray(widths)[:, None] / 2)
    return np.concatenate([path_xy + aside, (path_xy - aside)[::-1]])


def blob(
    rng: np.random.Generator, *, aspect: float = 1.0, roughness: float = 0.2, waves: int = 7, corners: int = 48
) -> Outline:
    """Return a closed irregular outline around the origin, of radius about 1 across and `aspect` along x."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    order = np.arange(1, waves + 1)
    strength = rng.normal(0, 1, waves) * roughness / order**0.8
    phase = rng.uniform(0, 2 * np.pi, waves)
    radius = np.exp((strength[:, None] * np.cos(order[:, None] * angles + phase[:, None])).sum(axis=0))
    return np.stack([aspect * radius * np.cos(angles), radius * np.sin(angles)], axis=1)
