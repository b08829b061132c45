"""Repeated measurements, each as a point of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oddemo.errors import OddemoError
from oddemo.plots.appearance import axes_or_current

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "o^sDvP"


def plot_runs(
    values: Mapping[str, Sequence[float]], ax: Axes | None = None, *, label: str = "AP50", band: float | None = None
) -> Axes:
    """Draw every run as a point and each group's mean as a line, one group a row, the first on top.

    Args:
        values: Name of the group → its values.
        ax: Where to draw; the current axes if None.
        label: Of the horizontal axis.
        band: Width of a grey band around each mean, if given.

    Raises:
        OddemoError: If there is nothing to draw.
    """
    if not values or not all(len(group) for group in values.values()):
        raise OddemoError("There are no runs to draw.", expected="at least one value in each group")
    ax = axes_or_current(ax)
    for row, group in enumerate(values.values()):
        mean = sum(group) / len(group)
        if band is not None:
            ax.barh(row, band, left=mean - band / 2, height=0.6, color="0.85", zorder=0)
        ax.plot([mean, mean], [row - 0.3, row + 0.3], color="0.25", linewidth=2, zorder=1)
        marker = _MARKERS[row % len(_MARKERS)]
        ax.scatter(group, [row] * len(group), s=90, marker=marker, color=f"C{row}", edgecolor="black", zorder=2)
    ax.set_yticks(range(len(values)), list(values))
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.set_xlabel(label)
    ax.grid(visible=False, axis="y")
    return ax
