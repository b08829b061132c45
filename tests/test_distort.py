"""Distorted pictures keep their boxes: seen on a disc whose place is known from its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.records import ImageRecord
from oddemo.detect.distort import TURN_DEGREES, distort
from oddemo.detect.pipeline import augment
from oddemo.detect.recipe import Recipe
from oddemo.errors import OddemoError

SIZE_HW = (120, 160)
BOX = np.array([[40.0, 50.0, 80.0, 110.0]])


def picture_of_an_ellipse() -> np.ndarray:
    """Black, with a white ellipse that fills the box."""
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] + 0.5
    inside = ((y - 60) / 20) ** 2 + ((x - 80) / 30) ** 2 <= 1
    return np.where(inside[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2)


def without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIGHTNESS", "CHANNEL_GAIN", "BLUR_PX_AT_320", "NOISE"):
        monkeypatch.setattr(f"oddemo.detect.distort.{name}", 0.0)
    monkeypatch.setattr("oddemo.detect.distort.OUTSIDE_RGB", (0, 0, 0))


@pytest.mark.parametrize("seed", range(12))
def test_the_box_is_where_the_object_is(seed, monkeypatch):
    without_colour(monkeypatch)
    image, boxes = distort(picture_of_an_ellipse(), BOX, strength=1.5, rng=np.random.default_rng(seed))
    rows, columns = np.flatnonzero((image[..., 0] > 127).any(axis=1)), np.flatnonzero((image[..., 0] > 127).any(axis=0))
    seen = np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])
    assert boxes[0] == pytest.approx(seen, abs=1.3)
    assert np.abs(boxes[0] - BOX[0]).max() > 1


def test_no_strength_changes_nothing():
    image, boxes = distort(picture_of_an_ellipse(), BOX, strength=0.0, rng=np.random.default_rng(1))
    assert np.array_equal(image, picture_of_an_ellipse())
    assert np.array_equal(boxes, BOX)


@settings(deadline=None)
@given(st.integers(0, 200))
def test_stronger_is_further(seed):
    weak, strong = (
        distort(picture_of_an_ellipse(), BOX, strength=s, rng=np.random.default_rng(seed))[1] for s in (0.5, 1.0)
    )
    middle, far, near = ((box[:, :2] + box[:, 2:]) / 2 for box in (BOX, strong, weak))
    assert np.linalg.norm(far - middle) == pytest.approx(2 * np.linalg.norm(near - middle), rel=0.05, abs=1e-9)
    assert TURN_DEGREES * 2 < 90


def test_a_training_sample_is_repeatable_and_keeps_its_mirror():
    record = ImageRecord(1, "a.png", SIZE_HW, BOX, [1])
    rng = np.random.default_rng
    first, again = (augment(picture_of_an_ellipse(), record, Recipe(distortion=1.0), rng(5)) for _ in range(2))
    assert np.array_equal(first.image_rgb, again.image_rgb)
    assert np.array_equal(first.boxes_yxyx_norm, again.boxes_yxyx_norm)
    plain = augment(picture_of_an_ellipse(), record, Recipe(), rng(5))
    assert plain.image_rgb.shape == first.image_rgb.shape
    assert plain.shrink == first.shrink
    assert not np.array_equal(plain.image_rgb, first.image_rgb)
    # Out of view means out of the labels.
    edge = ImageRecord(1, "a.png", SIZE_HW, [[0.0, 0.0, 2.0, 2.0]], [1])
    counts = {len(augment(picture_of_an_ellipse(), edge, Recipe(distortion=3.0), rng(k)).class_ids) for k in range(40)}
    assert counts == {0, 1}


def test_impossible_strengths_are_refused():
    with pytest.raises(OddemoError, match="distortion"):
        Recipe(distortion=-0.1)
