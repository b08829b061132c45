"""The five defects of the inspection world, each drawn in a window of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oddemo.data.scenes.metalwork.areas import draw_inclusion, draw_patch, draw_pit
from oddemo.data.scenes.metalwork.defect import Defect
from oddemo.data.scenes.metalwork.lines import draw_crack, draw_scratch

_DRAWERS: dict[str, Callable[[np.random.Generator, float, float], Defect]] = {
    "scratch": draw_scratch,
    "pit": draw_pit,
    "inclusion": draw_inclusion,
    "crack": draw_crack,
    "patch": draw_patch,
}


def draw_defect(name: str, rng: np.random.Generator, length_px: float, scale: float) -> Defect:
    """Draw a defect whose longer side is about `length_px`; `scale` is 1 for a picture 320 wide."""
    return _DRAWERS[name](rng, length_px, scale)
