"""Harmless marks on metal: oil, dried coolant, dust. They are not labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, blurred
from oddemo.data.scenes.outlines import blob, filled


def add_clutter(
    rng: np.random.Generator, height: Field, colour: NDArray[np.float32], amount: float, scale: float
) -> None:
    """Put marks onto a surface, in place; `amount` in [0, 1]."""
    size_hw = (height.shape[0], height.shape[1])
    for _ in range(int(rng.poisson(3.0 * amount))):
        _stain(rng, size_hw, colour, scale)
    _dust(rng, height, colour, amount, scale)


def _stain(rng: np.random.Generator, size_hw: tuple[int, int], colour: NDArray[np.float32], scale: float) -> None:
    """A film of oil darkens a little; a dried drop leaves a faint rim."""
    radius = rng.uniform(12, 60) * scale
    centre = rng.uniform(0, 1, 2) * [size_hw[1], size_hw[0]]
    cover = filled([centre + radius * blob(rng, aspect=rng.uniform(1, 2), roughness=0.2)], size_hw)
    if rng.random() < 0.5:
        film = blurred(cover, 3 * scale) * np.float32(rng.uniform(0.06, 0.16))
        colour *= 1 - film[..., None]
    else:
        rim = np.abs(blurred(cover, 1.0 * scale) - blurred(cover, 2.6 * scale))
        colour *= 1 + np.float32(rng.uniform(0.2, 0.5)) * rim[..., None]


def _dust(rng: np.random.Generator, height: Field, colour: NDArray[np.float32], amount: float, scale: float) -> None:
    count = int(rng.poisson(60 * amount))
    if not count:
        return
    size_hw = (height.shape[0], height.shape[1])
    places = rng.uniform(0, 1, (count, 2)) * [size_hw[1], size_hw[0]]
    radii = rng.gamma(2.0, 0.28, count) * scale
    corner = np.stack([np.cos(np.arange(6)), np.sin(np.arange(6))], axis=1)
    cover = filled([place + max(radius, 0.3) * corner for place, radius in zip(places, radii, strict=True)], size_hw)
    bright = rng.random() < 0.4
    target = np.float32(0.85 if bright else 0.2)
    colour += (target - colour) * (np.float32(0.55) * cover)[..., None]
    height += np.float32(0.3) * cover
