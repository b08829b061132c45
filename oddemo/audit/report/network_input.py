"""Showing network inputs as pictures: one way back to grey levels, read off the reference and used on both sides.

Because both sides take the same way, what went wrong before the network can be seen: swapped channels come out in wrong
colours, a missing normalisation comes out white, a second one flat grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Pictures from which the way back is read.
_ENOUGH = 4
#: Share of the variance that it has to account for.
_GOOD_FIT = 0.9

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class WayBack:
    """Turns network input into grey levels: `grey = scale * value + offset`, per channel.

    Attributes:
        scale: For channels 0, 1, 2.
        offset: For channels 0, 1, 2.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]

    def picture(self, pixels: Floats) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8; what leaves the range 0-255 is cut.

        Args:
            pixels: (height, width, 3), as it enters the network.
        """
        grey = pixels.astype(np.float64) * np.array(self.scale) + np.array(self.offset)
        picture: NDArray[np.uint8] = np.clip(np.round(grey), 0, 255).astype(np.uint8)
        return picture


def way_back(pixels: Floats, images: Sequence[NDArray[np.uint8]]) -> WayBack:
    """Read off how the reference turns grey levels into network input, and invert it.

    Where that cannot be read, the range of the values is spread over the grey levels.

    Args:
        pixels: (pictures, height, width, 3), the reference's network input.
        images: (height, width, 3) uint8 RGB, the decoded pictures; may be empty.
    """
    frame = (int(pixels.shape[1]), int(pixels.shape[2]))
    for letterbox in (True, False):
        pairs = [
            _on_top(pixel, image, frame, letterbox=letterbox)
            for pixel, image in zip(pixels[:_ENOUGH], images[:_ENOUGH], strict=False)
        ]
        fits = [_fit([(x[..., k], y[..., k]) for x, y in pairs]) for k in range(3)]
        if pairs and all(fit is not None for fit in fits):
            scale, offset = zip(*(fit for fit in fits if fit is not None), strict=True)
            return WayBack((scale[0], scale[1], scale[2]), (offset[0], offset[1], offset[2]))
    low, high = np.percentile(pixels[:_ENOUGH], (0.5, 99.5))
    spread = 255.0 / max(float(high - low), 1e-6)
    shift = -float(low) * spread
    return WayBack((spread, spread, spread), (shift, shift, shift))


def _on_top(pixels: Floats, image: NDArray[np.uint8], frame_hw: tuple[int, int], *, letterbox: bool) -> tuple[Any, Any]:
    """Return the picture, resized to where it lies in the frame, and the network input there."""
    height, width = frame_hw
    if letterbox:
        factor = min(frame_hw[0] / image.shape[0], frame_hw[1] / image.shape[1])
        height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float64), pixels[:height, :width].astype(np.float64)


def _fit(pairs: Sequence[tuple[Floats, Floats]]) -> tuple[float, float] | None:
    """Return (scale, offset) from value to grey level, or None if no straight line fits."""
    grey, value = (np.concatenate([pair[side].ravel() for pair in pairs] or [np.zeros(0)]) for side in (0, 1))
    if len(grey) < 2 or grey.std() == 0.0 or value.std() == 0.0:
        return None
    correlation = float(np.corrcoef(grey, value)[0, 1])
    if correlation**2 < _GOOD_FIT:
        return None
    slope = correlation * float(value.std() / grey.std())
    return 1.0 / slope, float(grey.mean() - value.mean() / slope)


def range_words(pixels: Floats) -> str:
    """Return the range and mean of one network input in words."""
    return f"{_number(pixels.min())} to {_number(pixels.max())}, mean {_number(pixels.mean())}"


def _number(value: Any) -> str:
    return f"{float(value) + 0.0:.3g}".replace("-", "−")
