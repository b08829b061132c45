"""Values over settings that have an order: a learning rate, a number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oddemo.errors import OddemoError
from oddemo.plots.appearance import DASHES, axes_or_current
from oddemo.plots.intervals import HasLimits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "os^D"


def plot_curves(
    curves: Mapping[str, Mapping[str, HasLimits]], ax: Axes | None = None, *, label: str = "AP", title: str = ""
) -> Axes:
    """Draw one curve a name, each with a colour, a marker and dashes of its own, and limits at every setting.

    Args:
        curves: Name → setting → value; all have the same settings, in the order in which they are drawn.
        ax: Where to draw; the current axes if None.
        label: Of the vertical axis.
        title: Above the plot.

    Raises:
        OddemoError: If there is nothing to draw, or the settings differ.
    """
    settings = [tuple(values) for values in curves.values()]
    if not settings or not settings[0] or len(set(settings)) > 1:
        raise OddemoError(
            "There are no curves to draw.",
            expected="at least one, all over the same settings",
            found=f"{settings}",
        )
    ax = axes_or_current(ax)
    # A little aside from one another, so that limits at one setting do not hide each other.
    shift = 0.08
    for row, (name, values) in enumerate(curves.items()):
        places = [place + shift * (row - (len(curves) - 1) / 2) for place in range(len(values))]
        points = [value.point for value in values.values()]
        arms = [[value.point - value.low for value in values.values()]]
        arms.append([value.high - value.point for value in values.values()])
        look: dict[str, Any] = {"color": f"C{row}", "marker": _MARKERS[row % len(_MARKERS)]}
        look["linestyle"] = DASHES[row % len(DASHES)]
        ax.errorbar(places, points, yerr=arms, label=name, markersize=9, capsize=6, elinewidth=2.5, **look)
    ax.set_xticks(range(len(settings[0])), list(settings[0]))
    ax.set_xlim(-0.4, len(settings[0]) - 0.6)
    ax.set_ylabel(label)
    ax.set_title(title, parse_math=False)
    ax.legend()
    return ax
