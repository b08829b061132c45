"""The spread over seeds against simulated trainings whose spread is known."""

from __future__ import annotations

import numpy as np
import pytest

from oddemo.errors import OddemoError
from oddemo.metrics.seed_spread import seed_spread


def test_one_recipe_is_the_textbook_deviation():
    values = [0.70, 0.74, 0.72, 0.71, 0.76]
    spread = seed_spread([values])
    assert spread.deviation == pytest.approx(np.std(values, ddof=1))
    assert (spread.runs, spread.degrees) == (5, 4)
    # Tables: chi-squared of 4 degrees is 0.4844 and 11.143 at 2.5 and 97.5 %; Student's t is 2.776.
    assert spread.low == pytest.approx(spread.deviation * np.sqrt(4 / 11.143), rel=1e-3)
    assert spread.high == pytest.approx(spread.deviation * np.sqrt(4 / 0.4844), rel=1e-3)
    assert spread.chance_difference() == pytest.approx(2.776 * np.sqrt(2) * spread.deviation, rel=1e-3)


def test_levels_of_the_recipes_do_not_count_and_more_seeds_help():
    low, high = [0.1, 0.2, 0.3], [0.75, 0.85, 0.95]
    together = seed_spread([low, high])
    assert together.deviation == pytest.approx(0.1)
    assert together.chance_difference() < seed_spread([low]).chance_difference()
    assert together.chance_difference(seeds=4) == pytest.approx(together.chance_difference() / 2)


def test_the_limits_hold_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = below = 0
    for _ in range(2000):
        runs = rng.normal(0.0, 0.02, (2, 6))
        spread = seed_spread(runs[:, :5].tolist())
        held += spread.low <= 0.02 <= spread.high
        new = rng.normal(0.0, 0.02, 2)
        below += abs(new[0] - new[1]) < spread.chance_difference()
    # Two thousand trials of 95 %: a standard error of 0.5 points.
    assert held / 2000 == pytest.approx(0.95, abs=0.02)
    assert below / 2000 == pytest.approx(0.95, abs=0.02)


def test_equal_runs_have_no_spread():
    spread = seed_spread([[0.5, 0.5], [0.25, 0.25]])
    assert spread.deviation == spread.high == spread.chance_difference() == 0


@pytest.mark.parametrize("groups", [[], [[0.5]], [[0.5, 0.6], [0.7]], [[0.5, float("nan")]]])
def test_what_has_no_spread_is_refused(groups):
    with pytest.raises(OddemoError, match="no spread over seeds"):
        seed_spread(groups)


def test_impossible_options_are_refused():
    with pytest.raises(OddemoError, match="confidence"):
        seed_spread([[0.1, 0.2]], confidence=1.0)
    with pytest.raises(OddemoError, match="needs runs"):
        seed_spread([[0.1, 0.2]]).chance_difference(seeds=0)
