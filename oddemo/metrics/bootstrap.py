"""Resampling pictures, and turning the resampled values into an interval.

All methods start from the same resamples. Which one to trust was decided by simulation:
`benchmarks/interval_coverage.py` draws small sets from a large simulated population and counts how often each method
holds the true value; the result is stored in `results/interval_coverage.json`. No textbook method does well throughout.
`percentile`, `expanded` and `bca` are too narrow where a few pictures carry the whole change (a nearly faithful
export); `student` and `basic` are off to one side where the change is large or one-sided (a threshold, exchanged
labels), because average precision from few true boxes is too high on average and its error is skewed. `outermost`
therefore takes the outer limits of three, each with quantiles of Student's t.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from oddemo.errors import OddemoError

#: Ways from resampled values to an interval:
#: `percentile` takes their quantiles;
#: `expanded` takes quantiles further out, as far as Student's t lies outside the normal distribution and the resampled
#: spread is too small by sqrt((n - 1) / n);
#: `basic` mirrors the quantiles at the point estimate;
#: `bca` corrects them for bias and skewness;
#: `student` is the point estimate plus or minus t times the standard error;
#: `outermost` takes the lowest and highest limit of `student`, `expanded` and `bca` with expanded quantiles.
IntervalMethod = Literal["percentile", "expanded", "basic", "bca", "student", "outermost"]

#: A statistic of (R, I) picture weights: (R,) values, NaN where it is not defined.
Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]

_BLOCK = 1024
_MOST_LEFT_OUT = 256


def resampled_weights(images: int, *, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield blocks of (up to 1024, I) int64: how often each of `images` pictures was drawn, with replacement."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _BLOCK):
        count = min(_BLOCK, resamples - start)
        drawn = rng.integers(0, images, size=(count, images)) + np.arange(count)[:, None] * images
        yield np.bincount(drawn.ravel(), minlength=count * images).reshape(count, images)


def bootstrap(statistic: Statistic, images: int, *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the statistic of each resample of the pictures; those where it is not defined are left out.

    Raises:
        OddemoError: If there are fewer than two pictures or resamples, or it is defined in fewer than two resamples.
    """
    if images < 2 or resamples < 2:
        raise OddemoError(
            "An interval cannot be taken.",
            expected="at least two pictures and two resamples",
            found=f"{images} pictures, {resamples} resamples",
            do="compare on more pictures; 64 or more give an interval that is narrow enough to be useful",
        )
    blocks = [statistic(weights) for weights in resampled_weights(images, resamples=resamples, seed=seed)]
    values = np.concatenate(blocks)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        raise OddemoError(
            "Hardly any resample of the pictures has a true box.",
            expected="true boxes in more than a few of the pictures",
            found=f"{len(values)} usable resamples of {resamples}",
        )
    return values


def interval_limits(
    values: NDArray[np.float64],
    point: float,
    *,
    images: int,
    confidence: float,
    method: IntervalMethod,
    left_out: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Return the lower and upper limit.

    Args:
        values: (R,) statistic of each resample.
        point: The statistic of the pictures themselves.
        images: How many pictures there are.
        confidence: Between 0 and 1.
        method: One of `IntervalMethod`.
        left_out: For `bca` and `outermost`: the statistic of the pictures without each of them, or each of some equal
            groups of them, see `leave_out`.

    Raises:
        OddemoError: If the method is unknown, or lacks `left_out`.
    """
    if method not in get_args(IntervalMethod):
        known = ", ".join(get_args(IntervalMethod))
        raise OddemoError("The kind of interval is unknown.", expected=known, found=method)
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    student = t.ppf(tails, images - 1) * np.sqrt(images / (images - 1))
    expanded = np.clip(norm.cdf(student), 1e-9, 1 - 1e-9)
    if method == "student":
        low, high = point + student * float(np.std(values, ddof=1))
    elif method == "basic":
        high, low = 2 * point - np.quantile(values, tails)
    elif method == "outermost":
        limits = np.array(
            [
                point + student * float(np.std(values, ddof=1)),
                np.quantile(values, expanded),
                np.quantile(values, _bca_levels(values, point, expanded, left_out)),
            ]
        )
        low, high = limits[:, 0].min(), limits[:, 1].max()
    else:
        if method == "expanded":
            tails = expanded
        elif method == "bca":
            tails = _bca_levels(values, point, tails, left_out)
        low, high = np.quantile(values, tails)
    return float(low), float(high)


def leave_out(statistic: Statistic, images: int) -> NDArray[np.float64]:
    """Return the statistic without each picture; of many pictures, without each of 256 equal parts of them."""
    parts = min(images, _MOST_LEFT_OUT)
    weights = np.ones((parts, images), dtype=np.int64)
    weights[np.arange(images) % parts, np.arange(images)] = 0
    values = statistic(weights)
    return values[~np.isnan(values)]


def _bca_levels(
    values: NDArray[np.float64], point: float, tails: NDArray[np.float64], left_out: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the quantiles to take: those of Efron and Tibshirani (1993), chapter 14, equal values counting half."""
    if left_out is None:
        raise OddemoError("This kind of interval needs the statistic without each picture.")
    below = (float((values < point).mean()) + float((values <= point).mean())) / 2
    bias = norm.ppf(np.clip(below, 1 / len(values), 1 - 1 / len(values)))
    away = left_out.mean() - left_out
    spread = float((away**2).sum())
    acceleration = float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + norm.ppf(tails)
    levels: NDArray[np.float64] = norm.cdf(bias + shifted / np.maximum(1 - acceleration * shifted, 1e-9))
    return levels
