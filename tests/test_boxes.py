"""Overlaps of boxes: the quick way to the few pairs that overlap much says what all pairs say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddemo.data.boxes import overlapping_pairs, pairwise_iou

# Whole numbers make overlaps that are a threshold exactly, and boxes that are empty, the same or inside out.
corners = st.integers(0, 200).flatmap(lambda count: arrays(np.float32, (count, 4), elements=st.integers(-3, 9)))
thresholds = st.sampled_from([0.0, 1e-3, 0.25, 1 / 3, 0.5, 0.9999, 1.0, 1.5])


@given(corners, thresholds)
def test_pairs_are_those_of_the_whole_table_and_in_its_order(boxes: np.ndarray, threshold: float) -> None:
    table = pairwise_iou(boxes, boxes)
    later, earlier = np.nonzero((table >= threshold) & np.tri(len(boxes), k=-1, dtype=bool))
    found = overlapping_pairs(boxes, threshold)
    assert [part.tolist() for part in found] == [later.tolist(), earlier.tolist(), table[later, earlier].tolist()]
    assert found[2].dtype == boxes.dtype
