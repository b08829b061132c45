"""Folds: each picture is measured on once, classes are spread, scenes stay together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_data import chance_dataset, dataset_of

from oddemo.data.balance.resampling import rarest_class_ids
from oddemo.data.folds import folds
from oddemo.errors import OddemoError


@settings(deadline=None)
@given(st.integers(2, 5), st.booleans(), st.booleans(), st.integers(0, 20))
def test_each_picture_is_measured_on_once_and_never_learnt_from_then(count, stratified, grouped, seed):
    dataset = chance_dataset(60)
    scene_of = (lambda record: record.image_id % 7) if grouped else None
    pairs = list(folds(dataset, count, seed=seed, stratified=stratified, scene_of=scene_of))
    assert len(pairs) == count
    measured = [record.image_id for _, measure in pairs for record in measure.records]
    assert sorted(measured) == [record.image_id for record in dataset.records]
    for learn, measure in pairs:
        learnt, held = ({record.image_id for record in part.records} for part in (learn, measure))
        assert not learnt & held
        assert learnt | held == set(measured)
        if grouped:
            assert not {number % 7 for number in learnt} & {number % 7 for number in held}


def test_stratified_folds_spread_a_rare_class():
    dataset = dataset_of([[1]] * 40 + [[1, 3]] * 4)
    for _, measure in folds(dataset, 4, seed=1, stratified=True):
        assert sum(3 in record.class_ids for record in measure.records) == 1
    assert (rarest_class_ids(dataset) == 3).sum() == 4


def test_the_seed_decides():
    dataset = chance_dataset(30)
    first, again, other = ([m.name for _, m in folds(dataset, 3, seed=1)] for _ in range(3))
    assert first == again == other == ["chance fold 1", "chance fold 2", "chance fold 3"]
    ids = [[[r.image_id for r in m.records] for _, m in folds(dataset, 3, seed=seed)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_too_many_folds_are_refused():
    with pytest.raises(OddemoError, match="2 to 3 folds"):
        list(folds(dataset_of([[1]] * 3), 4, seed=0))
    with pytest.raises(OddemoError, match="2 scenes"):
        list(folds(dataset_of([[1]] * 9), 3, seed=0, scene_of=lambda record: record.image_id % 2))
    with pytest.raises(OddemoError, match="washer 1"):
        list(folds(dataset_of([[1]] * 9 + [[3]]), 2, seed=0, stratified=True))
