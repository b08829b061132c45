"""Where the camera trap hangs: a clearing at the edge of a wood, drawn without any light yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddemo.data.scenes.fields import blurred
from oddemo.data.scenes.wild.canvas import Canvas
from oddemo.data.scenes.wild.ground import GROUNDS, lay_ground, strew
from oddemo.data.scenes.wild.wood import backdrop, thicket, trunks


@dataclass(frozen=True, eq=False)
class Habitat:
    """A place without animals.

    Attributes:
        canvas: (h, w, 4) uint8, see `oddemo.data.scenes.wild.canvas`.
        horizon_y: Row at which the ground ends.
        ground: One of `GROUNDS`.
    """

    canvas: Canvas
    horizon_y: float
    ground: str


def empty_habitat(rng: np.random.Generator, size_hw: tuple[int, int], scale: float) -> Habitat:
    """Return a random clearing at the edge of a wood."""
    height, width = size_hw
    horizon = float(rng.uniform(0.24, 0.40)) * height
    ground = GROUNDS[int(rng.integers(len(GROUNDS)))]
    canvas = np.zeros((height, width, 4), np.uint8)
    above = min(int(horizon + 16 * scale), height)
    canvas[:above, :, :3] = np.clip(backdrop(rng, (above, width), scale) * 255, 0, 255)
    trunks(rng, canvas, horizon, scale, count=int(rng.integers(6, 15)), near=(0.0, 0.03))
    thicket(rng, canvas, horizon, scale)
    canvas[: above + 4] = blurred(canvas[: above + 4], 1.2 * scale)
    lay_ground(rng, canvas, horizon, ground, scale)
    trunks(rng, canvas, horizon, scale, count=int(rng.integers(1, 4)), near=(0.03, 0.2))
    strew(rng, canvas, horizon, ground, scale)
    return Habitat(canvas, horizon, ground)
