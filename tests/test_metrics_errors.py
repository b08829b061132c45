"""Sorting mistakes by kind, and what each kind costs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coco_oracle import pycocotools_evaluation, random_case
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.boxes import pairwise_iou
from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.errors import ERROR_KINDS, describe_change, error_profile

TRUTH = np.array([[0.0, 0.0, 100.0, 100.0], [200.0, 200.0, 300.0, 300.0]])
RIGHT = [0.0, 0.0, 100.0, 100.0]
SHIFTED = [0.0, 70.0, 100.0, 170.0]  # IoU 30 / 170 with the first true box
ELSEWHERE = [300.0, 0.0, 340.0, 40.0]
SECOND = [200.0, 200.0, 300.0, 300.0]


def profile(*rows: tuple[list[float], float, int]):
    record = ImageRecord(1, "a.jpg", (400, 400), TRUTH, [1, 2])
    dataset = Dataset("one", Path(), ("cat", "dog"), (record,))
    boxes, scores, ids = zip(*rows, strict=True) if rows else (np.zeros((0, 4)), [], [])
    return error_profile(dataset, [Detections(np.array(boxes), scores, ids)])


@pytest.mark.parametrize(
    ("row", "kind", "outcome"),
    [
        ((RIGHT, 0.9, 2), "classification", "classification"),
        ((SHIFTED, 0.9, 1), "localisation", "localisation"),
        ((SHIFTED, 0.9, 2), "both", "missed"),
        ((ELSEWHERE, 0.9, 1), "background", "missed"),
    ],
)
def test_each_kind_by_itself(row, kind, outcome):
    found = profile(row, (SECOND, 0.8, 2))
    assert found.counts[kind] == 1
    assert found.outcomes == (outcome, "found")
    assert sum(found.counts.values()) == 1 + (outcome == "missed")
    assert found.ap50_gain[kind] >= 0
    # Of the two classes, "cat" has nothing right; "dog" is right, below a mistake if the mistake says "dog".
    assert found.ap50 == pytest.approx(0.25 if row[2] == 2 else 0.5, abs=1e-9)
    if outcome != "missed":
        assert found.ap50 + found.ap50_gain[kind] == pytest.approx(1.0, abs=1e-9)


def test_duplicates_and_missed():
    found = profile((RIGHT, 0.9, 1), (RIGHT, 0.8, 1), (RIGHT, 0.7, 1))
    assert found.counts == {**dict.fromkeys(ERROR_KINDS, 0), "duplicate": 2, "missed": 1}
    assert found.outcomes == ("found", "missed")
    assert found.ap50 == pytest.approx(0.5, abs=1e-9)
    # Without the missed dog there is no class of dogs left, and cats are perfect.
    assert found.ap50_gain["missed"] == pytest.approx(0.5, abs=1e-9)
    assert profile().counts["missed"] == 2
    assert profile().ap50_gain["missed"] == 1.0


def test_one_true_box_is_given_to_one_mended_detection():
    found = profile((SHIFTED, 0.9, 1), (SHIFTED, 0.8, 1), (SECOND, 0.5, 2))
    assert found.counts["localisation"] == 2
    assert found.ap50 + found.ap50_gain["localisation"] == pytest.approx(1.0, abs=1e-9)


def slow_kinds(record: ImageRecord, found: Detections) -> dict[str, int]:
    """Count the kinds of mistakes one by one, as TIDE's rules read, for at most 100 detections of a class."""
    iou = pairwise_iou(found.boxes_yxyx_px.astype(float), record.boxes_yxyx_px)
    taken: set[int] = set()
    counts = dict.fromkeys(ERROR_KINDS, 0)
    aimed: set[int] = set()
    wrong = []
    for row in np.argsort(-found.scores, kind="stable"):
        if not 1 <= found.class_ids[row] <= 4:
            continue
        same = [g for g in range(len(record.class_ids)) if record.class_ids[g] == found.class_ids[row]]
        free = [g for g in same if g not in taken and iou[row, g] >= 0.5]
        if free:
            taken.add(max(free, key=lambda g: (iou[row, g], g)))
        else:
            wrong.append(row)
    for row in wrong:
        same = [(iou[row, g], -g) for g in range(len(record.class_ids)) if record.class_ids[g] == found.class_ids[row]]
        other = [(iou[row, g], -g) for g in range(len(record.class_ids)) if record.class_ids[g] != found.class_ids[row]]
        best_same, best_other = max(same, default=(-1, 0)), max(other, default=(-1, 0))
        if 0.1 <= best_same[0] < 0.5:
            counts["localisation"] += 1
            aimed.add(-best_same[1])
        elif best_other[0] >= 0.5:
            counts["classification"] += 1
            aimed.add(-best_other[1])
        elif best_same[0] >= 0.5:
            counts["duplicate"] += 1
        elif max(best_same[0], best_other[0]) < 0.1:
            counts["background"] += 1
        else:
            counts["both"] += 1
    counts["missed"] = len(set(range(len(record.class_ids))) - taken - aimed)
    return counts


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_kinds_against_a_slow_reading_of_the_rules(seed):
    dataset, detections = random_case(seed)
    if not any(len(record.class_ids) for record in dataset.records):
        return
    found = error_profile(dataset, detections)
    slow = [slow_kinds(record, one) for record, one in zip(dataset.records, detections, strict=True)]
    assert dict(found.counts) == {kind: sum(counts[kind] for counts in slow) for kind in ERROR_KINDS}
    assert len(found.outcomes) == sum(len(record.class_ids) for record in dataset.records)
    assert found.outcomes.count("found") == found.right
    assert found.outcomes.count("missed") == found.counts["missed"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), on_grid=st.booleans())
def test_ap50_is_pycocotools_and_mending_is_what_it_says(seed, on_grid):
    dataset, detections = random_case(seed, on_grid=on_grid)
    if not any(len(record.class_ids) for record in dataset.records):
        return
    found = error_profile(dataset, detections)
    assert abs(found.ap50 - pycocotools_evaluation(dataset, detections).stats[1]) <= 1e-9
    for kind in ERROR_KINDS:
        assert found.ap50_gain[kind] >= -1e-12
        assert found.counts[kind] or found.ap50_gain[kind] == 0.0


def test_mended_background_is_the_metric_without_it():
    dataset, detections = random_case(11, images=20)
    found = error_profile(dataset, detections)
    cleaned = []
    for record, one in zip(dataset.records, detections, strict=True):
        iou = pairwise_iou(one.boxes_yxyx_px.astype(float), record.boxes_yxyx_px)
        near = iou.max(axis=1, initial=0.0) >= 0.1
        cleaned.append(Detections(one.boxes_yxyx_px[near], one.scores[near], one.class_ids[near]))
    expected = pycocotools_evaluation(dataset, cleaned).stats[1]
    assert found.ap50_gain["background"] > 0.01
    assert abs(found.ap50 + found.ap50_gain["background"] - expected) <= 1e-9


def test_a_change_is_described_by_where_the_true_boxes_went():
    dataset, _ = random_case(4, images=30)
    perfect = [Detections(r.boxes_yxyx_px, np.full(len(r.class_ids), 0.9), r.class_ids) for r in dataset.records]
    shifted = [Detections(d.boxes_yxyx_px, d.scores, d.class_ids % 3 + 1) for d in perfect]
    reference, candidate = error_profile(dataset, perfect), error_profile(dataset, shifted)
    change = describe_change(reference, candidate)
    lines = {line.kind: line for line in change.lines}
    lost = sum(len(record.class_ids) for record in dataset.records)
    assert change.ap50_change < -0.8
    assert lines["classification"].truths_lost > 0.9 * lost
    assert sum(line.truths_lost for line in change.lines) == candidate.outcomes.count("missed") + sum(
        candidate.outcomes.count(kind) for kind in ("classification", "localisation")
    )
    assert lines["classification"].candidate_ap50_gain > 0.8
    assert lines["classification"].reference == 0
    back = describe_change(candidate, reference)
    assert back.ap50_change == -change.ap50_change
    assert {line.kind: line.truths_won for line in back.lines} == {k: v.truths_lost for k, v in lines.items()}
    text = str(change)
    assert len(text.splitlines()) == 8
    assert "classification" in text
    assert json.loads(json.dumps(change.as_dict()))["lines"][0]["kind"] == "classification"
    assert json.loads(json.dumps(candidate.as_dict()))["counts"]["missed"] == candidate.counts["missed"]


def test_bad_input_is_named():
    dataset, detections = random_case(4)
    other, found = random_case(5)
    with pytest.raises(OddemoError, match="different true boxes"):
        describe_change(error_profile(dataset, detections), error_profile(other, found))
    with pytest.raises(OddemoError, match="pictures"):
        error_profile(dataset, detections[1:])
    bare = [replace(record, boxes_yxyx_px=np.zeros((0, 4)), class_ids=[]) for record in dataset.records]
    with pytest.raises(OddemoError, match="no true boxes"):
        error_profile(replace(dataset, records=tuple(bare)), detections)
