"""Painted objects, whose boxes can be measured: do the boxes of an augmentation follow its pixels?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import pairwise_iou
from oddemo.data.records import FloatArray
from oddemo.errors import OddemoError

#: An object is darker than this part of the brightest there is: noise and grey edges are not.
DARK = 0.25


def paint_object(
    box_yxyx_px: FloatArray, image_size_hw_px: tuple[int, int], *, round_: bool = False
) -> NDArray[np.uint8]:
    """Paint what fills a box, black on white.

    Args:
        box_yxyx_px: (4,).
        image_size_hw_px: Height and width of the picture.
        round_: Paint the ellipse in the box, not the box itself.

    Returns:
        (h, w, 3) uint8. A pixel belongs to the object if its middle does.

    Raises:
        OddemoError: If nothing of it would be seen.
    """
    y_min, x_min, y_max, x_max = (float(value) for value in box_yxyx_px)
    rows, columns = (np.arange(side) + 0.5 for side in image_size_hw_px)
    # From -1 to 1 across the box.
    down = ((2 * rows - y_min - y_max) / max(y_max - y_min, 1e-9))[:, None]
    right = ((2 * columns - x_min - x_max) / max(x_max - x_min, 1e-9))[None, :]
    inside = down**2 + right**2 <= 1 if round_ else (np.abs(down) <= 1) & (np.abs(right) <= 1)
    if not inside.any():
        raise OddemoError(
            "The object cannot be seen.",
            expected=f"a box with an area in a picture of {image_size_hw_px[0]} x {image_size_hw_px[1]}",
            found=str(np.asarray(box_yxyx_px).tolist()),
        )
    return np.repeat(np.where(inside, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def seen_box(image: NDArray[np.number]) -> NDArray[np.float64] | None:
    """Return the box around what is dark in a picture, (4,) yxyx in pixels; None if nothing is.

    Args:
        image: (h, w, 3), 0 to 255.
    """
    values = np.asarray(image, np.float64).mean(axis=2)
    dark = values < DARK * values.max()
    if not dark.any():
        return None
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1], np.float64)


def fit(image: NDArray[np.number], box_yxyx_px: FloatArray) -> float | None:
    """Return how well a box fits what is painted in a picture, as intersection over union; None if nothing is left.

    Args:
        image: (h, w, 3) picture of `paint_object`, after whatever was done to it.
        box_yxyx_px: (4,) the box that is said to belong to it; cut off at the picture's edges.
    """
    seen = seen_box(image)
    if seen is None:
        return None
    height, width = np.asarray(image).shape[:2]
    said = np.clip(np.asarray(box_yxyx_px, np.float64), 0, [height, width, height, width])
    return float(pairwise_iou(seen[None], said[None])[0, 0])
