"""Geometry of the bar that shows the change in mAP with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddemo.audit.verdict import NEGLIGIBLE_MAP, DeltaMap

#: Width of the drawing; its parts are given in these units.
WIDTH = 420.0
_MARGIN = 26.0
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


@dataclass(frozen=True)
class IntervalBar:
    """Places on the horizontal axis, 0 to `WIDTH`.

    Attributes:
        zero: No change.
        point: The change itself.
        low: Lower end of the interval.
        high: Upper end.
        negligible: Both ends of the range that is called negligible.
        ticks: (place, text) of the axis.
    """

    zero: float
    point: float
    low: float
    high: float
    negligible: tuple[float, float]
    ticks: tuple[tuple[float, str], ...]


def interval_bar(delta: DeltaMap) -> IntervalBar:
    """Lay out the interval so that it, no change, and the negligible range can be seen."""
    left = min(delta.low, delta.point, -2 * NEGLIGIBLE_MAP)
    right = max(delta.high, delta.point, 2 * NEGLIGIBLE_MAP)
    step = next((step for step in _STEPS if (right - left) / step <= 5), _STEPS[-1])
    left, right = float(np.floor(left / step) * step), float(np.ceil(right / step) * step)

    def place(value: float) -> float:
        return round(_MARGIN + (value - left) / (right - left) * (WIDTH - 2 * _MARGIN), 1)

    ticks = [left + step * i for i in range(round((right - left) / step) + 1)]
    decimals = 3 if step < 0.01 else 2
    return IntervalBar(
        zero=place(0.0),
        point=place(delta.point),
        low=place(delta.low),
        high=place(delta.high),
        negligible=(place(-NEGLIGIBLE_MAP), place(NEGLIGIBLE_MAP)),
        ticks=tuple((place(tick), _tick(tick, decimals)) for tick in ticks),
    )


def _tick(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    return "0" if float(text) == 0.0 else f"{'−' if value < 0.0 else '+'}{text}"
