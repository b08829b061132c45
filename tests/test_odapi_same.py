"""When two lists of detections are the same: made by hand, moved by known amounts, and in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.odapi_same import PARTNER_WITHIN, Limits, compare
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections
from oddemo.errors import OddemoError
from oddemo.lanes.matrix import SAME_WITHIN

SIDE = 100
SIZES = {"one.jpg": (SIDE, SIDE)}
LIMITS = Limits(detections=6, score=0.05)


def trace(boxes, scores, ids, *, dense=None, images=(), names=("one.jpg",)) -> Trace:
    found = Detections(np.array(boxes, float).reshape(-1, 4), np.array(scores, float), np.array(ids, int))
    return Trace("savedmodel:x", names, images, dense or {}, (found,) * len(names))


def some(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(10, 40, (count, 2))], axis=1)
    return boxes, np.sort(rng.uniform(0.2, 0.9, count))[::-1], rng.integers(1, 4, count)


@given(count=st.integers(0, 6), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_list_is_the_same_as_itself_in_any_order(count: int, seed: int) -> None:
    boxes, scores, ids = some(count, seed)
    order = np.random.default_rng(seed).permutation(count)
    found = compare(trace(boxes, scores, ids), trace(boxes[order], scores[order], ids[order]), LIMITS, SIZES)
    assert (found.pairs, found.box, found.score, found.alone, found.at_edge) == (count, 0.0, 0.0, 0, 0)
    assert found.same


@pytest.mark.parametrize(("of_it", "same"), [(0.5, True), (20.0, False)])
def test_what_is_moved_is_measured_and_the_number_decides(of_it: float, same: bool) -> None:
    boxes, scores, ids = some(5)
    by = of_it * SAME_WITHIN
    moved = compare(trace(boxes, scores, ids), trace(boxes + by * SIDE, scores, ids), LIMITS, SIZES)
    assert (moved.box, moved.score, moved.same) == (pytest.approx(by, abs=2e-7), 0.0, same)
    dimmer = compare(trace(boxes, scores, ids), trace(boxes, scores - by, ids), LIMITS, SIZES)
    assert (dimmer.box, dimmer.score, dimmer.same) == (0.0, pytest.approx(by, abs=2e-7), same)


def test_another_class_is_no_partner_and_neither_is_a_box_far_away() -> None:
    boxes, scores, ids = some(4)
    other = ids.copy()
    other[1] += 10
    found = compare(trace(boxes, scores, ids), trace(boxes, scores, other), LIMITS, SIZES)
    assert (found.pairs, found.alone, found.same) == (3, 2, False)
    far = boxes.copy()
    far[1] += 2 * PARTNER_WITHIN * SIDE
    found = compare(trace(boxes, scores, ids), trace(far, scores, ids), LIMITS, SIZES)
    assert (found.pairs, found.alone, found.same) == (3, 2, False)


def test_equal_neighbours_are_not_paired_crosswise() -> None:
    """Two boxes of equal score, 3 % of the side apart, told in the other order."""
    boxes = np.array([[10.0, 10.0, 40.0, 40.0], [13.0, 10.0, 43.0, 40.0]])
    found = compare(trace(boxes, [0.5, 0.5], [1, 1]), trace(boxes[::-1], [0.5, 0.5], [1, 1]), LIMITS, SIZES)
    assert (found.pairs, found.box, found.same) == (2, 0.0, True)


def test_what_comes_or_goes_counts_unless_the_list_ends_there() -> None:
    boxes, scores, ids = some(6)
    whole = trace(boxes, scores, ids)
    for lost, alone, at_edge in ((0, 1, 0), (5, 0, 1)):  # the list of six is full: its last one may be another
        keep = np.delete(np.arange(6), lost)
        found = compare(whole, trace(boxes[keep], scores[keep], ids[keep]), LIMITS, SIZES)
        assert (found.alone, found.at_edge, found.same) == (alone, at_edge, alone == 0)
    at_limit = np.array([0.5, 0.3, LIMITS.score + SAME_WITHIN / 2])
    found = compare(trace(boxes[:3], at_limit, ids[:3]), trace(boxes[:2], at_limit[:2], ids[:2]), LIMITS, SIZES)
    assert (found.alone, found.at_edge, found.same) == (0, 1, True)
    above = np.array([0.5, 0.3, LIMITS.score + 2 * SAME_WITHIN])
    assert not compare(trace(boxes[:3], above, ids[:3]), trace(boxes[:2], above[:2], ids[:2]), LIMITS, SIZES).same


def test_what_lies_before_suppression_and_the_pictures_are_told_where_both_show_them() -> None:
    boxes, scores, ids = some(2)
    pixels = {"pixels": np.zeros((1, 50, 50, 3), np.float32)}
    raw = {"boxes_yxyx": np.full((1, 9, 4), 10.0), "scores": np.full((1, 9, 3), 0.5)}
    moved = {"boxes_yxyx": raw["boxes_yxyx"] + 5.0, "scores": raw["scores"] + 0.02}
    picture = np.full((SIDE, SIDE, 3), 7, np.uint8)
    one = trace(boxes, scores, ids, dense={"pixels": pixels, "decoded": raw}, images=(picture,))
    other = trace(boxes, scores, ids, dense={"pixels": pixels, "decoded": moved}, images=(picture + 3,))
    found = compare(one, other, LIMITS, SIZES)
    assert (found.raw, found.decoded, found.same) == (pytest.approx(0.1), 3, True)
    blind = compare(one, trace(boxes, scores, ids), LIMITS, SIZES)
    assert (blind.raw, blind.decoded) == (None, None)


def test_recordings_of_other_pictures_are_refused() -> None:
    boxes, scores, ids = some(2)
    with pytest.raises(OddemoError, match="different pictures"):
        compare(trace(boxes, scores, ids), trace(boxes, scores, ids, names=("two.jpg",)), LIMITS, SIZES)
