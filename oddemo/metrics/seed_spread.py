"""How far two trainings of one recipe lie apart by chance: the yardstick for a difference that one seed each shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oddemo.errors import OddemoError

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True)
class SeedSpread:
    """The spread of a metric over seeds, with nothing else changed; same unit as the metric.

    Attributes:
        deviation: Standard deviation of one run.
        low: Lower limit of the deviation: few runs say little about it.
        high: Upper limit of the deviation.
        runs: How many runs it was taken from.
        degrees: Degrees of freedom: runs minus recipes.
        confidence: Of the limits and of `chance_difference`, between 0 and 1.
    """

    deviation: float
    low: float
    high: float
    runs: int
    degrees: int
    confidence: float = DEFAULT_CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.deviation <= self.high < math.inf or self.degrees < 1:
            raise OddemoError(
                "The spread is not possible.",
                expected="0 <= low <= deviation <= high, at least one degree of freedom",
                found=f"{self.low} {self.deviation} {self.high}, {self.degrees} degrees of freedom",
            )

    def chance_difference(self, *, seeds: int = 1) -> float:
        """Return what the difference between two means stays below by chance alone, as often as `confidence` says.

        Args:
            seeds: Runs on each side of the comparison.

        Raises:
            OddemoError: If there is no run on a side.
        """
        from scipy import stats

        if seeds < 1:
            raise OddemoError("A comparison needs runs.", expected="at least one seed a side", found=str(seeds))
        quantile = float(stats.t.ppf((1 + self.confidence) / 2, self.degrees))
        return quantile * self.deviation * math.sqrt(2 / seeds)


def seed_spread(groups: Sequence[Sequence[float]], *, confidence: float = DEFAULT_CONFIDENCE) -> SeedSpread:
    """Return the spread over seeds from runs of one or several recipes.

    Args:
        groups: For each recipe (or world) the metric of every run. The groups' levels may differ; their spread is taken
            to be the same and normally distributed.
        confidence: Between 0 and 1.

    Raises:
        OddemoError: If a group has fewer than two runs, or a value is not finite.
    """
    from scipy import stats

    if not 0 < confidence < 1:
        raise OddemoError("The confidence is not possible.", expected="between 0 and 1", found=str(confidence))
    values = [np.asarray(group, dtype=np.float64) for group in groups]
    if not values or any(len(group) < 2 or not np.isfinite(group).all() for group in values):
        raise OddemoError(
            "There is no spread over seeds.",
            expected="at least two runs of each recipe, with finite results",
            found=f"{[list(map(float, group)) for group in values]}",
        )
    runs = sum(len(group) for group in values)
    degrees = runs - len(values)
    squares = float(sum(((group - group.mean()) ** 2).sum() for group in values))
    low, high = (math.sqrt(squares / stats.chi2.ppf(0.5 + side * confidence / 2, degrees)) for side in (1, -1))
    return SeedSpread(math.sqrt(squares / degrees), low, high, runs, degrees, confidence)
