"""Vegetation in front of animals: grass at their feet, bushes that hide a part, a blurred twig before the lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import blurred
from oddemo.data.scenes.placing import tight_box
from oddemo.data.scenes.wild.canvas import Canvas
from oddemo.data.scenes.wild.plants import grass, leaf_clump


def plants_before(
    rng: np.random.Generator,
    canvas: Canvas,
    mask: NDArray[np.bool_],
    *,
    foot_y: float,
    near: float,
    ground: str,
    amount: float,
    scale: float,
) -> None:
    """Grow plants just before an animal, in place.

    Args:
        rng: Where chance comes from.
        canvas: The picture so far.
        mask: (h, w) where the animal is.
        foot_y: Row of its feet.
        near: Its nearness.
        ground: Kind of ground.
        amount: 0 to 1; 0 leaves a few blades at the feet.
        scale: 1 for a picture 320 wide.
    """
    box = tight_box(mask)
    if box is None:
        return
    top, left, bottom, right = box
    wide, tall = right - left, bottom - top
    lush = {"grass": 1.0, "leaves": 0.45, "earth": 0.3}[ground]
    count = int(wide * (0.35 + 1.2 * amount) * lush) + 6
    roots = np.stack(
        [
            rng.uniform(left - 0.15 * wide, right + 0.15 * wide, count),
            foot_y + rng.uniform(-0.01, 0.05, count) * tall + 1,
        ],
        axis=1,
    )
    heights = (0.09 + 0.22 * amount * lush) * tall * rng.gamma(4.0, 0.25, count) + 1.5 * scale
    grass(rng, canvas, roots, heights, near=near, ground=ground)
    if rng.random() < 0.9 * amount:
        reach = tall * rng.uniform(0.12, 0.22) * (0.6 + 1.2 * amount)
        centre = (rng.uniform(left, right), bottom - 0.4 * reach)
        leaf_clump(
            rng,
            canvas,
            centre,
            (1.5 * reach, reach),
            leaf_px=min(max(0.03 * tall, 1.6 * scale), 2.6 * scale),
            near=near,
        )


def veil(rng: np.random.Generator, canvas: Canvas, amount: float, scale: float) -> None:
    """Hang out-of-focus leaves into the picture's border, in place."""
    if rng.random() > 0.25 + 0.7 * amount:
        return
    height, width = canvas.shape[:2]
    layer = np.zeros_like(canvas)
    side = rng.integers(3)
    for _ in range(int(rng.integers(2, 6))):
        x = (
            rng.uniform(0, width)
            if side == 2
            else (rng.normal(0, 10) * scale if side == 0 else width + rng.normal(0, 10) * scale)
        )
        y = rng.normal(0, 8) * scale if side == 2 else rng.uniform(0, height)
        radius = rng.uniform(12, 26) * scale * (0.7 + 0.6 * amount)
        leaf_clump(rng, layer, (x, y), (radius, radius), leaf_px=7 * scale, near=0.85)
    box = tight_box(layer[..., 3] > 0)
    if box is None:
        return
    # Nearness doubles as coverage here: 0 where no leaf is.
    reach = int(9 * scale) + 1
    window = (slice(max(box[0] - reach, 0), box[2] + reach), slice(max(box[1] - reach, 0), box[3] + reach))
    soft = blurred(layer[window], 3.0 * scale).astype(np.float32)
    cover = np.clip(soft[..., 3:] / np.float32(0.85 * 255), 0, 1)
    full = np.minimum(soft / np.maximum(cover, np.float32(0.02)), 255)
    under = canvas[window].astype(np.float32)
    canvas[window] = np.clip(under + (full - under) * cover, 0, 255)
