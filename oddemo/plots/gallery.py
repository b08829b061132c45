"""Several pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddemo.errors import OddemoError
from oddemo.plots.pictures import draw_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches that one picture takes up.
_WIDTH_IN, _HEIGHT_IN = 3.0, 2.5
_DPI = 80


def draw_gallery(
    images: Mapping[str, NDArray[np.uint8]], axes: Sequence[Axes] | None = None, *, columns: int = 3
) -> Sequence[Axes]:
    """Draw titled pictures row by row, without ticks.

    Args:
        images: Title → (height, width, 3) uint8 RGB, any sizes.
        axes: Where to draw, one a picture; a new figure of a fitting size if None.
        columns: Pictures in a row of a new figure.

    Raises:
        OddemoError: If there is no picture, or not one place for each.
    """
    import matplotlib.pyplot as plt

    if axes is None:
        rows = -(-len(images) // columns)
        width = min(columns, max(len(images), 1))
        size = (_WIDTH_IN * width, _HEIGHT_IN * max(rows, 1))
        grid = plt.figure(figsize=size, dpi=_DPI).subplots(max(rows, 1), width, squeeze=False)
        axes = list(grid.flat)[: len(images)]
        for unused in list(grid.flat)[len(images) :]:
            unused.set_axis_off()
    if not images or len(axes) != len(images):
        raise OddemoError(
            "The pictures do not fit their places.", expected=f"one for each of {len(axes)}", found=str(len(images))
        )
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        draw_picture(image, ax, title=title)
    return axes
