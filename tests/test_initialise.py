"""A training that starts from a detector: its folder is read once, and again when its files have changed."""

from __future__ import annotations

import shutil

import numpy as np
from tiny_training import SHIPPED

from oddemo.detect import detector
from oddemo.detect.initialise import start_from


def test_a_folder_is_read_once_until_its_files_change(tmp_path, monkeypatch):
    load_detector, read = detector.load_detector, []
    monkeypatch.setattr(detector, "load_detector", lambda folder: (read.append(folder), load_detector(folder))[1])
    model = load_detector(SHIPPED / "inspection").model
    folder = tmp_path / "detector"
    for times, world in enumerate(("wildlife", "inspection"), 1):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(SHIPPED / world, folder)
        expected = load_detector(folder).model.backbone.get_weights()
        for _ in range(2):
            start_from(model, (), folder)
            for own, other in zip(model.backbone.weights, expected, strict=True):
                np.testing.assert_array_equal(own.numpy(), other)
                # A training changes its weights in place; what is kept for the next one must not change with them.
                own.assign_add(np.ones_like(other))
        assert read == [folder] * times
