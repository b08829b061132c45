"""Changing the settings of a pipeline."""

from __future__ import annotations

import pytest

from oddemo.audit.settings import Postprocessing, Preprocessing, Settings
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
