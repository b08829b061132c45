"""What a defect is, before it is put onto a surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, as_field, blurred

MARGIN_PX = 8.0


@dataclass(frozen=True, eq=False)
class Defect:
    """One defect in its window.

    Attributes:
        mask: (h, w) bool, where the defect is to be seen.
        opacity: (h, w) float32 in [0, 1], how far `colour` replaces the metal's own.
        colour: (h, w, 3) float32.
        multiplies: Whether `colour` tints the metal instead of covering it.
        height: (h, w) float32 relief in pixels, added to the metal's.
    """

    mask: NDArray[np.bool_]
    opacity: Field
    colour: NDArray[np.float32]
    multiplies: bool
    height: Field


def eroded(cover: Field, grain: Field, depth_px: float) -> Field:
    """Return the coverage with its border eaten into by noise, about `depth_px` deep."""
    soft = blurred(cover, max(depth_px, 0.5))
    ragged = soft + np.float32(0.14) * grain * (soft > 0.05)
    return as_field(np.clip((ragged - np.float32(0.5)) * 2.6 + np.float32(0.5), 0, 1))
