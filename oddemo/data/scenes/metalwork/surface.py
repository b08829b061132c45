"""Metal surfaces without defects: what the tool or the mould left behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, as_field, coordinates, fractal_noise, streaks

FINISHES = ("brushed", "ground", "turned", "cast")
#: Base colours: steel, aluminium, nickel, titanium; near to grey, so that colour is left to the defects.
TINTS = ((0.57, 0.585, 0.60), (0.64, 0.645, 0.65), (0.60, 0.595, 0.57), (0.55, 0.545, 0.545))


@dataclass(frozen=True, eq=False)
class Metal:
    """A surface before light falls on it.

    Attributes:
        finish: One of `FINISHES`.
        height: (h, w) float32 relief in pixels, up is positive.
        colour: (h, w, 3) float32 reflectance in [0, 1].
        angle: Direction of the tool's lines, radians from the x axis.
    """

    finish: str
    height: Field
    colour: NDArray[np.float32]
    angle: float


def bare_metal(rng: np.random.Generator, size_hw: tuple[int, int], scale: float) -> Metal:
    """Return a clean surface of a random finish.

    Args:
        rng: Where chance comes from.
        size_hw: Height and width in pixels.
        scale: Size of the texture; 1 suits a picture 320 wide.
    """
    finish = FINISHES[int(rng.integers(len(FINISHES)))]
    angle = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.35, 0.25, 0.4]))
    tone = fractal_noise(rng, size_hw, 110 * scale, octaves=3)
    if finish == "brushed":
        height, tone = _brushed(rng, size_hw, scale, angle, tone)
    elif finish == "ground":
        height, tone = _ground(rng, size_hw, scale, angle, tone)
    elif finish == "turned":
        height, tone = _turned(rng, size_hw, scale, tone)
    else:
        height, tone = _cast(rng, size_hw, scale, tone)
    tint = np.array(TINTS[int(rng.integers(len(TINTS)))], np.float32) * np.float32(rng.uniform(0.85, 1.1))
    colour = np.clip(tint * (1 + tone)[..., None], 0.05, 1)
    return Metal(finish, height.astype(np.float32), colour.astype(np.float32), angle)


def _brushed(
    rng: np.random.Generator, size_hw: tuple[int, int], scale: float, angle: float, tone: Field
) -> tuple[Field, Field]:
    fine = streaks(rng, size_hw, along_px=150 * scale, across_px=1.0, angle=angle)
    coarse = streaks(rng, size_hw, along_px=260 * scale, across_px=3.5 * scale, angle=angle)
    strength = rng.uniform(0.6, 1.2)
    return as_field(0.06 * fine), as_field(0.02 * tone + strength * (0.055 * fine + 0.035 * coarse))


def _ground(
    rng: np.random.Generator, size_hw: tuple[int, int], scale: float, angle: float, tone: Field
) -> tuple[Field, Field]:
    first = streaks(rng, size_hw, along_px=40 * scale, across_px=1.0, angle=angle + 0.06)
    second = streaks(rng, size_hw, along_px=28 * scale, across_px=1.2, angle=angle - 0.08)
    grain = rng.standard_normal(size_hw, dtype=np.float32)
    return 0.05 * first + 0.05 * second, 0.025 * tone + 0.035 * (first + second) + 0.015 * grain


def _turned(rng: np.random.Generator, size_hw: tuple[int, int], scale: float, tone: Field) -> tuple[Field, Field]:
    height, width = size_hw
    rows, columns = coordinates(size_hw)
    direction, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 3.0) * width
    centre_y, centre_x = height / 2 + far * np.sin(direction), width / 2 + far * np.cos(direction)
    radius = np.sqrt((rows - centre_y) ** 2 + (columns - centre_x) ** 2)
    pitch = rng.uniform(3.0, 8.0) * scale
    wave = np.cos(radius * np.float32(2 * np.pi / pitch))
    # Each turn of the tool is a little different: noise along the radius alone.
    bins = rng.standard_normal(int(radius.max() / pitch * 3) + 4).astype(np.float32)
    turns = np.interp(radius.ravel() * (3 / pitch), np.arange(len(bins)), bins).reshape(size_hw).astype(np.float32)
    ridge = wave * np.float32(rng.uniform(0.05, 0.14)) * scale
    return ridge + 0.05 * turns, 0.02 * tone + 0.05 * turns + 0.035 * wave


def _cast(rng: np.random.Generator, size_hw: tuple[int, int], scale: float, tone: Field) -> tuple[Field, Field]:
    bumps = fractal_noise(rng, size_hw, rng.uniform(5, 9) * scale, octaves=3)
    grain = rng.standard_normal(size_hw, dtype=np.float32)
    return as_field(rng.uniform(0.22, 0.4) * bumps), as_field(0.05 * tone - 0.06 + 0.03 * bumps + 0.02 * grain)
