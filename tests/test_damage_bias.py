"""Datasets that lean: the shares are those asked for, and what is kept leans further than what is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_data import chance_dataset, dataset_of

from oddemo.data.damage.bias import lean_to_middle, lean_to_size, mix_pictures, off_centre, part_covered
from oddemo.data.records import Dataset
from oddemo.data.sample import sample_dataset
from oddemo.errors import OddemoError


def lit(count: int) -> Dataset:
    dataset = chance_dataset(count)
    lights = ("day", "dusk", "night")
    return replace(
        dataset, records=tuple(replace(r, attributes={"lighting": lights[r.image_id % 3]}) for r in dataset.records)
    )


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 5), st.integers(0, 5), st.integers(1, 5), st.integers(0, 9))
def test_shares_are_right_to_a_picture(pictures, day, dusk, night, seed):
    mixed = mix_pictures(lit(90), {"day": day, "dusk": dusk, "night": night}, pictures, seed=seed)
    assert len(mixed) == pictures
    counts = Counter(record.attributes["lighting"] for record in mixed.records)
    for name, weight in (("day", day), ("dusk", dusk), ("night", night)):
        assert abs(counts[name] - pictures * weight / (day + dusk + night)) <= 1


def test_the_built_in_sample_can_be_mixed_and_the_seed_decides():
    sample = sample_dataset("wildlife")
    nights = mix_pictures(sample, {"night": 1}, 5, seed=1)
    assert {record.attributes["lighting"] for record in nights.records} == {"night"}
    ids = [[r.image_id for r in mix_pictures(sample, {"night": 1}, 5, seed=seed).records] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("lean", "value", "sign"),
    [
        (lean_to_middle, off_centre, 1),
        (lambda d, n: lean_to_size(d, n, largest=True), part_covered, -1),
        (lambda d, n: lean_to_size(d, n, largest=False), part_covered, 1),
    ],
)
def test_what_is_kept_leans_further_than_what_is_not(lean, value, sign):
    dataset = chance_dataset(60)
    kept = lean(dataset, 20)
    ids = {record.image_id for record in kept.records}
    left = [record for record in dataset.records if record.image_id not in ids and len(record.class_ids)]
    assert len(kept) == 20
    assert max(sign * value(record) for record in kept.records) <= min(sign * value(record) for record in left)


def test_measures_are_parts():
    whole = replace(dataset_of([[1]]).records[0], boxes_yxyx_px=[[0, 0, 60, 80]])
    assert (off_centre(whole), part_covered(whole)) == (0, 1)
    corner = replace(whole, boxes_yxyx_px=[[0, 0, 0, 0]])
    assert (off_centre(corner), part_covered(corner)) == (1, 0)


def test_impossible_choices_are_refused():
    with pytest.raises(OddemoError, match="mix is not possible"):
        mix_pictures(lit(9), {"day": 0}, 3, seed=0)
    with pytest.raises(OddemoError, match="too few pictures with lighting fog"):
        mix_pictures(lit(9), {"fog": 1}, 3, seed=0)
    with pytest.raises(OddemoError, match="cannot be chosen"):
        lean_to_middle(dataset_of([[], [1]]), 2)
