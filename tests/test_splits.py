"""Drawing splits by chance, and what is accepted as a way of writing them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.splits import parse_splits, split_by_chance
from oddemo.errors import OddemoError


@given(st.integers(1, 60), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5))
def test_splits_by_chance_share_nothing_and_cover_all(count, parts, seed):
    records = tuple(ImageRecord(number, f"{number}.jpg", (1, 1), [], []) for number in range(count))
    dataset = Dataset("x", Path(), ("a",), records)
    text = ",".join(f"s{k}={part / sum(parts):.9f}" for k, part in enumerate(parts))
    if count * min(parts) / sum(parts) < 1.5:  # so small that rounding may leave a split empty
        with contextlib.suppress(OddemoError):
            split_by_chance(dataset, parse_splits(text), seed=seed)
        return
    drawn = split_by_chance(dataset, parse_splits(text), seed=seed)
    ids = [record.image_id for part in drawn.values() for record in part.records]
    assert sorted(ids) == list(range(count))
    for part, wanted in zip(drawn.values(), parts, strict=True):
        assert abs(len(part) - count * wanted / sum(parts)) <= 1
    again = split_by_chance(dataset, parse_splits(text), seed=seed)
    assert [[r.image_id for r in a.records] for a in again.values()] == [
        [r.image_id for r in d.records] for d in drawn.values()
    ]


@pytest.mark.parametrize("text", ["", "train,", "a=0.5,b", "a=0.7,b=0.7", "a,a", "../a", "a=", "a=0"])
def test_malformed_splits(text):
    with pytest.raises(OddemoError, match="splits"):
        parse_splits(text)
