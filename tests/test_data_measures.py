"""Measures of boxes and pictures, on pictures small enough to measure by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from oddemo.data.box_measures import box_colours, box_measures
from oddemo.data.picture_measures import measure_picture, picture_measures
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


@pytest.fixture
def two_pictures(tmp_path: Path) -> Dataset:
    """A red rectangle on black with its box, and a picture without a box."""
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 60:70] = [200, 20, 0]
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(np.full((20, 20, 3), 51, np.uint8)).save(tmp_path / "b.png")
    boxes = [[10, 60, 30, 70], [10, 0, 30, 80], [9.6, 59.6, 30.4, 70.4]]
    records = (
        ImageRecord(1, "a.png", (40, 80), boxes, [2, 1, 2]),
        ImageRecord(2, "b.png", (20, 20), [], []),
    )
    return Dataset("two", tmp_path, ("whole", "red"), records)


def test_boxes_are_measured_against_their_picture(two_pictures):
    measures = box_measures(two_pictures)
    np.testing.assert_allclose(measures.longer_side, [20 / 80, 1, 20.8 / 80])
    np.testing.assert_allclose(measures.middle_yx, [[0.5, 65 / 80], [0.5, 0.5], [0.5, 65 / 80]])
    np.testing.assert_allclose(measures.off_centre, [(65 / 80 - 0.5) / 2, 0, (65 / 80 - 0.5) / 2])
    assert measures.class_ids.tolist() == [2, 1, 2]
    assert measures.boxes_per_image == 1.5


def test_colours_are_those_of_the_pixels_inside(two_pictures):
    colours = box_colours(two_pictures)
    np.testing.assert_allclose(colours[0], [200, 20, 0])
    np.testing.assert_allclose(colours[1], np.array([200, 20, 0]) / 8)
    # The middles of the pixels around the rectangle lie outside the box.
    np.testing.assert_allclose(colours[2], colours[0])


def test_pictures_are_measured(two_pictures):
    measures = picture_measures(two_pictures)
    assert measures.brightness == pytest.approx((220 / 3 / 255 / 16 + 0.2) / 2)
    assert measures.colourfulness == pytest.approx(200 / 255 / 16 / 2)
    sizes = [two_pictures.image_path(record).stat().st_size for record in two_pictures.records]
    assert measures.kilobytes == pytest.approx(np.mean(sizes) / 1000)


def test_blur_lowers_detail_and_noise_raises_it():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8), (0, 0), 1.5)
    noisy = np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
    blurred, plain, grained = (
        measure_picture(one).detail for one in (cv2.GaussianBlur(image, (0, 0), 3), image, noisy)
    )
    assert blurred < plain / 2 < grained / 4
    assert measure_picture(np.full((9, 9, 3), 7, np.uint8)).detail == 0


def test_what_cannot_be_measured_is_refused(two_pictures):
    with pytest.raises(OddemoError, match="no boxes"):
        box_measures(replace(two_pictures, records=two_pictures.records[1:]))
    with pytest.raises(OddemoError, match="no pictures"):
        picture_measures(replace(two_pictures, records=()))
    flat = replace(two_pictures.records[0], boxes_yxyx_px=[[3, 4, 3, 9]], class_ids=[1])
    with pytest.raises(OddemoError, match="box 0 holds no pixel"):
        box_colours(replace(two_pictures, records=(flat,)))
