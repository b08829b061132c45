"""The wood behind the clearing: foliage, sky, trunks, undergrowth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import as_field, blurred, coordinates, fractal_noise
from oddemo.data.scenes.outlines import filled
from oddemo.data.scenes.wild.canvas import Canvas
from oddemo.data.scenes.wild.plants import leaf_clump


def backdrop(rng: np.random.Generator, size_hw: tuple[int, int], scale: float) -> NDArray[np.float32]:
    """Foliage far away: blurred greens with sky shining through."""
    rows, _ = coordinates(size_hw)
    leaves = fractal_noise(rng, size_hw, 60 * scale, octaves=5)
    dark, light = np.array([0.10, 0.145, 0.07]), np.array([0.40, 0.47, 0.23])
    dark, light = dark * rng.uniform(0.8, 1.3), light * rng.uniform(0.8, 1.1)
    share = blurred(np.clip(np.float32(0.42) + np.float32(0.24) * leaves, 0, 1), 1.4 * scale)
    thin = np.float32(rng.uniform(0.5, 1.7)) + rows * np.float32(0.0092 / scale)
    gaps = fractal_noise(rng, size_hw, 26 * scale, octaves=3) - thin
    sky = blurred(np.clip(gaps * np.float32(1.5), 0, 1), 1.9 * scale)
    planes = []
    for channel, bright in enumerate((0.86, 0.90, 0.92)):
        wood = np.float32(dark[channel]) + share * np.float32((light - dark)[channel])
        planes.append(wood + (np.float32(bright) - wood) * sky)
    return as_field(cv2.merge(planes))


def trunks(
    rng: np.random.Generator, canvas: Canvas, horizon: float, scale: float, *, count: int, near: tuple[float, float]
) -> None:
    """Draw tree trunks whose feet lie at some depth on the ground, in place."""
    height, width = canvas.shape[:2]
    bark = cv2.resize(fractal_noise(rng, (max(height // 3, 8), width), 9 * scale, octaves=3), (width, height))
    for depth in np.sort(rng.uniform(near[0], near[1], count)):
        foot = horizon + depth * (height - horizon) + 3
        wide = (rng.uniform(4, 10) + 50 * depth * rng.uniform(0.5, 1.0)) * scale
        x, lean = rng.uniform(0, width), rng.normal(0, 0.03) * height
        tone = rng.uniform(0.7, 1.35)
        left, right = int(max(0, x - wide - abs(lean))), int(min(width, x + wide + abs(lean) + 2))
        end = min(int(foot + 0.1 * wide) + 2, height)
        if left >= right:
            continue
        outline = np.array(
            [
                [-0.62 * wide, foot + 0.1 * wide],
                [-0.5 * wide, foot - wide],
                [-0.38 * wide + lean, -2.0],
                [0.38 * wide + lean, -2.0],
                [0.5 * wide, foot - wide],
                [0.62 * wide, foot + 0.1 * wide],
            ]
        )
        cover = filled([outline + np.array([x - left, 0])], (end, right - left))
        across = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)) / np.float32(0.75 * wide)
        lit = (np.float32(0.55) + np.float32(0.5) * np.clip(1 - across**2, 0.25, 1))[None, :]
        lit = lit * (1 + np.float32(0.28) * bark[:end, left:right])
        base = np.array([0.27, 0.23, 0.18]) * tone + (0.12 if depth < 0.03 else 0.0)
        target = np.empty((*cover.shape, 4), np.float32)
        target[..., :3] = lit[..., None] * (255 * base).astype(np.float32)
        target[..., 3] = 255 * depth
        under = canvas[:end, left:right].astype(np.float32)
        canvas[:end, left:right] = np.clip(under + (target - under) * cover[..., None], 0, 255)


def thicket(rng: np.random.Generator, canvas: Canvas, horizon: float, scale: float) -> None:
    """Undergrowth that hides the line between wood and ground."""
    width = canvas.shape[1]
    for _ in range(int(rng.integers(5, 11))):
        centre = (rng.uniform(0, width), horizon - rng.uniform(-2, 14) * scale)
        leaf_clump(
            rng,
            canvas,
            centre,
            (rng.uniform(16, 46) * scale, rng.uniform(8, 24) * scale),
            leaf_px=2.0 * scale,
            near=0.02,
        )
