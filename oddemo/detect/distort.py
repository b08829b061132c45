"""Turning, shifting, recolouring, blurring and noise behind one strength, boxes included.

Every choice comes from the generator that is given, so a training that uses them can still be repeated bit by bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Largest changes at strength 1.
TURN_DEGREES = 12.0
SHIFT_PART = 0.1
BRIGHTNESS = 0.35
CHANNEL_GAIN = 0.15
BLUR_PX_AT_320 = 1.2
NOISE = 0.05
#: Colour of what comes into view at the edges: the mean that normalisation subtracts, so the network sees zeros.
OUTSIDE_RGB = (124, 116, 104)


def distort(
    image_rgb: NDArray[np.uint8], boxes_yxyx_px: NDArray[np.float64], *, strength: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Change a picture by chance, and move its boxes with it.

    Args:
        image_rgb: (h, w, 3) uint8.
        boxes_yxyx_px: (N, 4).
        strength: 0 changes nothing; at 1 each change is drawn up to the limits of this module, at 2 up to twice that.
        rng: Where the choices come from.

    Returns:
        The picture in its old size, and the boxes, which may reach out of it. A turned box is the one around the
        ellipse in the old one: the one around its corners would grow with every turn.
    """
    import cv2

    turn, shift_y, shift_x, light, *gains, blur = rng.uniform(-1, 1, 8)
    noise = rng.random() * NOISE * strength
    height, width = image_rgb.shape[:2]
    about_middle = cv2.getRotationMatrix2D((width / 2, height / 2), turn * TURN_DEGREES * strength, 1.0)
    matrix: NDArray[np.float64] = np.array(about_middle, np.float64)
    matrix[:, 2] += SHIFT_PART * strength * np.array([shift_x * width, shift_y * height])
    # OpenCV counts from the middle of the first pixel, boxes from its corner.
    pixels = matrix.copy()
    pixels[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    turned = cv2.warpAffine(image_rgb, pixels, (width, height), flags=cv2.INTER_LINEAR, borderValue=OUTSIDE_RGB)
    factor = np.exp(BRIGHTNESS * strength * light) * np.exp(CHANNEL_GAIN * strength * np.array(gains))
    sigma_px = abs(blur) * BLUR_PX_AT_320 * strength * max(height, width) / 320
    values: NDArray[Any] = turned.astype(np.float32) * factor.astype(np.float32)
    if sigma_px > 0.2:
        values = cv2.GaussianBlur(values, (0, 0), sigma_px)
    values = values + rng.normal(0, 255 * noise, values.shape).astype(np.float32) if noise > 0 else values
    return np.clip(np.round(values), 0, 255).astype(np.uint8), _moved(boxes_yxyx_px, matrix)


def _moved(boxes_yxyx_px: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the boxes around the ellipses in the boxes, after an affine map of (x, y)."""
    middles_xy = (boxes_yxyx_px[:, [1, 0]] + boxes_yxyx_px[:, [3, 2]]) / 2
    halves_xy = (boxes_yxyx_px[:, [3, 2]] - boxes_yxyx_px[:, [1, 0]]) / 2
    middles = middles_xy @ matrix[:, :2].T + matrix[:, 2]
    halves = np.sqrt(halves_xy**2 @ (matrix[:, :2] ** 2).T)
    moved: NDArray[np.float64] = np.concatenate([middles - halves, middles + halves], axis=1)[:, [1, 0, 3, 2]]
    return moved
