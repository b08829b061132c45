"""Values with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oddemo.errors import OddemoError
from oddemo.plots.appearance import axes_or_current

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class HasLimits(Protocol):
    """A value with its limits, such as `oddemo.metrics.interval.Interval` or the change in mAP of an audit."""

    @property
    def point(self) -> float: ...  # noqa: D102
    @property
    def low(self) -> float: ...  # noqa: D102
    @property
    def high(self) -> float: ...  # noqa: D102


def plot_intervals(
    intervals: Mapping[str, HasLimits],
    ax: Axes | None = None,
    *,
    label: str = "change in mAP",
    negligible: float | None = None,
) -> Axes:
    """Draw one line a value, the first on top: the point, its limits, and the line of no change.

    Args:
        intervals: Name → value.
        ax: Where to draw; the current axes if None.
        label: Of the horizontal axis.
        negligible: Half the width of a band around 0 that is drawn grey, if given.

    Raises:
        OddemoError: If there is nothing to draw.
    """
    if not intervals:
        raise OddemoError("There is no interval to draw.", expected="at least one")
    ax = axes_or_current(ax)
    if negligible is not None:
        ax.axvspan(-negligible, negligible, color="0.85", zorder=0)
    ax.axvline(0.0, color="0.25", linewidth=1.5, zorder=1)
    thick: dict[str, Any] = {"capthick": 3, "elinewidth": 3}
    for row, value in enumerate(intervals.values()):
        arms = [[value.point - value.low], [value.high - value.point]]
        ax.errorbar(value.point, row, xerr=arms, fmt="o", color="C0", markersize=9, capsize=7, **thick)
    ax.set_yticks(range(len(intervals)))
    for text, name in zip(ax.set_yticklabels(list(intervals)), intervals, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
    ax.set_ylim(len(intervals) - 0.5, -0.5)
    ax.set_xlabel(label)
    ax.grid(visible=False, axis="y")
    return ax


def plot_interval(
    interval: HasLimits,
    ax: Axes | None = None,
    *,
    name: str = "",
    label: str = "change in mAP",
    negligible: float | None = None,
) -> Axes:
    """Draw one value with its limits; for the options see `plot_intervals`.

    Args:
        interval: The value.
        ax: Where to draw; the current axes if None.
        name: Beside the line.
        label: Of the horizontal axis.
        negligible: Half the width of a band around 0 that is drawn grey, if given.
    """
    return plot_intervals({name: interval}, ax, label=label, negligible=negligible)
