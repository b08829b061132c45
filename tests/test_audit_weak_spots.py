"""A faithful export of a weak detector: the audit points at the data side, and only where there is something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddemo.audit.effect import scores_moved
from oddemo.audit.trace import Trace
from oddemo.audit.weak_spots import POINTERS, find_weak_spots
from oddemo.data.records import Dataset, Detections
from oddemo.data.sample import sample_dataset


@pytest.fixture(scope="module")
def truth() -> Dataset:
    return sample_dataset("wildlife")


def found(truth: Dataset, keep) -> list[Detections]:
    """Every true box that `keep` lets through, found exactly."""
    result = []
    for record in truth.records:
        rows = [i for i in range(len(record.class_ids)) if keep(record, i)]
        scores = np.linspace(0.9, 0.8, len(rows)) if rows else np.zeros(0)
        result.append(Detections(record.boxes_yxyx_px[rows], scores, record.class_ids[rows]))
    return result


def everything(_record, _index) -> bool:
    return True


def test_a_perfect_detector_on_sound_labels_has_no_weak_spot(truth):
    spots = find_weak_spots(truth, found(truth, everything), ap=1.0)
    assert spots.weak == ()
    assert list(spots.pointers()) == []
    assert {part.by for part in spots.parts} == set(POINTERS)
    assert all(part.ap == pytest.approx(1.0) for part in spots.parts if part.truths)


def test_the_class_that_is_never_found_is_named_first(truth):
    spots = find_weak_spots(truth, found(truth, lambda record, i: record.class_ids[i] != 2), ap=0.8)
    assert (spots.weak[0].by, spots.weak[0].name, spots.weak[0].ap) == ("class", truth.class_names[1], 0.0)
    first = next(spots.pointers())
    assert truth.class_names[1] in first
    assert POINTERS["class"] in first


def test_boxes_at_the_border_that_are_missed_show_as_position(truth):
    def central(record, i):
        middle = record.boxes_yxyx_px[i].reshape(2, 2).mean(axis=0) / record.image_size_hw_px
        return bool((np.abs(middle - 0.5) <= 0.5 * np.sqrt(0.5)).all())

    spots = find_weak_spots(truth, found(truth, central), ap=0.7)
    assert ("position", "border") in [(part.by, part.name) for part in spots.weak]
    assert ("position", "centre") not in [(part.by, part.name) for part in spots.weak]


def test_faults_in_the_labels_are_counted(truth):
    record = next(record for record in truth.records if len(record.class_ids))
    twice = replace(
        record,
        boxes_yxyx_px=np.concatenate([record.boxes_yxyx_px, record.boxes_yxyx_px[:1]]),
        class_ids=np.concatenate([record.class_ids, record.class_ids[:1]]),
    )
    faulty = replace(truth, records=tuple(twice if one is record else one for one in truth.records))
    spots = find_weak_spots(faulty, found(faulty, everything), ap=1.0)
    assert spots.label_faults["duplicate"] == 1
    assert "duplicate" in list(spots.pointers())[-1]
    assert spots.to_json()["label_faults"] == dict(spots.label_faults)


def test_true_boxes_of_other_pictures_with_the_same_names_are_told():
    from oddemo.audit.effect import other_files, truth_for
    from oddemo.audit.images import image_set

    pictures = image_set(sample_dataset("wildlife").root / "val", limit=5)
    own = truth_for(sample_dataset("wildlife", "val"), pictures)
    assert other_files(own, pictures) is None
    wrong = truth_for(sample_dataset("wildlife", "test"), pictures)  # the names fit, as they do in every split
    note = other_files(wrong, pictures)
    assert note is not None
    assert "5 of 5 differ in content" in note


def test_scores_that_only_keep_their_order_are_told():
    def trace(scores: list[float]) -> Trace:
        boxes = np.tile([1.0, 1.0, 9.0, 9.0], (len(scores), 1))
        found = Detections(boxes, np.array(scores), np.ones(len(scores), np.int64))
        return Trace("trace:a", ("a.jpg",), (), {}, (found,))

    before, again = [0.9, 0.4, 0.1], [1.0 / (1.0 + np.exp(-score)) for score in (0.9, 0.4, 0.1)]
    told = scores_moved(trace(before), trace(again))
    assert told is not None
    assert "3 detections of the candidate have a score of 0.5 or more, 1 of the reference" in told
    assert scores_moved(trace(before), trace([0.8, 0.4, 0.2])) is None
    assert scores_moved(trace([0.1]), trace([0.2])) is None
