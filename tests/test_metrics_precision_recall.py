"""The precision-recall curve against the average precision that COCO computes, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from coco_oracle import random_case

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.average_precision import class_average_precision
from oddemo.metrics.matches import match_dataset
from oddemo.metrics.precision_recall import precision_recall


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", ["ap50", "ap75"])
def test_the_area_is_the_average_precision(seed, metric):
    matches = match_dataset(*random_case(seed, images=20))
    expected = class_average_precision(matches, metric=metric)[0]
    assert np.isfinite(expected).any()
    for class_id in range(1, len(matches.class_names) + 1):
        if np.isfinite(expected[class_id - 1]):
            curve = precision_recall(matches, class_id, metric=metric)
            assert curve.average_precision == pytest.approx(expected[class_id - 1], abs=1e-9)
            assert (np.diff(curve.recall) >= 0).all()
            assert (np.diff(curve.envelope) <= 0).all()


def test_a_curve_by_hand():
    record = ImageRecord(1, "a.jpg", (100, 100), [[0, 0, 10, 10], [50, 50, 60, 60]], [1, 1])
    dataset = Dataset("one", Path(), ("thing", "nothing"), (record,))
    found = Detections([[0, 0, 10, 10], [80, 0, 90, 10], [50, 50, 60, 60]], [0.9, 0.8, 0.7], [1, 1, 1])
    matches = match_dataset(dataset, [found])
    curve = precision_recall(matches, 1)
    np.testing.assert_allclose(curve.recall, [0.5, 0.5, 1.0])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(curve.envelope, [1, 2 / 3, 2 / 3])
    assert curve.average_precision == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    for class_id, metric, words in (
        (2, "ap50", "no single curve"),
        (1, "ap", "no single"),
        (3, "ap50", "no such class"),
    ):
        with pytest.raises(OddemoError, match=words):
            precision_recall(matches, class_id, metric=metric)
