"""Random fields: the noise that surfaces, foliage and fur are made of."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def as_field(values: NDArray[Any]) -> Field:
    """Return the values as float32, copied only where they are not."""
    return np.asarray(values, dtype=np.float32)


def fractal_noise(rng: np.random.Generator, size_hw: tuple[int, int], cell_px: float, *, octaves: int = 4) -> Field:
    """Return (h, w) float32 noise, mean 0 and deviation about 1, whose largest features are `cell_px` across."""
    height, width = size_hw
    total: Field = np.zeros((2, 2), np.float32)
    power = 0.0
    for octave in range(octaves):
        cell = max(cell_px / 2**octave, 1.0)
        grid_hw = (max(2, round(height / cell) + 1), max(2, round(width / cell) + 1))
        weight = np.float32(0.6**octave)
        grid = rng.standard_normal(grid_hw, dtype=np.float32)
        # Coarse octaves are enlarged step by step: most of the work happens on small grids.
        total = as_field(cv2.resize(total, grid_hw[::-1], interpolation=cv2.INTER_LINEAR) + weight * grid)
        power += float(0.7 * weight) ** 2
        if cell <= 1.0:
            break
    field = cv2.resize(total, (width, height), interpolation=cv2.INTER_CUBIC) / np.float32(np.sqrt(power))
    return as_field(field)


def streaks(
    rng: np.random.Generator, size_hw: tuple[int, int], *, along_px: float, across_px: float, angle: float
) -> Field:
    """Return (h, w) float32 noise, drawn out to `along_px` in the direction `angle` (radians from the x axis)."""
    height, width = size_hw
    side = int(np.ceil(np.hypot(height, width))) + 4
    grid_hw = (max(2, round(side / across_px)), max(2, round(side / along_px) + 1))
    grid = rng.standard_normal(grid_hw, dtype=np.float32)
    if abs(np.sin(angle)) < 0.01:
        return as_field(cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR)[:height, :width])
    scale_x, scale_y = grid_hw[1] / side, grid_hw[0] / side
    cos, sin = np.cos(angle), np.sin(angle)
    middle = np.array([width / 2, height / 2])
    turn = np.array([[cos * scale_x, sin * scale_x], [-sin * scale_y, cos * scale_y]])
    shift = np.array([grid_hw[1] / 2, grid_hw[0] / 2]) - turn @ middle
    matrix = np.hstack([turn, shift[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return as_field(cv2.warpAffine(grid, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT))


def blurred(field: NDArray[Any], sigma_px: float) -> NDArray[Any]:
    """Return the field after a Gaussian of this deviation; unchanged below 0.05 pixels."""
    if sigma_px < 0.05:
        return field
    return cv2.GaussianBlur(field, (0, 0), sigmaX=sigma_px, borderType=cv2.BORDER_REFLECT)


def coordinates(size_hw: tuple[int, int]) -> tuple[Field, Field]:
    """Return broadcastable (h, 1) and (1, w) float32 coordinates of the pixel centres, in pixels."""
    height, width = size_hw
    rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    return rows, np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
