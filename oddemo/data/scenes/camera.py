"""What a camera does to light: vignette, defocus, exposure, noise, eight bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, blurred, coordinates


def vignette(size_hw: tuple[int, int], strength: float, centre_yx: tuple[float, float] = (0.5, 0.5)) -> Field:
    """Return the (h, w) factor of a lens that darkens its corners by about `strength`."""
    height, width = size_hw
    rows, columns = coordinates(size_hw)
    radius = ((rows / height - centre_yx[0]) ** 2 + (columns / width - centre_yx[1]) ** 2) * np.float32(2.0)
    return np.clip(1 - np.float32(strength) * radius, 0, 1)


def expose(
    light_rgb: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    blur_px: float,
    noise: float,
    grey: bool = False,
) -> NDArray[np.uint8]:
    """Turn (h, w, 3) light in [0, 1] into the 8-bit picture of a real sensor.

    Args:
        light_rgb: What falls on the lens, already in display brightness.
        rng: Where the noise comes from.
        blur_px: Standard deviation of the defocus.
        noise: Standard deviation of the noise at full brightness, units of full scale; shadows have more.
        grey: Whether all three channels share one noise (an infrared picture).

    Returns:
        (h, w, 3) uint8.
    """
    # In place throughout: this runs over every pixel of every picture.
    seen = np.array(blurred(light_rgb, blur_px), dtype=np.float32)
    np.maximum(seen, 0, out=seen)
    grain = rng.standard_normal((*seen.shape[:2], 1 if grey else 3), dtype=np.float32)
    # Neighbouring pixels share some of their noise, as after the interpolation of a colour sensor.
    soft = blurred(grain, 0.5).reshape(grain.shape)
    level = np.minimum(seen, 1)
    level *= np.float32(-1.26 * noise)
    level += np.float32(2.24 * noise)
    level *= soft
    seen += level
    np.clip(seen, 0, 4, out=seen)
    # A soft shoulder instead of hard clipping of highlights.
    bright = seen > np.float32(0.8)
    tops = seen[bright]
    excess = tops - np.float32(0.8)
    seen[bright] = (tops - excess) + excess / (1 + excess * np.float32(1 / 0.22))
    seen *= np.float32(255)
    seen += np.float32(0.5)
    return np.minimum(seen, 255, out=seen).astype(np.uint8)
