"""Slips are what they are called, the check finds them all, and a detector's word is heard on the rest alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study_data import dataset_of
from test_clean import perfect

from oddemo.data.check import check_dataset
from oddemo.data.clean.early import beside, checked_suspects, find_all_suspects
from oddemo.data.clean.repair import count_found, repair_labels
from oddemo.data.clean.suspects import find_suspects
from oddemo.data.damage.labels import DamagedLabels, damage_labels
from oddemo.data.damage.slips import KINDS, plant_slips
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


@pytest.fixture(scope="module")
def true() -> Dataset:
    return dataset_of([[1 + k % 3, 1 + (k + 1) % 3, 1 + (k // 2) % 3] for k in range(80)])


@pytest.fixture(scope="module")
def both(true) -> DamagedLabels:
    faulty = damage_labels(true, shifted=0.08, dropped=0.08, swapped=0.08, added=0.08, shift=0.5, seed=2)
    return plant_slips(faulty, part=0.08, seed=2)


def test_slips_are_what_they_are_called_and_leave_other_faults_alone(true, both):
    assert both.truth is true
    before = damage_labels(true, shifted=0.08, dropped=0.08, swapped=0.08, added=0.08, shift=0.5, seed=2)
    slips = both.faults[len(before.faults) :]
    assert both.faults[: len(before.faults)] == before.faults
    assert {slip.kind for slip in slips} == set(KINDS)
    assert 3 * 0.03 * 240 < len(slips) < 3 * 0.12 * 240
    truth = {record.image_id: record for record in true.records}
    after = {record.image_id: record for record in both.dataset.records}
    for slip in slips:
        box = after[slip.image_id].boxes_yxyx_px[slip.box]
        origin = truth[slip.image_id].boxes_yxyx_px[slip.true_box]
        assert after[slip.image_id].class_ids[slip.box] == truth[slip.image_id].class_ids[slip.true_box]
        if slip.kind == "flat":
            assert box[0] == box[2] == origin[0]
        elif slip.kind == "outside":
            assert box[2] > 60
            assert np.array_equal(box[[0, 1, 3]], origin[[0, 1, 3]])
        else:
            assert 0 < np.abs(box - origin).max() < 1
    changed = {(slip.image_id, slip.box) for slip in slips}
    for old in before.dataset.records:
        for k, box in enumerate(old.boxes_yxyx_px):
            if (old.image_id, k) not in changed:
                assert np.array_equal(after[old.image_id].boxes_yxyx_px[k], box)
    assert plant_slips(before, part=0.0, seed=2).faults == before.faults
    with pytest.raises(OddemoError, match="not possible"):
        plant_slips(before, part=0.5, seed=2)


def test_the_check_finds_every_slip_and_no_sound_label(true, both):
    assert checked_suspects(true) == ()
    slips = {(fault.image_id, fault.box) for fault in both.faults if fault.kind in KINDS}
    found = {(suspect.image_id, suspect.box) for suspect in checked_suspects(both.dataset)}
    # A shifted box may cover what another true box of its class nearly covers; nothing else may be added.
    assert slips <= found
    assert len(found - slips) <= 3


def test_both_together_find_what_either_misses(true, both):
    seen = perfect(true, jitter=0.03)
    together = count_found(both, seen, find_all_suspects(both.dataset, seen))
    checked = count_found(both, seen, checked_suspects(both.dataset))
    detector = count_found(both, seen, find_suspects(both.dataset, seen))
    assert together.recall > 0.9
    assert together.precision > 0.95
    assert together.recall > max(checked.recall, detector.recall) + 0.1
    doubled = replace(both, faults=tuple(fault for fault in both.faults if fault.kind == "doubled"))
    assert count_found(doubled, seen, find_suspects(both.dataset, seen)).recall == 0
    assert count_found(doubled, seen, find_all_suspects(both.dataset, seen)).recall == 1


def test_repaired_labels_pass_the_check(true, both):
    seen = perfect(true, jitter=0.03)
    repaired = repair_labels(both.dataset, seen, find_all_suspects(both.dataset, seen))
    kinds = {finding.kind for finding in check_dataset(repaired, read_files=False)}
    assert not kinds & {"zero_area", "out_of_image", "duplicate", "inside_out"}
    # A flat box and one off the picture are put right, not thrown away.
    truth = {record.image_id: record for record in true.records}
    after = {record.image_id: record for record in repaired.records}
    right = []
    for fault in both.faults:
        if fault.kind in ("flat", "outside"):
            origin = truth[fault.image_id].boxes_yxyx_px[fault.true_box]
            right.append((np.abs(after[fault.image_id].boxes_yxyx_px - origin) < 2).all(axis=1).any())
    assert len(right) > 20
    assert np.mean(right) > 0.9


def test_beside_is_touching_and_half_in_common():
    box = np.array([10.0, 10.0, 20.0, 20.0])
    assert beside(box, np.array([10.0, 10.0, 10.0, 20.0]))
    assert beside(box, np.array([12.0, 11.0, 90.0, 21.0]))
    assert not beside(box, np.array([24.0, 10.0, 30.0, 20.0]))
    assert beside(box, np.array([21.0, 10.0, 30.0, 20.0]))
    assert not beside(box, np.array([18.0, 18.0, 28.0, 28.0]))


def test_without_slips_it_is_the_detectors_word_alone(true):
    damaged = damage_labels(true, swapped=0.2, dropped=0.1, seed=4)
    seen = perfect(true)
    assert checked_suspects(damaged.dataset) == ()
    alone = find_suspects(damaged.dataset, seen)
    assert sorted(find_all_suspects(damaged.dataset, seen), key=str) == sorted(alone, key=str)
    assert len(alone) > 40
