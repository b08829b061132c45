"""Defects that are areas: pit, inclusion and patch."""

from __future__ import annotations

import cv2
import numpy as np

from oddemo.data.scenes.fields import blurred, fractal_noise
from oddemo.data.scenes.metalwork.defect import MARGIN_PX, Defect, eroded
from oddemo.data.scenes.outlines import Outline, blob, filled, fitted, turned


def draw_pit(rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw a group of craters of neutral grey, grown together: corrosion."""
    count = 1 + int(rng.poisson((length_px / (22 * scale)) ** 1.25))
    craters: list[Outline] = []
    centres = np.zeros((0, 2))
    radii = np.zeros(0)
    for _ in range(count):
        radius = float(rng.uniform(0.5, 1.25))
        centre = np.zeros(2)
        if len(centres):
            # Beside one that is already there: corrosion spreads from pit to pit.
            near = int(rng.integers(len(centres)))
            way = rng.uniform(0, 2 * np.pi)
            reach = (radii[near] + radius) * rng.uniform(0.75, 1.25)
            centre = centres[near] + reach * np.array([np.cos(way), np.sin(way)])
        centres, radii = np.vstack([centres, centre]), np.append(radii, radius)
        craters.append(centre + radius * blob(rng, aspect=rng.uniform(0.9, 1.25), roughness=0.13, corners=28))
    craters, size_hw = fitted(craters, length_px, MARGIN_PX)
    grain = fractal_noise(rng, size_hw, 7 * scale, octaves=3)
    cover = eroded(filled(craters, size_hw), grain, 0.9 * scale)
    inside = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32)
    reach = max(float(inside.max()), 1.5)
    bowl = blurred(1 - (1 - np.clip(inside / reach, 0, 1)) ** 2, 0.7 * scale)
    grey = np.clip(0.36 - 0.10 * bowl + 0.035 * grain, 0.06, 0.6) * rng.uniform(0.8, 1.1)
    rim = np.clip(blurred(cover, 1.8 * scale) * (cover <= 0.1) * 2.2, 0, 1) * 0.16
    colour = np.where(cover > 0.1, grey, np.float32(0.85))[..., None] * np.ones(3, np.float32)
    height = -np.float32(0.85 * reach) * bowl + np.float32(0.35 * scale) * grain * cover
    opacity = np.maximum(cover * np.float32(0.9), rim)
    return Defect(cover > 0.5, opacity.astype(np.float32), colour.astype(np.float32), False, height.astype(np.float32))


def draw_inclusion(rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw ragged rust-brown matter with a stain around it."""
    angle = rng.uniform(0, np.pi)
    outlines = [turned(blob(rng, aspect=rng.uniform(1.0, 2.4), roughness=0.28, waves=10), angle)]
    for _ in range(int(rng.integers(0, 4))):
        shift = rng.normal(0, 0.8, 2) * [1.3, 0.7]
        outlines.append(turned(0.3 * blob(rng, aspect=rng.uniform(1, 2), roughness=0.3) + shift, angle))
    outlines, size_hw = fitted(outlines, length_px, MARGIN_PX)
    cover = filled(outlines, size_hw)
    mottle = fractal_noise(rng, size_hw, 14 * scale, octaves=5)
    fleck = fractal_noise(rng, size_hw, 5 * scale, octaves=3)
    cover = eroded(cover, 1.3 * fleck, 2.0 * scale)
    share = np.clip(0.45 + 0.24 * mottle + 0.12 * fleck, 0, 1)
    tones = np.array([[0.15, 0.085, 0.05], [0.36, 0.19, 0.085], [0.52, 0.30, 0.14], [0.66, 0.44, 0.24]])
    colour = np.stack([np.interp(share, [0.0, 0.35, 0.7, 1.0], tones[:, channel]) for channel in range(3)], axis=-1)
    colour *= rng.uniform(0.85, 1.15)
    stain = blurred(cover, 4 * scale) * np.clip(0.5 + 0.25 * mottle, 0, 1)
    opacity = np.maximum(cover * np.clip(0.88 + 0.1 * fleck, 0.6, 1), np.float32(0.75) * stain)
    height = np.float32(0.7 * scale) * (blurred(cover, 1.2 * scale) + np.float32(0.45) * cover * fleck)
    return Defect(cover > 0.5, opacity.astype(np.float32), colour.astype(np.float32), False, height)


def draw_patch(rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw a heat tint: a film that colours the metal straw, purple and mostly blue."""
    outline = turned(blob(rng, aspect=rng.uniform(1.0, 2.0), roughness=0.2, waves=6), rng.uniform(0, np.pi))
    outlines, size_hw = fitted([outline], length_px, MARGIN_PX + 0.15 * length_px)
    wave = fractal_noise(rng, size_hw, 0.45 * length_px, octaves=4)
    cover = filled(outlines, size_hw)
    film = np.clip(blurred(cover, 0.10 * length_px) * 1.5 - 0.40 + 0.22 * wave * blurred(cover, 3 * scale), 0, 1)
    # Oxide grows thicker inwards and changes colour with it: straw, purple, deep blue, light blue.
    stops = np.array([0.0, 0.10, 0.26, 0.45, 0.72, 1.0])
    colours = np.array(
        [[1, 1, 1], [1.0, 0.90, 0.70], [0.74, 0.56, 0.66], [0.40, 0.46, 0.84], [0.40, 0.60, 0.98], [0.58, 0.80, 1.06]]
    )
    colour = np.stack([np.interp(film, stops, colours[:, channel]) for channel in range(3)], axis=-1)
    opacity = np.clip(film * 12, 0, 1) * np.float32(rng.uniform(0.55, 0.85))
    return Defect(
        film > 0.06, opacity.astype(np.float32), colour.astype(np.float32), True, np.zeros(size_hw, np.float32)
    )
