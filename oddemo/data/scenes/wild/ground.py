"""The forest floor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import coordinates, fractal_noise
from oddemo.data.scenes.outlines import fixed_point
from oddemo.data.scenes.wild.canvas import Canvas
from oddemo.data.scenes.wild.plants import grass

_SEAMLESS = cv2.BORDER_REFLECT_101


GROUNDS = ("grass", "leaves", "earth")


_GROUND_COLOURS = {
    "grass": ((0.20, 0.25, 0.11), (0.42, 0.44, 0.23)),
    "leaves": ((0.20, 0.16, 0.12), (0.47, 0.38, 0.28)),
    "earth": ((0.31, 0.27, 0.22), (0.50, 0.455, 0.385)),
}


def lay_ground(rng: np.random.Generator, canvas: Canvas, horizon: float, ground: str, scale: float) -> None:
    """Cover everything below the horizon with ground that grows finer with distance."""
    height, width = canvas.shape[:2]
    edge = horizon + 4 * scale * fractal_noise(rng, (1, width), 40 * scale, octaves=3)[0]
    first = max(int(edge.min()) - 1, 0)
    rows, columns = coordinates((height, width))
    rows = rows[first:]
    near = np.clip((rows - np.float32(horizon)) / np.float32(height - horizon), 0.004, 1)
    spread = np.float32(0.25) + np.float32(0.75) * near
    side = 256
    u = (columns - np.float32(width / 2)) / spread * np.float32(0.55 / scale) + np.float32(side / 2)
    v = np.ascontiguousarray(np.broadcast_to(np.float32(360.0) * near / spread, u.shape))
    broad, fine = (
        cv2.remap(fractal_noise(rng, (side, side), cell, octaves=octaves), u, v, cv2.INTER_LINEAR, None, _SEAMLESS)
        for cell, octaves in ((70, 5), (5, 3))
    )
    share = np.clip(np.float32(0.45) + np.float32(0.22) * broad + fine * np.clip(near * 0.8, 0.05, 0.2), 0, 1.15)
    dark, light = (np.array(colour) for colour in _GROUND_COLOURS[ground])
    tone = 255 * rng.uniform(0.85, 1.15)
    cover = np.clip((rows - edge[None, :]) / np.float32(2.5 * scale), 0, 1).astype(np.float32)
    part = canvas[first:]
    for channel in range(3):
        soil = np.float32(tone * dark[channel]) + share * np.float32(tone * (light - dark)[channel])
        # A negative step wraps around twice, once here and once in the sum, and so arrives.
        part[..., channel] += ((soil - part[..., channel]) * cover).astype(np.int16).astype(np.uint8)
    part[..., 3] = np.where(cover > 0.5, 255 * near, part[..., 3])


def strew(rng: np.random.Generator, canvas: Canvas, horizon: float, ground: str, scale: float) -> None:
    """Let blades and fallen leaves lie all over the ground, smaller with distance."""
    height, width = canvas.shape[:2]
    bands = 9
    for band in range(bands):
        near = (band + 0.5) / bands
        size = (0.25 + 0.75 * near) * scale
        low, high = (horizon + (height - horizon) * step / bands for step in (band, band + 1))
        if ground != "earth":
            count = int({"grass": 46, "leaves": 14}[ground] * (1.3 - 0.7 * near))
            roots = np.stack([rng.uniform(0, width, count), rng.uniform(low, high, count)], axis=1)
            grass(rng, canvas, roots, size * rng.gamma(5.0, 1.6, count), near=near, ground=ground, shade=0.8)
        if ground != "grass":
            count = int({"leaves": 44, "earth": 12}[ground] * (1.3 - 0.7 * near))
            places = np.stack([rng.uniform(0, width, count), rng.uniform(low, high, count)], axis=1)
            _fallen(rng, canvas, places, 3.6 * size, near, pale=ground == "earth")


def _fallen(
    rng: np.random.Generator, canvas: Canvas, places: NDArray[np.float64], size_px: float, near: float, *, pale: bool
) -> None:
    angles, sizes = rng.uniform((0, 0.4), (np.pi, 1.2), (len(places), 2)).T
    cos, sin = np.cos(angles), np.sin(angles)
    lying = np.stack([np.stack([cos, 0.5 * sin], -1), np.stack([-sin, 0.5 * cos], -1)], -2)
    leaf = np.array([[-1, 0], [-0.2, -0.5], [1, 0.1], [0.1, 0.6]])
    outlines = fixed_point(places[:, None] + size_px * sizes[:, None, None] * (leaf @ lying))
    for group in range(4):
        tone = np.array([0.50, 0.47, 0.43]) if pale else np.array([0.50, 0.36, 0.22]) + rng.normal(0, 0.035, 3)
        tone = 255 * np.clip(tone * (0.5, 0.72, 0.9, 1.1)[group], 0, 1)
        cv2.fillPoly(canvas, list(outlines[group::4]), (*tone.tolist(), 255 * near), cv2.LINE_AA, 4)
