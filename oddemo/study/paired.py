"""Differences between conditions, seed by seed: what both share falls out before anything is called an effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oddemo.errors import OddemoError

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True)
class MeanInterval:
    """A mean over seeds with its limits by Student's t.

    Attributes:
        point: The mean.
        low: Lower limit.
        high: Upper limit.
        p_value: How often chance alone takes the mean as far from 0.
        count: How many values.
    """

    point: float
    low: float
    high: float
    p_value: float
    count: int

    def __post_init__(self) -> None:
        if not (self.low <= self.point <= self.high and 0 <= self.p_value <= 1):
            raise OddemoError(
                "The interval is not possible.",
                expected="low <= point <= high, p from 0 to 1",
                found=f"{self.low} {self.point} {self.high}, p {self.p_value}",
            )


def mean_interval(values: Sequence[float], *, confidence: float = DEFAULT_CONFIDENCE) -> MeanInterval:
    """Return the mean of independent values with its limits.

    Args:
        values: One for each seed.
        confidence: Between 0 and 1.

    Raises:
        OddemoError: If there are fewer than two values, or one is not finite.
    """
    from scipy import stats

    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2 or not np.isfinite(array).all():
        raise OddemoError("There is no interval.", expected="at least two finite values", found=str(list(array)))
    mean, error = float(array.mean()), float(stats.sem(array))
    # Equal values, up to rounding: there is no spread to divide by.
    if error <= 1e-12 * max(1.0, abs(mean)):
        return MeanInterval(mean, mean, mean, float(math.isclose(mean, 0, abs_tol=1e-12)), len(array))
    low, high = (float(end) for end in stats.t.interval(confidence, len(array) - 1, loc=mean, scale=error))
    p_value = float(2 * stats.t.sf(abs(mean) / error, len(array) - 1))
    return MeanInterval(mean, low, high, p_value, len(array))


def paired_difference(
    values: Sequence[float], reference: Sequence[float], *, confidence: float = DEFAULT_CONFIDENCE
) -> MeanInterval:
    """Return the mean of `values - reference`, pair by pair.

    Args:
        values: One for each seed.
        reference: The same seeds in the same order.
        confidence: Between 0 and 1.

    Raises:
        OddemoError: If the two differ in length, or there is no interval.
    """
    if len(values) != len(reference):
        raise OddemoError(
            "The values are not pairs.", expected="the same seeds twice", found=f"{len(values)} and {len(reference)}"
        )
    return mean_interval([one - other for one, other in zip(values, reference, strict=True)], confidence=confidence)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's corrected p values: the chance that any of several true nulls is called an effect stays bounded.

    Args:
        p_values: Of one family of comparisons, in any order.
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return tuple(corrected)
