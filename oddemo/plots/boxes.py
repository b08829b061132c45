"""Where the boxes of datasets lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oddemo.errors import OddemoError
from oddemo.plots.appearance import axes_or_current

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from oddemo.data.box_measures import BoxMeasures

_MARKERS = "o^sDvP"
#: Area of a marker in square points, for a box as long as its picture.
_AREA_PT2 = 700.0


def plot_box_middles(measures: Mapping[str, BoxMeasures], ax: Axes | None = None) -> Axes:
    """Draw the middle of every box in its picture's frame; larger boxes have larger markers.

    Args:
        measures: Name of a dataset → its boxes; each has a colour and a marker of its own.
        ax: Where to draw; the current axes if None.

    Raises:
        OddemoError: If there is nothing to draw.
    """
    if not measures:
        raise OddemoError("There are no boxes to draw.", expected="the boxes of at least one dataset")
    from matplotlib.collections import PathCollection

    ax = axes_or_current(ax)
    for index, (name, one) in enumerate(measures.items()):
        ax.scatter(
            one.middle_yx[:, 1],
            one.middle_yx[:, 0],
            s=_AREA_PT2 * one.longer_side**1.5,
            marker=_MARKERS[index % len(_MARKERS)],
            color=f"C{index}",
            edgecolor="black",
            linewidth=0.6,
            alpha=0.6,
            label=name,
        )
    ax.set(xlim=(0, 1), ylim=(1, 0), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    ax.set(xlabel="left to right", ylabel="top to bottom")
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([60.0])
    return ax
