"""Planted faults: as many as asked for, of the kind asked for, and the truth is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_data import chance_dataset, dataset_of, pictures_with

from oddemo.data.boxes import box_areas, pairwise_iou
from oddemo.data.damage.labels import LARGEST_OVERLAP, damage_labels
from oddemo.data.damage.selection import make_rare, take_few
from oddemo.errors import OddemoError

PARTS = st.floats(0, 0.33)


@settings(deadline=None)
@given(PARTS, PARTS, PARTS, PARTS, st.integers(0, 50))
def test_every_fault_is_what_it_is_called_and_all_else_is_as_it_was(shifted, dropped, swapped, added, seed):
    true = chance_dataset(12, seed=3)
    damaged = damage_labels(true, shifted=shifted, dropped=dropped, swapped=swapped, added=added, seed=seed)
    assert damaged.truth is true
    for before, after in zip(true.records, damaged.dataset.records, strict=True):
        faults = [fault for fault in damaged.faults if fault.image_id == before.image_id]
        gone = {fault.true_box for fault in faults if fault.kind == "dropped"}
        new = {fault.box for fault in faults if fault.kind == "added"}
        assert len(after.class_ids) == len(before.class_ids) - len(gone) + len(new)
        left = [k for k in range(len(before.class_ids)) if k not in gone]
        stayed = [k for k in range(len(after.class_ids)) if k not in new]
        kinds = {fault.box: fault.kind for fault in faults if fault.box is not None}
        assert {fault.true_box: fault.box for fault in faults if fault.kind in ("shifted", "swapped")}.items() <= dict(
            zip(left, stayed, strict=True)
        ).items()
        for old, box in zip(left, stayed, strict=True):
            same_class = before.class_ids[old] == after.class_ids[box]
            same_box = np.array_equal(before.boxes_yxyx_px[old], after.boxes_yxyx_px[box])
            assert same_class == (kinds.get(box) != "swapped")
            # A shift against the picture's edge may be pushed back to where it was.
            assert same_box or kinds.get(box) == "shifted"
        if new:
            overlaps = pairwise_iou(after.boxes_yxyx_px[sorted(new)], before.boxes_yxyx_px)
            assert (overlaps <= LARGEST_OVERLAP).all()
        height, width = after.image_size_hw_px
        assert (after.boxes_yxyx_px >= 0).all()
        assert (after.boxes_yxyx_px <= [height, width, height, width]).all()


def test_as_many_as_asked_for():
    true = chance_dataset(600, seed=1)
    boxes = sum(len(record.class_ids) for record in true.records)
    damaged = damage_labels(true, shifted=0.2, dropped=0.1, swapped=0.3, added=0.25, seed=5)
    # 1500 boxes: a standard error of about 1 point.
    parts = {kind: count / boxes for kind, count in damaged.count().items()}
    assert parts == pytest.approx({"shifted": 0.2, "dropped": 0.1, "swapped": 0.3, "added": 0.25}, abs=0.04)


def test_a_shift_is_as_far_as_asked_for_and_keeps_the_size():
    true = dataset_of([[1]] * 40)
    damaged = damage_labels(true, shifted=1.0, shift=0.2, seed=1)
    moved = [(record.boxes_yxyx_px - true.records[0].boxes_yxyx_px)[0] for record in damaged.dataset.records]
    steps = np.array(moved)[:, :2] / [15, 7]
    inside = [record.boxes_yxyx_px[0].min() > 0 for record in damaged.dataset.records]
    assert sum(inside) > 20
    assert np.linalg.norm(steps[inside], axis=1) == pytest.approx(0.2)
    assert np.concatenate([box_areas(record.boxes_yxyx_px) for record in damaged.dataset.records]) == pytest.approx(105)


def test_swapped_classes_are_spread_over_all_others():
    damaged = damage_labels(dataset_of([[1, 2, 3]] * 200), swapped=1.0, seed=2)
    pairs = [(k + 1, int(record.class_ids[k])) for record in damaged.dataset.records for k in range(3)]
    counts = {pair: pairs.count(pair) for pair in set(pairs)}
    assert set(counts) == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3) if a != b}
    assert min(counts.values()) > 70


def test_the_seed_decides_and_more_of_a_kind_keeps_what_was_there():
    true = chance_dataset(40)
    some, more = (damage_labels(true, dropped=part, seed=4) for part in (0.2, 0.4))
    assert set(some.faults) < set(more.faults)
    assert damage_labels(true, dropped=0.2, seed=4).faults == some.faults
    assert damage_labels(true, dropped=0.2, seed=5).faults != some.faults
    assert damage_labels(true, seed=4).faults == ()


@pytest.mark.parametrize("parts", [{"shifted": -0.1}, {"dropped": 0.6, "swapped": 0.6}, {"added": 1.5}])
def test_impossible_parts_are_refused(parts):
    with pytest.raises(OddemoError, match="parts of the labels"):
        damage_labels(chance_dataset(3), **parts, seed=0)


def test_a_class_becomes_rare():
    true = chance_dataset(100)
    rare = make_rare(true, "bolt", 5, seed=1)
    assert pictures_with(rare, 2) == 5
    assert len(rare) == 100 - pictures_with(true, 2) + 5
    small = make_rare(true, "bolt", 5, seed=1, most=30)
    assert (len(small), pictures_with(small, 2)) == (30, 5)
    assert {record.image_id for record in small.records} < {record.image_id for record in rare.records}
    more = make_rare(true, "bolt", 9, seed=1)
    assert {record.image_id for record in rare.records} < {record.image_id for record in more.records}
    assert [record.image_id for record in make_rare(true, "bolt", 5, seed=2).records] != [
        record.image_id for record in rare.records
    ]


def test_few_pictures():
    true = chance_dataset(20)
    few, more = take_few(true, 5, seed=3), take_few(true, 8, seed=3)
    assert len(few) == 5
    assert {record.image_id for record in few.records} < {record.image_id for record in more.records}


def test_what_is_not_there_cannot_be_drawn():
    with pytest.raises(OddemoError, match="no class 'rivet'"):
        make_rare(chance_dataset(5), "rivet", 1, seed=0)
    for pictures in (0, 6):
        with pytest.raises(OddemoError, match="cannot be drawn"):
            take_few(chance_dataset(5), pictures, seed=0)
