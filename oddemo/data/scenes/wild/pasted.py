"""Putting an animal into the picture: itself, its shadow, its eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.wild.canvas import Canvas
from oddemo.data.scenes.wild.coats import Animal


def paste(canvas: Canvas, animal: Animal, top: int, left: int, near: float) -> NDArray[np.bool_]:
    """Put an animal into the picture, in place, and return the (h, w) mask of where it shows."""
    outer, inner = _windows(animal, top, left, (canvas.shape[0], canvas.shape[1]))
    opacity = animal.opacity[inner][..., None]
    under = canvas[outer].astype(np.float32)
    over = np.concatenate(
        [255 * animal.colour[inner], np.full((*opacity.shape[:2], 1), 255 * near, np.float32)], axis=2
    )
    canvas[outer] = np.clip(under + (over - under) * opacity, 0, 255).astype(np.uint8)
    mask = np.zeros(canvas.shape[:2], bool)
    mask[outer] = animal.opacity[inner] > 0.5
    return mask


def _windows(
    animal: Animal, top: int, left: int, size_hw: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    rows = slice(max(top, 0), min(top + animal.opacity.shape[0], size_hw[0]))
    columns = slice(max(left, 0), min(left + animal.opacity.shape[1], size_hw[1]))
    inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return (rows, columns), inner


def draw_shadow(canvas: Canvas, animal: Animal, foot: float, left: int) -> None:
    """Darken the ground below an animal, in place."""
    height, width = canvas.shape[:2]
    columns = np.flatnonzero((animal.opacity > 0.5).any(axis=0))
    middle, half = left + (columns[0] + columns[-1]) / 2, 0.42 * (columns[-1] - columns[0])
    deep = 0.12 * animal.pixels_per_unit + 1.5
    top, bottom = int(max(0, foot - 4 * deep)), int(min(height, foot + 4 * deep + 1))
    if top >= bottom:
        return
    y = (np.arange(top, bottom, dtype=np.float32)[:, None] - foot) / deep
    x = (np.arange(width, dtype=np.float32)[None, :] - middle) / half
    dark = 0.5 * np.exp(-(y**2) - x**4)
    canvas[top:bottom, :, :3] = (canvas[top:bottom, :, :3] * (1 - dark[..., None])).astype(np.uint8)


def draw_eyes(light: NDArray[np.float32], eyes: list[tuple[float, float, float]], lighting: str) -> None:
    """Dark eyes by day; at night they throw the flash back."""
    for y, x, unit in eyes:
        radius = max(0.022 * unit, 0.55) * (1.25 if lighting == "night" else 1.0)
        rows = slice(max(int(y - 3 * radius - 1), 0), int(y + 3 * radius + 2))
        columns = slice(max(int(x - 3 * radius - 1), 0), int(x + 3 * radius + 2))
        window = light[rows, columns]
        if not window.size:
            continue
        dy = np.arange(rows.start, rows.start + window.shape[0])[:, None] + 0.5 - y
        dx = np.arange(columns.start, columns.start + window.shape[1])[None, :] + 0.5 - x
        spot = np.exp(-(((dy**2 + dx**2) / radius**2) ** 1.5)).astype(np.float32)[..., None]
        window += (np.float32(1.2 if lighting == "night" else 0.02) - window) * spot
