"""The lamps of the inspection station, and how relief shows under them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, coordinates


def light_field(
    rng: np.random.Generator, lighting: str, size_hw: tuple[int, int]
) -> tuple[NDArray[np.float32], tuple[float, float] | None, float]:
    """Return what falls on the surface.

    Args:
        rng: Where chance comes from.
        lighting: `ring`, `side` or `spot`.
        size_hw: Height and width in pixels.

    Returns:
        (h, w, 3) float32 light, the direction (dy, dx) it comes from (None: from all around), and how strongly
        relief shows.
    """
    height, width = size_hw
    rows, columns = coordinates(size_hw)
    y, x = rows / height - np.float32(0.5), columns / width - np.float32(0.5)
    centre_y, centre_x = rng.uniform(-0.12, 0.12, 2)
    angle = rng.uniform(0, 2 * np.pi)
    direction: tuple[float, float] | None = (float(np.sin(angle)), float(np.cos(angle)))
    if lighting == "ring":
        radius = np.sqrt((y - centre_y) ** 2 + (x - centre_x) ** 2 * 1.5)
        level = 0.92 + 0.22 * np.exp(-(((radius - rng.uniform(0.22, 0.4)) / 0.16) ** 2)) - 0.25 * radius
        direction, contrast = None, 0.5
    elif lighting == "side":
        slope = y * np.float32(np.sin(angle)) + x * np.float32(np.cos(angle))
        level = 0.86 + rng.uniform(0.45, 0.8) * slope
        contrast = 0.75
    else:
        spread = rng.uniform(0.28, 0.42)
        level = 0.42 + 0.85 * np.exp(-((y - 1.6 * centre_y) ** 2 * 0.75 + (x - 1.6 * centre_x) ** 2) / (2 * spread**2))
        contrast = 0.6
    warmth = rng.normal(0, 0.035)
    tint = np.array([1 + warmth, 1 + 0.3 * rng.normal(0, 0.02), 1 - warmth], np.float32)
    exposure = np.float32(rng.uniform(0.82, 1.12))
    light = (np.clip(level, 0.15, 1.5).astype(np.float32) * exposure)[..., None] * tint
    return light, direction, contrast


def lit(
    colour: NDArray[np.float32],
    height: Field,
    light: NDArray[np.float32],
    direction: tuple[float, float] | None,
    contrast: float,
) -> NDArray[np.float32]:
    """Return the (h, w, 3) light that a surface of this colour and relief sends back to the camera."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    if direction is None:
        # Light from all around: every slope sends some of it away from the camera.
        steep = slope_x**2 + slope_y**2
        shade = 1 - contrast * np.minimum(np.sqrt(steep), 1.5) + 0.3 * np.minimum(steep, 0.2)
    else:
        facing = slope_y * direction[0] + slope_x * direction[1]
        shade = 1 + contrast * np.clip(facing, -1.1, 1.4)
    reflected = colour * light * np.clip(shade, 0.15, 2.2)[..., None]
    return np.asarray(reflected, dtype=np.float32)
