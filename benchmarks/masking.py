"""Does one of two planted faults hide the other? Asked of the deployments themselves, not of the audit.

A fault is hidden in a pair if the deployment with both does the same, at every stage that can be seen and on every
picture, as the deployment with the other fault alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from benchmarks import summary
from oddemo.audit.compare import compare_traces
from oddemo.audit.trace import Trace
from oddemo.files import read_json, write_json

JoinableParts = TypeVar("JoinableParts", bound="Joinable")


class Joinable(Protocol):
    """What is wrong with a deployment; two such things can be wrong with one."""

    def joined(self: JoinableParts, other: JoinableParts, /) -> JoinableParts:
        """Return both."""


def unasked(detector: str, work: Path) -> dict[Path, dict[str, Any]]:
    """Return the pairs of a detector that were not named whole, and of which nobody asked yet what is hidden."""
    kept = {path: read_json(path) for path in sorted(work.glob("*.json"))}
    return {
        path: trial
        for path, trial in kept.items()
        if (trial["kind"], trial["detector"]) == ("pair", detector)
        and not summary.whole(trial)
        and "hidden" not in trial
    }


def keep_what_is_hidden(
    path: Path, first: JoinableParts, second: JoinableParts, deployed: Callable[[JoinableParts], Trace]
) -> None:
    """Add to a kept pair the names of the planted faults that leave no trace beside the other.

    Args:
        path: Of the trial.
        first: What its first plant does.
        second: What its second plant does.
        deployed: Makes a deployment and returns its trace on the pictures of the trial.
    """
    trial = read_json(path)
    both, *alone = (deployed(parts) for parts in (first.joined(second), second, first))
    # Where the first is hidden, the pair does what the second does alone.
    hidden = [name for name, trace in zip(summary.planted_in(trial), alone, strict=True) if _same(both, trace)]
    write_json(path, trial | {"hidden": hidden})


def _same(first: Trace, second: Trace) -> bool:
    nothing = not any(len(found) for trace in (first, second) for found in trace.detections)
    if nothing and not (first.dense and second.dense):
        return True
    return compare_traces(first, second, score_floor=0.0).first_divergence is None
