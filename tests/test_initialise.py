"""A training that starts from a detector: its folder is read once, and again when its files have changed."""

from __future__ import annotations

import shutil

import numpy as np
from tiny_training import SHIPPED

from oddemo.detect.detector import load_detector
from oddemo.detect.initialise import start_from


def test_a_folder_that_holds_another_detector_by_now_is_read_again(tmp_path):
    model = load_detector(SHIPPED / "inspection").model
    folder = tmp_path / "detector"
    for world in ("wildlife", "inspection"):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SHIPPED / world, folder)
        expected = load_detector(folder).model.backbone.get_weights()
        start_from(model, (), folder)
        for own, other in zip(model.backbone.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(own, other)
