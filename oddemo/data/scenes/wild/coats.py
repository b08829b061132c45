"""Coats: fur and the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, as_field, blurred, fractal_noise, streaks
from oddemo.data.scenes.wild.patterns import Colours, pattern
from oddemo.data.scenes.wild.solids import SolidView


@dataclass(frozen=True, eq=False)
class Animal:
    """An animal ready to be put into a picture.

    Attributes:
        colour: (h, w, 3) float32 reflectance with form shading.
        opacity: (h, w) float32 in [0, 1]; hairs make the edge ragged.
        eyes_xy: (K, 2) window pixels.
        ground_y: Window row on which the feet stand.
        pixels_per_unit: Pixels for a shoulder's height.
    """

    colour: Colours
    opacity: Field
    eyes_xy: NDArray[np.float64]
    ground_y: float
    pixels_per_unit: float


#: How deep the hair is (share of a unit), how strongly it shows.
_FUR = {
    "deer": (0.012, 0.10),
    "fox": (0.030, 0.17),
    "boar": (0.030, 0.22),
    "hare": (0.022, 0.15),
    "badger": (0.030, 0.20),
}


def dressed(species: str, view: SolidView, rng: np.random.Generator, *, light_from_left: float) -> Animal:
    """Give a body its coat.

    Args:
        species: Name of the species.
        view: The body as seen, at the resolution to draw in.
        rng: Where chance comes from.
        light_from_left: -1 (light from the right) to 1 (from the left).
    """
    size_hw = (view.mask.shape[0], view.mask.shape[1])
    unit = view.pixels_per_unit
    wobble = fractal_noise(rng, size_hw, 0.12 * unit, octaves=2) * np.float32(0.025)
    colour = pattern(species, view.model_xyz + wobble[..., None], view.tags)
    # Borders between colours are hairs that overlap.
    solid = view.mask.astype(np.float32)
    weight = blurred(solid, 0.018 * unit)[..., None] + np.float32(1e-4)
    colour = as_field(blurred(colour * solid[..., None], 0.018 * unit) / weight)
    depth_hair, strength = _FUR[species]
    slant = float(rng.uniform(-0.5, 0.1))
    hairs = streaks(rng, size_hw, along_px=max(0.13 * unit, 3), across_px=max(0.016 * unit, 1.0), angle=slant)
    clumps = fractal_noise(rng, size_hw, 0.22 * unit, octaves=3)
    shade = _form(view, unit, light_from_left) * (1 + strength * (0.75 * hairs + 0.45 * clumps))
    tone = np.float32(rng.uniform(0.85, 1.12)) * (1 + np.float32(0.04) * rng.standard_normal(3, dtype=np.float32))
    colour = as_field(np.clip(colour * shade[..., None] * tone, 0.015, 1))
    return Animal(colour, _ragged(view.mask, hairs, depth_hair * unit, rng), view.eyes_xy, view.ground_y, unit)


def _form(view: SolidView, unit: float, light_from_left: float) -> Field:
    """Return how bright each point is by the way it faces: sky above, ground below, sun from one side."""
    solid = view.mask.astype(np.float32)
    soft = 0.035 * unit
    weight = blurred(solid, soft) + np.float32(1e-3)
    smooth = blurred(view.depth * solid, soft) / weight
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    steep = np.sqrt(1 + slope_x**2 + slope_y**2)
    up, left = slope_y / steep, slope_x / steep
    towards = 1 / steep
    # Folds between parts lie deeper than their surroundings and get less light.
    fold = np.clip(
        (view.depth - blurred(view.depth * solid, 0.09 * unit) / (blurred(solid, 0.09 * unit) + 1e-3)) / unit,
        -0.25,
        0.1,
    )
    shade = 0.62 + 0.36 * up + 0.16 * light_from_left * left + 0.14 * towards + 1.1 * fold
    low = np.clip(view.model_xyz[..., 1] / 0.5, 0, 1)
    return as_field(np.clip(shade, 0.16, 1.25) * (0.72 + 0.28 * low))


def _ragged(mask: NDArray[np.bool_], hairs: Field, depth_px: float, rng: np.random.Generator) -> Field:
    """Return the opacity of the outline with its edge frayed by about `depth_px`."""
    soft = blurred(mask.astype(np.float32), max(depth_px, 0.6))
    fine = rng.standard_normal(mask.shape, dtype=np.float32)
    edge = soft + np.float32(0.16) * hairs * (soft > 0.02) * (soft < 0.98) + np.float32(0.05) * blurred(fine, 0.7)
    return as_field(np.clip((edge - 0.5) * np.float32(max(1.6 * depth_px, 1.6)) + 0.5, 0, 1) * (soft > 0.08))
