"""Single runs of stored studies: values seed by seed, means with limits, and choices made on another split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oddemo.errors import OddemoError
from oddemo.study.paired import MeanInterval, mean_interval


def seed_values(stored: Mapping[str, Any], *, world: str, condition: str, metric: str) -> list[float]:
    """Return one number of a condition's runs in one world, seed by seed.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        condition: The condition's name.
        metric: Any number that all these runs have.

    Raises:
        OddemoError: If there are no such runs, or they lack the number.
    """
    runs = [one for one in stored["runs"] if (one["world"], one["condition"]) == (world, condition)]
    if not runs or any(metric not in one["metrics"] for one in runs):
        names = {one["name"] for one in stored["conditions"]}
        known = sorted(set.intersection(*(set(one["metrics"]) for one in runs))) if runs else []
        raise OddemoError(
            f"The study holds no {metric} of {condition} in {world}.",
            expected=f"numbers {', '.join(known)}" if runs else f"conditions {', '.join(sorted(names))}",
        )
    ordered = sorted(runs, key=lambda one: int(one["seed"]))
    return [float(one["metrics"][metric]) for one in ordered]


def level_of(stored: Mapping[str, Any], *, world: str, condition: str, metric: str) -> MeanInterval:
    """Return a condition's mean over seeds with its limits; for the arguments see `seed_values`."""
    return mean_interval(seed_values(stored, world=world, condition=condition, metric=metric))


def difference_of(stored: Mapping[str, Any], *, world: str, condition: str, against: str, metric: str) -> MeanInterval:
    """Return the mean over seeds of a condition's number minus that of another with the same seed, with its limits.

    The comparisons that a study declares are in its file, corrected for their number; this is for looking closer.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        condition: The condition's name.
        against: The other condition's name.
        metric: Any number that all these runs have.

    Raises:
        OddemoError: If there are no such runs, or they lack the number.
    """
    both = (seed_values(stored, world=world, condition=name, metric=metric) for name in (condition, against))
    return mean_interval([first - second for first, second in zip(*both, strict=True)])


def chosen_by(stored: Mapping[str, Any], *, world: str, candidates: Sequence[str], by: str) -> list[str]:
    """Return, seed by seed, the condition that is best by one number; of equal ones the first.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        candidates: Names of conditions to choose from.
        by: The number, such as `val_ap`.
    """
    found = [seed_values(stored, world=world, condition=name, metric=by) for name in candidates]
    return [candidates[max(range(len(candidates)), key=one.__getitem__)] for one in zip(*found, strict=True)]
