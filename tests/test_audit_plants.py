"""Planting itself: what can be joined, what is refused, and that nothing is planted over another's export."""

from __future__ import annotations

import numpy as np
import pytest

from oddemo.audit.plant.build import build
from oddemo.audit.plant.odapi import ODAPI_PLANTS
from oddemo.audit.plant.registry import PLANTS, find_plant
from oddemo.audit.plant.serving import in_picture
from oddemo.audit.sources.tfvision import TFVisionSource


@pytest.fixture
def reference(reference_of) -> TFVisionSource:
    return reference_of("inspection")


def test_parts_of_a_deployment_cannot_hold_two_faults():
    from oddemo.errors import OddemoError

    with pytest.raises(OddemoError, match="same part"):
        find_plant("channel_order").parts.joined(find_plant("normalization_twice").parts)
    with pytest.raises(OddemoError, match="same entry"):
        find_plant("nms_iou/0.8").parts.joined(find_plant("nms_iou/0.3").parts)
    with pytest.raises(OddemoError, match="exclude each other"):
        find_plant("quantization/dynamic").parts.joined(find_plant("channel_order/in_graph").parts)
    with pytest.raises(OddemoError, match="exclude each other"):
        find_plant("wrong_checkpoint").parts.joined(find_plant("partial_restore").parts)
    with pytest.raises(OddemoError, match="no way to plant"):
        find_plant("numeric_noise")
    with pytest.raises(OddemoError, match="no variant"):
        find_plant("nms_iou/0.123")


def test_what_a_plant_brings_along_is_really_there(few_pictures):
    """OpenCV's pictures are those of the accurate decoder, channels turned, and not those of TensorFlow's fast one."""
    import cv2

    assert {plant.name for plant in PLANTS if plant.brings} == {"channel_order/opencv_client"}
    assert {plant.name for plant in ODAPI_PLANTS if plant.brings} == {"channel_order/opencv_client"}
    assert find_plant("channel_order/opencv_client").brings == ("image_decode",)
    pictures = few_pictures("inspection")
    fast, accurate = pictures.decode(), pictures.decode(decoder="accurate")
    for path, quick, exact in zip(pictures.paths, fast, accurate, strict=True):
        read = np.asarray(cv2.imread(str(path)))[..., ::-1]
        np.testing.assert_array_equal(read, exact)
        assert (read != quick).any()


def test_an_export_is_not_planted_over_another(reference, tmp_path):
    from oddemo.errors import OddemoError

    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "mine").write_text("kept")
    with pytest.raises(OddemoError, match="not overwritten"):
        build(find_plant("nms_iou/0.8").parts, reference.folder, tmp_path)
    assert (tmp_path / "saved_model" / "mine").read_text() == "kept"


def test_scripts_bring_boxes_back_from_a_picture_that_does_not_begin_in_the_corner():
    """As outputs are read everywhere else: a letterbox around the middle leaves a border before the picture."""
    image_info = np.array([[100.0, 200.0], [64.0, 128.0], [0.5, 0.5], [-4.0, -8.0]])
    np.testing.assert_allclose(in_picture(np.array([[10.0, 20.0, 30.0, 40.0]]), image_info), [[12.0, 24.0, 52.0, 64.0]])
