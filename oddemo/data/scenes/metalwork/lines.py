"""Defects that are lines: scratch and crack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import as_field, blurred, fractal_noise
from oddemo.data.scenes.metalwork.defect import MARGIN_PX, Defect
from oddemo.data.scenes.outlines import Outline, filled, fitted, stroke, turned


def draw_scratch(rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw one to three bright, nearly straight furrows."""
    angle = rng.uniform(0, np.pi)
    share = np.linspace(0, 1, 33)
    bow = rng.normal(0, 0.04)
    outlines: list[Outline] = []
    strands = int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))
    for strand in range(strands):
        start, end = (0.0, 1.0) if strand == 0 else sorted(rng.uniform(0, 1, 2) * [0.5, 0.5] + [0, 0.5])
        part = start + (end - start) * share
        offset = 0 if strand == 0 else rng.uniform(3.0, 5.5) * scale * rng.choice([-1, 1]) / length_px
        path = np.stack([part, bow * 4 * part * (1 - part) + offset + 0.002 * rng.normal(size=33)], axis=1)
        width = rng.uniform(1.5, 2.9) * scale * (1.0 if strand == 0 else 0.7) / length_px
        taper = np.clip(np.minimum(share, 1 - share) * rng.uniform(6, 14), 0.25, 1)
        outlines.append(stroke(turned(path, angle), width * taper))
    outlines, size_hw = fitted(outlines, length_px, MARGIN_PX)
    cover = filled(outlines, size_hw)
    skips = fractal_noise(rng, size_hw, 16 * scale, octaves=4)
    opacity = cover * np.clip(rng.uniform(0.62, 0.9) + 0.2 * skips, 0.25, 1)
    shine = np.array([0.97, 0.985, 1.0], np.float32) * np.float32(rng.uniform(0.9, 1.1))
    colour = np.broadcast_to(shine, (*size_hw, 3)).astype(np.float32)
    height = np.float32(0.9) * blurred(cover, 1.6 * scale) - np.float32(0.9) * blurred(cover, 0.6 * scale)
    return Defect(cover > 0.3, as_field(opacity), colour, False, as_field(height * scale))


def draw_crack(rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw a dark, jagged line with branches."""
    angle = rng.uniform(0, np.pi)
    share = np.linspace(0, 1, 33)
    main = np.stack([share, _wander(rng, 33, 0.22)], axis=1)
    width = rng.uniform(1.8, 2.9) * scale / length_px
    paths = [(main, width * np.clip(1.3 - share, 0.3, 1) * rng.uniform(0.5, 1.45, 33))]
    for _ in range(int(rng.integers(1, 4))):
        root = int(rng.integers(6, 27))
        reach, lean = rng.uniform(0.15, 0.38), rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
        twig = np.stack([share[:17] * 2, _wander(rng, 17, 0.25)], axis=1)
        thin = 0.65 * width * np.clip(1.1 - 2 * share[:17], 0.3, 1) * rng.uniform(0.6, 1.3, 17)
        paths.append((main[root] + reach * turned(twig, lean), thin))
    outlines, size_hw = fitted([stroke(turned(p, angle), w) for p, w in paths], length_px, MARGIN_PX)
    cover = filled(outlines, size_hw)
    dark = np.float32(rng.uniform(0.05, 0.12))
    colour = np.broadcast_to(dark * np.array([1.04, 1.0, 0.96], np.float32), (*size_hw, 3)).astype(np.float32)
    soft = blurred(cover, 1.3 * scale)
    height = -np.float32(1.3 * scale) * soft
    opacity = np.maximum(cover * np.float32(0.93), np.float32(0.35) * soft)
    return Defect(cover > 0.3, opacity, colour, False, height)


def _wander(rng: np.random.Generator, points: int, roughness: float) -> NDArray[np.float64]:
    """Return a 1-D walk from 0 to 0, by midpoint displacement: straight at large, jagged at small scale."""
    walk = np.zeros(points)
    step = (points - 1) // 2
    while step >= 1:
        for start in range(0, points - 1 - step, 2 * step):
            middle = (walk[start] + walk[min(start + 2 * step, points - 1)]) / 2
            walk[start + step] = middle + rng.normal(0, roughness) * (2 * step / points) ** 0.85
        step //= 2
    return walk
