"""Paired intervals against scipy and simulation, Holm's correction against the principle that it follows from."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from oddemo.errors import OddemoError
from oddemo.study.paired import MeanInterval, holm, mean_interval, paired_difference


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 1000))
def test_it_is_the_paired_t_test(count, seed):
    first, second = np.random.default_rng(seed).normal(0.5, 0.1, (2, count))
    found = paired_difference(first.tolist(), second.tolist())
    oracle = stats.ttest_rel(first, second)
    limits = oracle.confidence_interval(0.95)
    assert found.p_value == pytest.approx(oracle.pvalue)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))
    assert found.count == count


def test_the_limits_hold_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        level = rng.normal(0, 1, 5)
        found = paired_difference((level + 0.03 + rng.normal(0, 0.02, 5)).tolist(), level.tolist())
        held += found.low <= 0.03 <= found.high
    # A thousand trials of 95 %: a standard error of 0.7 points.
    assert held / 1000 == pytest.approx(0.95, abs=0.025)


def test_values_without_spread_are_certain():
    assert mean_interval([0.25, 0.25, 0.25]) == MeanInterval(0.25, 0.25, 0.25, 0.0, 3)
    assert paired_difference([0.1, 0.2], [0.1, 0.2]) == MeanInterval(0, 0, 0, 1.0, 2)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_is_the_closure_of_bonferroni(p_values):
    corrected = holm(p_values)
    for index, value in enumerate(corrected):
        # A hypothesis falls when every set of hypotheses with it falls by Bonferroni.
        sets = [
            chosen
            for size in range(1, len(p_values) + 1)
            for chosen in itertools.combinations(range(len(p_values)), size)
            if index in chosen
        ]
        closure = max(min(1.0, len(chosen) * min(p_values[k] for k in chosen)) for chosen in sets)
        assert value == pytest.approx(closure)


def test_what_is_no_pair_is_refused():
    with pytest.raises(OddemoError, match="not pairs"):
        paired_difference([0.1, 0.2], [0.1])
    for values in ([], [0.1], [0.1, float("nan")]):
        with pytest.raises(OddemoError, match="no interval"):
            mean_interval(values)
    with pytest.raises(OddemoError, match="not possible"):
        MeanInterval(0.5, 0.6, 0.7, 0.1, 3)
