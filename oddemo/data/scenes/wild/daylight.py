"""Light in the wild: day, dusk and the camera trap's infrared flash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, as_field, blurred, coordinates, fractal_noise

Light = NDArray[np.float32]


def wild_light(rng: np.random.Generator, lighting: str, reflectance: Light, near: Field, scale: float) -> Light:
    """Return the (h, w, 3) light that reaches the camera.

    Args:
        rng: Where chance comes from.
        lighting: `day`, `dusk` or `night`.
        reflectance: (h, w, 3) in [0, 1].
        near: (h, w) nearness in [0, 1].
        scale: 1 for a picture 320 wide.
    """
    if lighting == "day":
        return _metered(rng, _day(rng, reflectance, near, scale), 0.37, 0.46)
    if lighting == "dusk":
        return _metered(rng, _dusk(rng, reflectance, near), 0.29, 0.37)
    return _metered(rng, _night(rng, reflectance, near), 0.28, 0.36)


def _metered(rng: np.random.Generator, light: Light, darkest: float, brightest: float) -> Light:
    """Return the light at an exposure that gives a mean between these two, within what the camera can do."""
    gain = np.float32(rng.uniform(darkest, brightest)) / np.maximum(light[::4, ::4].mean(), np.float32(0.01))
    return as_field(light * np.clip(gain, np.float32(0.75), np.float32(2.6)))


def _day(rng: np.random.Generator, reflectance: Light, near: Field, scale: float) -> Light:
    size_hw = (near.shape[0], near.shape[1])
    level = np.float32(rng.uniform(1.0, 1.25))
    grey = reflectance.mean(axis=2, keepdims=True)
    light = (grey + (reflectance - grey) * np.float32(0.86)) * level
    if rng.random() < 0.6:
        # Sun through leaves: warm spots on everything, cool shade between.
        spots = fractal_noise(rng, size_hw, 34 * scale, octaves=4) - np.float32(rng.uniform(0.0, 0.8))
        spots = blurred(np.clip(spots * 1.6, 0, 1), 2.2 * scale)[..., None]
        warm = np.array([1.38, 1.32, 1.16], np.float32)
        cool = np.array([0.86, 0.90, 0.94], np.float32)
        light = light * (cool + (warm - cool) * spots)
    haze = (np.float32(0.10) * (1 - np.clip(near * 3, 0, 1)))[..., None]
    return as_field(light + (np.array([0.70, 0.76, 0.78], np.float32) - light) * haze)


def _dusk(rng: np.random.Generator, reflectance: Light, near: Field) -> Light:
    height = near.shape[0]
    rows, _ = coordinates((near.shape[0], near.shape[1]))
    glow = np.exp(-(((rows / height - 0.2) / 0.35) ** 2)).astype(np.float32)[..., None]
    cool = np.array([0.56, 0.585, 0.68], np.float32) * np.float32(rng.uniform(0.75, 1.05))
    warm = np.array([0.30, 0.16, 0.04], np.float32) * np.float32(rng.uniform(0.2, 1.0))
    grey = reflectance.mean(axis=2, keepdims=True)
    faded = grey + (reflectance - grey) * np.float32(0.8)
    light = faded * (cool + warm * glow)
    haze = (np.float32(0.16) * (1 - np.clip(near * 3, 0, 1)))[..., None]
    return as_field(light + (np.array([0.34, 0.33, 0.38], np.float32) - light) * haze)


def _night(rng: np.random.Generator, reflectance: Light, near: Field) -> Light:
    """Infrared: grey, leaves and fur brighter than to the eye, a flash that fades with distance and to the sides."""
    height, width = near.shape
    rows, columns = coordinates((height, width))
    weights = np.array([0.50, 0.42, 0.08], np.float32)
    grey = np.float32(0.09) + np.float32(0.9) * (reflectance @ weights)
    reach = np.float32(0.62) + np.float32(0.58) * near
    fall = np.minimum(np.float32(rng.uniform(1.4, 1.9)) * reach**2, 1.3)
    beam_y, beam_x = 0.58 + rng.normal(0, 0.04), 0.5 + rng.normal(0, 0.06)
    beam = np.exp(-(((rows / height - beam_y) / 0.75) ** 2) - ((columns / width - beam_x) / 0.68) ** 2)
    glow = grey * fall * beam + np.float32(0.025)
    return np.repeat(np.clip(glow, 0, 1.3)[..., None].astype(np.float32), 3, axis=2)
