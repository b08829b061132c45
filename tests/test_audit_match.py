"""Pairing and comparing detections: by what they say, never by their slot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.audit.compare import compare_traces
from oddemo.audit.match import agreement, likeness, pair_detections
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections
from oddemo.errors import OddemoError


def random_detections(seed: int, count: int) -> Detections:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 60, (count, 2))], axis=1)
    return Detections(boxes, np.sort(rng.uniform(0.05, 1, count))[::-1], rng.integers(1, 6, count))


def a_trace(found: Detections, **changes) -> Trace:
    fields = {
        "source": "test:one",
        "image_names": ("one.png",),
        "images": (),
        "dense": {"pixels": {"pixels": np.zeros((1, 4, 4, 3), np.float32)}},
        "detections": (found,),
        "labels": ("a", "b", "c", "d", "e"),
    }
    return Trace(**{**fields, **changes})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 30))
def test_any_order_of_the_same_detections_agrees_wholly(seed, count):
    detections = random_detections(seed, count)
    order = np.random.default_rng(seed + 1).permutation(count)
    shuffled = Detections(detections.boxes_yxyx_px[order], detections.scores[order], detections.class_ids[order])
    result = agreement(detections, shuffled)
    assert result.equal
    assert result.paired == count
    assert result.largest_box_difference_px == 0.0
    assert likeness(detections, shuffled) == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 30), drop=st.integers(0, 29))
def test_a_missing_detection_is_counted_once(seed, count, drop):
    detections = random_detections(seed, count)
    kept = np.arange(count) != drop % count
    fewer = Detections(detections.boxes_yxyx_px[kept], detections.scores[kept], detections.class_ids[kept])
    result = agreement(detections, fewer)
    assert (result.reference_only, result.candidate_only) == (1, 0)
    assert not result.equal


def test_a_shifted_label_map_does_not_look_like_moved_boxes():
    box = [[10, 10, 50, 50], [10, 10, 50, 50]]
    reference = Detections(box, [0.9, 0.3], [1, 2])
    candidate = Detections(box, [0.9, 0.3], [2, 3])
    result = agreement(reference, candidate)
    assert result.equal
    assert result.relabelled == 2


def test_equal_boxes_without_area_are_a_pair():
    flat = Detections([[240, 10, 240, 50]], [0.5], [1])
    assert len(pair_detections(flat, flat).pairs) == 1


def test_a_detection_at_the_cut_off_score_is_forgiven_and_one_above_it_is_not():
    box = [[10, 10, 50, 50]]
    none = Detections([], [], [])
    assert agreement(Detections(box, [0.0504], [1]), none, floor=0.05).equal
    assert not agreement(Detections(box, [0.06], [1]), none, floor=0.05).equal


def test_the_first_stage_that_differs_is_named():
    detections = random_detections(3, 5)
    reference = a_trace(detections)
    pixels = np.zeros((1, 4, 4, 3), np.float32)
    pixels[0, 1, 2, 0] = 0.01
    candidate = a_trace(detections.above(0.5), dense={"pixels": {"pixels": pixels}})
    comparison = compare_traces(reference, candidate)
    assert comparison.first_divergence == "pixels"
    assert comparison.stage("pixels").largest_difference == pytest.approx(0.01)
    assert comparison.stage("detections").status == "differs"
    assert comparison.stage("heads").status == "not_compared"


def test_another_shape_differs_and_says_so():
    detections = random_detections(3, 5)
    candidate = a_trace(detections, dense={"pixels": {"pixels": np.zeros((1, 5, 4, 3), np.float32)}})
    result = compare_traces(a_trace(detections), candidate).stage("pixels")
    assert result.status == "differs"
    assert "(4, 4, 3)" in result.detail
    assert "(5, 4, 3)" in result.detail


def test_the_number_of_a_feature_map_is_called_a_level():
    detections = random_detections(3, 5)
    first, second = (np.full((1, 2, 2, 8), value, np.float32) for value in (0.0, 5.0))
    levels = a_trace(detections, dense={"features": {"0": first, "1": first}})
    moved = a_trace(detections, dense={"features": {"0": first, "1": second}})
    detail = compare_traces(levels, moved).stage("features").detail
    assert detail == "level 1 (level 0 is the finest): largest difference 5"
    smaller = a_trace(detections, dense={"features": {"0": first[:, :1], "1": first}})
    told = compare_traces(levels, smaller).stage("features").detail
    assert told.startswith("level 0 (level 0 is the finest) has shape (2, 2, 8) in the reference and (1, 2, 8)")


def test_an_empty_comparison_is_an_error_never_a_pass():
    only_pixels = a_trace(random_detections(1, 2), detections=())
    only_detections = a_trace(random_detections(1, 2), dense={})
    with pytest.raises(OddemoError, match="no common stage"):
        compare_traces(only_pixels, only_detections)


def test_disjoint_image_sets_are_an_error():
    detections = random_detections(1, 2)
    with pytest.raises(OddemoError, match="not of the same pictures"):
        compare_traces(a_trace(detections), a_trace(detections, image_names=("two.png",)))


def test_nan_in_a_stage_is_an_error():
    pixels = np.full((1, 4, 4, 3), np.nan, np.float32)
    with pytest.raises(OddemoError, match="not finite"):
        a_trace(random_detections(1, 2), dense={"pixels": {"pixels": pixels}})


def test_names_are_compared_by_what_the_caller_sees():
    detections = Detections([[10, 10, 50, 50]], [0.9], [1])
    same = compare_traces(a_trace(detections), a_trace(detections))
    assert same.stage("labels").status == "equal"
    swapped = a_trace(detections, labels=("b", "a", "c", "d", "e"))
    result = compare_traces(a_trace(detections), swapped).stage("labels")
    assert result.status == "differs"
    assert "a becomes b (1x)" in result.detail
