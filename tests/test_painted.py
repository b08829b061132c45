"""Painted objects lie where their box says, and show whether boxes followed the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.painted import fit, paint_object, seen_box
from oddemo.detect.distort import distort
from oddemo.errors import OddemoError

WHOLE = st.integers(0, 50)


@settings(deadline=None)
@given(WHOLE, WHOLE, st.integers(3, 30), st.integers(3, 30), st.booleans())
def test_what_is_painted_is_seen_where_it_was_painted(top, left, height, width, round_):
    box = np.array([top, left, top + height, left + width], float)
    image = paint_object(box, (100, 90), round_=round_)
    assert image.shape == (100, 90, 3)
    # An ellipse touches its box in points that may lie between the middles of pixels.
    assert np.abs(seen_box(image) - box).max() <= (1 if round_ else 0)
    assert fit(image, box) >= (0.4 if round_ else 1)


def test_boxes_that_stay_behind_do_not_fit():
    box = np.array([10.0, 10.0, 30.0, 40.0])
    image = paint_object(box, (60, 100))
    assert fit(image[:, ::-1], box) == 0
    assert fit(image[:, ::-1], np.array([10.0, 60.0, 30.0, 90.0])) == 1
    assert fit(image[:20], box) == 1  # both are cut off at the edge
    assert fit(image[40:], box) is None


def test_distortion_takes_boxes_along():
    box, fits = np.array([60.0, 90.0, 130.0, 220.0]), []
    for seed in range(20):
        painted = paint_object(box, (240, 320), round_=True)
        moved, boxes = distort(painted, box[None], strength=0.8, rng=np.random.default_rng(seed))
        fits.append(fit(moved, boxes[0]))
    assert min(fits) > 0.85
    assert np.mean(fits) > 0.95


def test_nothing_to_see_is_refused():
    for box in ([10, 10, 10, 20], [200, 10, 220, 20]):
        with pytest.raises(OddemoError, match="cannot be seen"):
            paint_object(np.array(box, float), (100, 100))
