"""Average precision from our matches, and from faster-coco-eval, against pycocotools."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coco_oracle import CLASS_NAMES, pycocotools_evaluation, random_case
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.average_precision import average_precision, class_average_precision
from oddemo.metrics.coco import coco_metrics
from oddemo.metrics.coco_form import bbox_xywh_px, coco_iou
from oddemo.metrics.matches import match_dataset

#: Both sides add the same few hundred numbers of about 1; only the order of the additions differs.
TOLERANCE = 1e-9

NOTHING = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0))


def has_truths(dataset: Dataset) -> bool:
    return any(len(record.class_ids) for record in dataset.records)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), images=st.integers(1, 12), on_grid=st.booleans())
def test_matches_give_pycocotools_average_precision(seed, images, on_grid):
    dataset, detections = random_case(seed, images=images, on_grid=on_grid)
    matches = match_dataset(dataset, detections)
    stats = pycocotools_evaluation(dataset, detections).stats
    for metric, expected in zip(("ap", "ap50", "ap75"), stats[:3], strict=True):
        value = average_precision(matches, metric=metric)[0]
        assert (expected == -1 and np.isnan(value)) or abs(value - expected) <= TOLERANCE


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), on_grid=st.booleans())
def test_average_precision_of_each_class_is_pycocotools(seed, on_grid):
    dataset, detections = random_case(seed, on_grid=on_grid)
    precision = pycocotools_evaluation(dataset, detections).eval["precision"][:, :, :, 0, 2]
    ours = class_average_precision(match_dataset(dataset, detections))[0]
    for index in range(len(CLASS_NAMES)):
        theirs = precision[:, :, index]
        assert np.isnan(ours[index]) == (theirs == -1).all()
        assert np.isnan(ours[index]) or abs(ours[index] - theirs.mean()) <= TOLERANCE
    assert np.isnan(ours[-1])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), on_grid=st.booleans())
def test_counted_boxes_follow_cocos_area_ranges(seed, on_grid):
    dataset, detections = random_case(seed, on_grid=on_grid)
    stats = pycocotools_evaluation(dataset, detections).stats
    for index, (least, most) in enumerate(((0, 32**2), (32**2, 96**2), (96**2, 1e10)), 3):

        def counted(record, boxes, least=least, most=most):
            areas = bbox_xywh_px(boxes)[:, 2:].prod(axis=1)
            return (areas >= least) & (areas <= most)

        value = average_precision(match_dataset(dataset, detections, counted=counted))[0]
        assert (stats[index] == -1 and np.isnan(value)) or abs(value - stats[index]) <= TOLERANCE


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_weights_are_copies_of_pictures(seed):
    dataset, detections = random_case(seed, images=6)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(6, np.full(6, 1 / 6), size=4)
    matches = match_dataset(dataset, detections)
    values = average_precision(matches, weights)
    by_id = sorted(range(6), key=lambda index: dataset.records[index].image_id)
    for row, value in zip(weights, values, strict=True):
        chosen = np.repeat(by_id, row)
        records = tuple(replace(dataset.records[index], image_id=number) for number, index in enumerate(chosen, 1))
        copies = replace(dataset, records=records)
        expected = pycocotools_evaluation(copies, [detections[index] for index in chosen]).stats[0]
        assert (expected == -1 and np.isnan(value)) or abs(value - expected) <= TOLERANCE
        selected = average_precision(matches.select(np.repeat(np.arange(6), row)))[0]
        assert (np.isnan(selected) and np.isnan(value)) or abs(selected - value) <= TOLERANCE


def test_blocks_do_not_change_the_result(monkeypatch):
    dataset, detections = random_case(5, images=12)
    matches = match_dataset(dataset, detections)
    weights = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=50)
    whole = average_precision(matches, weights)
    monkeypatch.setattr("oddemo.metrics.average_precision._MOST_NUMBERS", 1)
    np.testing.assert_allclose(average_precision(matches, weights), whole, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), on_grid=st.booleans())
def test_overlap_is_that_of_pycocotools_to_the_last_bit(seed, on_grid):
    dataset, detections = random_case(seed, on_grid=on_grid)
    for record, found in zip(dataset.records, detections, strict=True):
        truths, boxes = bbox_xywh_px(record.boxes_yxyx_px), bbox_xywh_px(found.boxes_yxyx_px)
        if len(truths) and len(boxes):
            assert np.array_equal(coco_iou(boxes, truths), mask.iou(boxes, truths, [0] * len(truths)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), images=st.integers(1, 12), on_grid=st.booleans())
def test_coco_metrics_are_those_of_pycocotools(seed, images, on_grid):
    dataset, detections = random_case(seed, images=images, on_grid=on_grid)
    if not has_truths(dataset):
        return
    evaluation = pycocotools_evaluation(dataset, detections)
    ours = coco_metrics(dataset, detections).as_dict()
    order = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    order += ("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")
    for name, expected in zip(order, evaluation.stats, strict=True):
        assert (expected == -1 and ours[name] is None) or abs(ours[name] - expected) <= TOLERANCE, name
    precision = evaluation.eval["precision"]
    for key, thresholds in (("ap_per_class", slice(None)), ("ap50_per_class", slice(0, 1))):
        assert tuple(ours[key]) == CLASS_NAMES
        for index, name in enumerate(CLASS_NAMES):
            theirs = precision[thresholds, :, index, 0, 2]
            assert (ours[key][name] is None) == (theirs == -1).all()
            assert ours[key][name] is None or abs(ours[key][name] - theirs.mean()) <= TOLERANCE


def test_coco_metrics_are_silent_and_json(capfd, caplog):
    caplog.set_level(logging.WARNING)
    dataset, detections = random_case(3)
    metrics = coco_metrics(dataset, detections)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert json.loads(json.dumps(metrics.as_dict()))["ap_per_class"]["never there"] is None
    with pytest.raises(TypeError):
        metrics.ap_per_class["scratch"] = 1.0


def test_perfect_and_empty_detections():
    dataset, _ = random_case(3)
    perfect = [Detections(r.boxes_yxyx_px, np.ones(len(r.class_ids)), r.class_ids) for r in dataset.records]
    assert coco_metrics(dataset, perfect).ap == pytest.approx(1.0, abs=1e-12)
    nothing = coco_metrics(dataset, [NOTHING] * len(dataset))
    assert nothing.ap == nothing.ap50 == nothing.ar100 == 0.0
    assert average_precision(match_dataset(dataset, [NOTHING] * len(dataset)))[0] == 0.0


def test_of_equal_overlaps_the_last_true_box_is_taken():
    truths = np.array([[0.0, 0.0, 30.0, 30.0], [0.0, 10.0, 30.0, 40.0]])
    dataset = Dataset("tie", Path(), ("pit",), (ImageRecord(1, "a.jpg", (50, 50), truths, [1, 1]),))
    between = [0.0, 5.0, 30.0, 35.0]
    for second, both_right in (([0.0, 0.0, 30.0, 31.0], True), ([0.0, 12.0, 30.0, 40.0], False)):
        found = [Detections([between, second], [0.9, 0.8], [1, 1])]
        matches = match_dataset(dataset, found, iou_thresholds=(0.7,))
        assert matches.true_positive.tolist() == [[True, both_right]]
        theirs = pycocotools_evaluation(dataset, found).stats[0]
        assert abs(average_precision(match_dataset(dataset, found))[0] - theirs) <= TOLERANCE


def test_a_true_box_that_counts_goes_before_one_that_does_not():
    truths = np.array([[0.0, 0.0, 32.0, 34.0], [0.0, 0.0, 32.0, 32.0]])
    dataset = Dataset("edge", Path(), ("pit",), (ImageRecord(1, "a.jpg", (50, 50), truths, [1, 1]),))
    found = [Detections(truths[:1], [0.9], [1])]

    def small(_record, boxes):
        return bbox_xywh_px(boxes)[:, 2:].prod(axis=1) <= 32**2

    matches = match_dataset(dataset, found, counted=small)
    assert matches.true_positive[:9].all()
    assert not matches.ignored[:9].any()
    assert abs(average_precision(matches)[0] - pycocotools_evaluation(dataset, found).stats[3]) <= TOLERANCE


def test_only_the_best_detections_count():
    box = np.array([[0.0, 0.0, 20.0, 20.0]])
    record = ImageRecord(1, "a.jpg", (300, 300), box, [1])
    dataset = Dataset("one", Path(), ("pit",), (record,))
    elsewhere = np.tile([100.0, 100.0, 120.0, 120.0], (100, 1))
    found = Detections(np.concatenate([elsewhere, box]), np.linspace(0.9, 0.1, 101), np.ones(101))
    assert len(match_dataset(dataset, [found]).scores) == 100
    assert average_precision(match_dataset(dataset, [found]))[0] == 0.0 == coco_metrics(dataset, [found]).ap
    assert average_precision(match_dataset(dataset, [found], max_detections=101))[0] > 0


def test_bad_input_is_named():
    dataset, detections = random_case(3)
    with pytest.raises(OddemoError, match="8 pictures"):
        match_dataset(dataset, detections[:-1])
    broken = Detections([[0, 0, np.nan, 1]], [0.5], [1])
    for function in (match_dataset, coco_metrics):
        with pytest.raises(OddemoError, match="not a number"):
            function(dataset, [*detections[:-1], broken])
        with pytest.raises(OddemoError, match="no pictures"):
            function(replace(dataset, records=()), [])
    bare = [replace(record, boxes_yxyx_px=np.zeros((0, 4)), class_ids=[]) for record in dataset.records]
    with pytest.raises(OddemoError, match="no true boxes"):
        coco_metrics(replace(dataset, records=tuple(bare)), detections)
    matches = match_dataset(dataset, detections, iou_thresholds=(0.6,))
    with pytest.raises(OddemoError, match="ap50"):
        average_precision(matches, metric="ap50")
    with pytest.raises(OddemoError, match="weights"):
        average_precision(matches, np.ones((1, 3), dtype=int))
    with pytest.raises(OddemoError, match="thresholds"):
        match_dataset(dataset, detections, iou_thresholds=(0.0,))
