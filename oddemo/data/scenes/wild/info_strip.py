"""The line that a camera trap prints below its pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Height of the strip as a fraction of the picture's height.
STRIP_SHARE = 0.055
HOURS = {"day": (8, 17), "dusk": (18, 21), "night": (22, 28)}


def print_strip(image_rgb: NDArray[np.uint8], rng: np.random.Generator, lighting: str) -> None:
    """Print camera, temperature, date and time onto the lowest rows of an (h, w, 3) uint8 picture, in place."""
    height, width = image_rgb.shape[:2]
    tall = round(STRIP_SHARE * height)
    image_rgb[height - tall :] = (14, 14, 16)
    low, high = HOURS[lighting]
    hour, minute, second = int(rng.integers(low, high + 1)) % 24, int(rng.integers(60)), int(rng.integers(60))
    day, month = int(rng.integers(1, 29)), int(rng.integers(4, 11))
    degrees = int(rng.integers(12, 26)) - (0 if lighting == "day" else 9)
    number = int(rng.integers(1, 9))
    text = f"CAM{number:02d}  {degrees:d}C   {day:02d}/{month:02d}/2024  {hour:02d}:{minute:02d}:{second:02d}"
    size = tall / 34
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    place = (max(int(width * 0.97) - wide, 2), height - int(0.28 * tall))
    cv2.putText(image_rgb, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (225, 225, 220), 1, cv2.LINE_AA)
