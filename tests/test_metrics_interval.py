"""The paired interval of a change in mAP."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from coco_oracle import pycocotools_evaluation, random_case
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import norm, t

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.bootstrap import IntervalMethod, bootstrap, interval_limits, leave_out, resampled_weights
from oddemo.metrics.interval import Interval, delta_map_interval, map_interval
from oddemo.metrics.matches import match_dataset

METHODS = get_args(IntervalMethod)
REPOSITORY = Path(__file__).resolve().parents[1]


def damaged(detections: list[Detections], seed: int, *, noise_px: float = 3.0) -> list[Detections]:
    rng = np.random.default_rng(seed)
    return [
        Detections(d.boxes_yxyx_px + rng.normal(0, noise_px, d.boxes_yxyx_px.shape), d.scores, d.class_ids)
        for d in detections
    ]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), on_grid=st.booleans())
def test_point_is_pycocotools_difference(seed, on_grid):
    dataset, reference = random_case(seed, images=10, on_grid=on_grid)
    if sum(len(record.class_ids) > 0 for record in dataset.records) < 2:
        return
    candidate = damaged(reference, seed)
    first, second = (match_dataset(dataset, one) for one in (reference, candidate))
    stats = [pycocotools_evaluation(dataset, one).stats for one in (reference, candidate)]
    for metric, index in (("ap", 0), ("ap50", 1), ("ap75", 2)):
        interval = delta_map_interval(first, second, resamples=20, metric=metric)
        assert abs(interval.point - (stats[1][index] - stats[0][index])) <= 1e-9
        assert abs(map_interval(first, resamples=20, metric=metric).point - stats[0][index]) <= 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_equal_matches_have_no_difference_at_all(method):
    dataset, detections = random_case(1, images=12)
    matches = match_dataset(dataset, detections)
    interval = delta_map_interval(matches, match_dataset(dataset, detections), method=method, resamples=50)
    assert (interval.point, interval.low, interval.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_sign_follows_the_direction_and_is_never_clamped(method):
    dataset, detections = random_case(4, images=20)
    good, bad = match_dataset(dataset, detections), match_dataset(dataset, damaged(detections, 0, noise_px=8))
    worse = delta_map_interval(good, bad, method=method)
    better = delta_map_interval(bad, good, method=method)
    assert worse.low < worse.point < worse.high < 0
    # Quantiles of mirrored values are mirrored.
    assert (better.point, better.low, better.high) == pytest.approx((-worse.point, -worse.high, -worse.low), abs=1e-12)


def test_same_seed_same_interval_and_pairing_helps():
    dataset, detections = random_case(4, images=30)
    first, second = match_dataset(dataset, detections), match_dataset(dataset, damaged(detections, 0, noise_px=1))
    paired = delta_map_interval(first, second, seed=3)
    assert paired == delta_map_interval(first, second, seed=3)
    assert paired != delta_map_interval(first, second, seed=4)
    single = [map_interval(one) for one in (first, second)]
    unpaired = np.hypot(*(one.high - one.low for one in single))
    assert paired.high - paired.low < unpaired / 2
    assert 0 <= single[0].low < single[0].point < single[0].high <= 1


def test_wider_with_more_confidence_narrower_with_more_pictures():
    dataset, detections = random_case(4, images=40)
    first, second = match_dataset(dataset, detections), match_dataset(dataset, damaged(detections, 0))
    widths = {c: delta_map_interval(first, second, confidence=c) for c in (0.5, 0.8, 0.95)}
    assert widths[0.5].high - widths[0.5].low < widths[0.8].high - widths[0.8].low
    assert widths[0.8].high - widths[0.8].low < widths[0.95].high - widths[0.95].low
    copies = np.tile(np.arange(40), 9)
    more = delta_map_interval(first.select(copies), second.select(copies))
    assert (more.high - more.low) / (widths[0.95].high - widths[0.95].low) == pytest.approx(1 / 3, rel=0.25)


def test_resampling_draws_whole_sets_with_replacement():
    weights = np.concatenate(list(resampled_weights(7, resamples=2500, seed=0)))
    assert weights.shape == (2500, 7)
    assert (weights.sum(axis=1) == 7).all()
    # Each count is binomial(7, 1/7): mean 1, variance 6/7.
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.08)
    np.testing.assert_allclose(weights.var(axis=0), 6 / 7, atol=0.1)


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_limits_of_a_mean_are_those_of_scipy(method):
    data = np.random.default_rng(0).exponential(size=60)

    def mean(weights):
        return weights @ data / weights.sum(axis=1)

    values = bootstrap(mean, 60, resamples=9000, seed=1)
    left_out = leave_out(mean, 60)
    ours = interval_limits(values, data.mean(), images=60, confidence=0.9, method=method, left_out=left_out)
    theirs = scipy_bootstrap((data,), np.mean, n_resamples=9000, confidence_level=0.9, method=method, rng=2)
    # Two sets of 9000 resamples: quantiles differ by about 0.003.
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=0.015)


def test_limits_of_a_mean_by_the_t_methods():
    rng = np.random.default_rng(0)
    data = rng.normal(size=12)

    def mean(weights):
        return weights @ data / weights.sum(axis=1)

    values = bootstrap(mean, 12, resamples=20000, seed=1)
    textbook = data.mean() + t.ppf([0.025, 0.975], 11) * data.std(ddof=1) / np.sqrt(12)
    limits = {
        method: interval_limits(
            values, data.mean(), images=12, confidence=0.95, method=method, left_out=leave_out(mean, 12)
        )
        for method in METHODS
    }
    np.testing.assert_allclose(limits["student"], textbook, atol=0.02)
    np.testing.assert_allclose(limits["expanded"], textbook, atol=0.1)
    assert limits["expanded"][0] < limits["percentile"][0] < limits["percentile"][1] < limits["expanded"][1]
    for method in ("student", "expanded", "bca"):
        assert limits["outermost"][0] <= limits[method][0]
        assert limits["outermost"][1] >= limits[method][1]


def test_many_pictures_are_left_out_in_parts():
    data = np.random.default_rng(0).exponential(size=1000)
    seen = []

    def mean(weights):
        seen.append(weights)
        return weights @ data / weights.sum(axis=1)

    values = leave_out(mean, 1000)
    assert len(values) == 256
    assert (1 - seen[0]).sum(axis=0).tolist() == [1] * 1000
    assert set((1 - seen[0]).sum(axis=1).tolist()) == {3, 4}
    # The skewness of sums of parts, as the acceleration needs it, is that of the single ones.
    away, single = values.mean() - values, data - data.mean()
    parts = (away**3).sum() / (away**2).sum() ** 1.5
    assert parts == pytest.approx((single**3).sum() / (single**2).sum() ** 1.5, abs=0.03)


def test_resamples_without_true_boxes_are_left_out():
    box = np.array([[0.0, 0.0, 9.0, 9.0]])
    records = tuple(
        ImageRecord(n, f"{n}.jpg", (50, 50), box if n < 3 else np.zeros((0, 4)), [1] if n < 3 else [])
        for n in range(1, 5)
    )
    dataset = Dataset("sparse", Path(), ("pit",), records)
    hit, nothing = Detections(box, [0.9], [1]), Detections(np.zeros((0, 4)), [], [])
    reference = match_dataset(dataset, [hit, hit, nothing, nothing])
    candidate = match_dataset(dataset, [hit, nothing, nothing, nothing])
    interval = delta_map_interval(reference, candidate, method="percentile")
    # Recall 1/2 at precision 1 reaches 51 of the 101 recall points.
    assert interval.point == pytest.approx(51 / 101 - 1, abs=1e-12)
    assert (interval.low, interval.high) == (-1.0, 0.0)


def test_what_cannot_be_compared_is_refused():
    dataset, detections = random_case(4, images=6)
    matches = match_dataset(dataset, detections)
    bare = tuple(replace(record, boxes_yxyx_px=np.zeros((0, 4)), class_ids=[]) for record in dataset.records)
    no_truth = match_dataset(replace(dataset, records=bare), detections)
    with pytest.raises(OddemoError, match="no true boxes"):
        delta_map_interval(no_truth, no_truth)
    with pytest.raises(OddemoError, match="no true boxes"):
        map_interval(no_truth)
    others = {
        "true boxes": no_truth,
        "pictures": matches.select(np.arange(5)),
        "IoU thresholds": match_dataset(dataset, detections, iou_thresholds=(0.5,)),
        "classes": match_dataset(replace(dataset, class_names=("a", "b", "c", "d")), detections),
    }
    for name, other in others.items():
        with pytest.raises(OddemoError, match=name):
            delta_map_interval(matches, other)
    one = matches.select([int(matches.truth_counts.sum(axis=1).argmax())])
    with pytest.raises(OddemoError, match="two pictures"):
        delta_map_interval(one, one)
    for confidence in (0.0, 1.0):
        with pytest.raises(OddemoError, match="confidence"):
            delta_map_interval(matches, matches, confidence=confidence)
    with pytest.raises(OddemoError, match="kind of interval"):
        delta_map_interval(matches, matches, method="studentised")
    with pytest.raises(OddemoError, match="ap60"):
        delta_map_interval(matches, matches, metric="ap60")


def test_two_pictures_give_finite_limits():
    dataset, detections = random_case(4, images=12)
    matches = match_dataset(dataset, detections)
    pair = np.argsort(matches.truth_counts.sum(axis=1))[-2:]
    other = match_dataset(dataset, damaged(detections, 0)).select(pair)
    for method in METHODS:
        for confidence in (0.5, 0.95, 0.9999):
            interval = delta_map_interval(matches.select(pair), other, method=method, confidence=confidence)
            assert interval.low <= interval.high


def test_record_validates_and_prints():
    good = Interval(-0.21, -0.26, -0.15, 64, 1000, 0.95, 0, "outermost")
    assert str(good) == "-0.210 [-0.260, -0.150]"
    assert -0.2 in good
    assert 0.0 not in good
    assert json.loads(json.dumps(good.as_dict()))["images"] == 64
    with pytest.raises(OddemoError, match="limits"):
        replace(good, low=0.0)
    with pytest.raises(OddemoError, match="limits"):
        replace(good, point=float("nan"))


def test_stored_coverage_supports_the_default():
    """The default method's stored coverage, over all candidates, lies in 93 to 97 % for each number of pictures."""
    stored = json.loads((REPOSITORY / "results" / "interval_coverage.json").read_text())
    method = stored["summary"]["default_method"]
    assert method == delta_map_interval.__kwdefaults__["method"]
    for images in ("32", "64", "128"):
        coverage = stored["summary"]["delta_ap"]["by_images"][images][method]
        assert coverage["experiments"] >= 400
        assert 0.93 <= coverage["value"] <= 0.97
    speedup = json.loads((REPOSITORY / "results" / "performance.json").read_text())["ratios"]["interval_speedup"]
    assert speedup >= 200


def test_expanded_quantiles_reach_as_far_as_t():
    values = norm.ppf((np.arange(10000) + 0.5) / 10000) * np.sqrt(9 / 10)
    low, high = interval_limits(values, 0.0, images=10, confidence=0.95, method="expanded")
    assert (low, high) == pytest.approx(tuple(t.ppf([0.025, 0.975], 9)), rel=0.01)
