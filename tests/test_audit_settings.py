"""Changing the settings of a pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from oddemo.audit.faults.record import Evidence
from oddemo.audit.faults.registry import fault
from oddemo.audit.settings import KERNELS, Postprocessing, Preprocessing, Settings
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError

SETTINGS = Settings(
    Preprocessing((128, 128)), Postprocessing(score_threshold=0.05, nms_iou=0.5, max_detections=100, pre_nms_top_k=1000)
)


def test_a_change_of_the_preprocessing_leaves_all_else():
    changed = SETTINGS.with_preprocessing(channel_order="bgr", padding_grey=0.0)
    assert (changed.pre.channel_order, changed.pre.padding_grey) == ("bgr", 0.0)
    assert (changed.post, changed.network) == (SETTINGS.post, SETTINGS.network)
    assert changed.with_preprocessing(channel_order="rgb", padding_grey=None) == SETTINGS


@pytest.mark.parametrize(
    ("change", "words"), [({"kernel": "paper/scissors"}, "not known"), ({"chanel_order": "bgr"}, "no such entry")]
)
def test_what_cannot_be_is_refused(change, words):
    with pytest.raises(OddemoError, match=words):
        SETTINGS.with_preprocessing(**change)


def test_libraries_are_called_by_their_own_names():
    nothing = Trace("reference", ("one.png",), (np.zeros((4, 4, 3), np.uint8),), {}, ())
    told = []
    for kernel in KERNELS:
        evidence = Evidence(SETTINGS.with_preprocessing(kernel=kernel), nothing, nothing)
        told += [text for one in fault("resize_kernel").propose(evidence) for text in (one.claim, one.fix)]
    words = " ".join(told)
    assert len(told) == 2 * len(KERNELS) * (len(KERNELS) - 1)
    for name in ("OpenCV's area", "Pillow's bicubic", "TensorFlow's bilinear"):
        assert f"with {name}" in words
    for wrong in ("Opencv", "opencv", "Tensorflow", "tensorflow", "pillow"):
        assert wrong not in words
