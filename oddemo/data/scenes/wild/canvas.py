"""The picture of a place before any light falls on it.

A canvas is (h, w, 4) uint8: red, green, blue reflectance, and *nearness* from 0 (far) to 255 (right before the lens).
Light is added at the end, by what each pixel reflects and how near it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]


def nearness(y: float, horizon_y: float, height: int) -> float:
    """Return how near, 0 to 1, ground is that shows at row `y`."""
    return float(np.clip((y - horizon_y) / (height - horizon_y), 0, 1))
