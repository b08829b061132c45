"""Pictures inside the file: JPEG as data URIs, small enough that the whole report stays small."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Bytes that all pictures of a report may take, as text.
BUDGET = 2_400_000
#: Longest side in pixels and JPEG quality, best first.
_WAYS = ((640, 85), (640, 75), (480, 75), (400, 70), (320, 70), (240, 65), (160, 60), (96, 50))


@dataclass(frozen=True)
class Embedded:
    """A picture as text.

    Attributes:
        uri: `data:image/jpeg;base64,…`.
        size_hw_px: Height and width of the picture that was given, not of the JPEG.
    """

    uri: str
    size_hw_px: tuple[int, int]


def embed(images: Sequence[NDArray[np.uint8]], *, budget: int = BUDGET) -> list[Embedded]:
    """Return the pictures as JPEG, all of one quality: the best with which they stay within the budget.

    Args:
        images: (height, width, 3) uint8 RGB.
        budget: Bytes for all of them.
    """
    found: list[Embedded] = []
    for side, quality in _WAYS:
        found = [Embedded(_jpeg(image, side, quality), (image.shape[0], image.shape[1])) for image in images]
        if sum(len(one.uri) for one in found) <= budget:
            break
    return found


def _jpeg(image: NDArray[np.uint8], side: int, quality: int) -> str:
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((side, side))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
