"""Stored studies in lines of text: the numbers beside the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oddemo.errors import OddemoError
from oddemo.study.paired import MeanInterval
from oddemo.study.results import SIGNIFICANT


def told(stored: Mapping[str, Any], *, world: str, metric: str) -> Iterator[str]:
    """Yield a heading and a line for each comparison of one world by one metric, in points of a hundred.

    After the difference come its 95 % limits and Holm's p; a star marks what the correction leaves standing.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        metric: One of its metrics.

    Raises:
        OddemoError: If the study holds no such comparison.
    """
    words = {one["name"]: one["words"] for one in stored["conditions"]}
    chosen = [one for one in stored["comparisons"] if (one["world"], one["metric"]) == (world, metric)]
    if not chosen:
        raise OddemoError(
            f"The study compares nothing in {world} by {metric}.",
            expected=f"worlds {', '.join(stored['worlds'])}; metrics {', '.join(stored['metrics'])}",
        )
    yield f"{world}, change in {metric}:"
    width = max(len(words[one["name"]]) for one in chosen)
    for one in chosen:
        point, low, high = (100 * one[key] for key in ("point", "low", "high"))
        star = "*" if one["p_holm"] <= SIGNIFICANT else " "
        yield f"  {words[one['name']]:{width}} {point:+6.1f}{star} [{low:+5.1f}, {high:+5.1f}]  p {one['p_holm']:.3f}"


def in_points(value: MeanInterval) -> str:
    """Return a difference with its limits in points of a hundred: `+1.2 points [+0.3, +2.1]`."""
    return f"{100 * value.point:+.1f} points [{100 * value.low:+.1f}, {100 * value.high:+.1f}]"


def level(stored: Mapping[str, Any], *, world: str, condition: str, metric: str) -> str:
    """Return a condition's own mean over seeds with its limits, from 0 to 1.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        condition: The condition's name.
        metric: Any number that all its runs have.

    Raises:
        OddemoError: If the study holds no such number.
    """
    for one in stored["levels"]:
        if (one["world"], one["condition"], one["metric"]) == (world, condition, metric):
            return f"{one['point']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
    raise OddemoError(f"The study holds no {metric} of {condition} in {world}.")
