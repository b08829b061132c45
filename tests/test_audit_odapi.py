"""What can be said of the Object Detection API's detectors without its lane; the rest is in test_lanes_live.py."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from oddemo.audit.bench_odapi import settings_in
from oddemo.audit.faults.parameters import NAMES, parameter
from oddemo.audit.faults.registry import fault
from oddemo.audit.plant.odapi import ODAPI_PLANTS, ODAPIParts
from oddemo.audit.settings import Normalization
from oddemo.errors import OddemoError

#: What the lane's command `stages` wrote of data/odapi/inspection.
TOLD: dict[str, Any] = {
    "input_size_hw": [192, 192],
    "resizer": "fixed_shape_resizer",
    "resizer_settings": {"height": 192, "width": 192, "resize_method": "BILINEAR", "convert_to_grayscale": False},
    "offset_and_scale": [[127.5, 127.5, 127.5], [127.5, 127.5, 127.5]],
    "anchor_generator": "multiscale_anchor_generator",
    "anchor_scale": 4.0,
    "box_coder": "faster_rcnn_box_coder",
    "box_coder_scales": [10.0, 10.0, 5.0, 5.0],
    "score_converter": "SIGMOID",
    "suppression": {
        "score_threshold": 0.05,
        "iou_threshold": 0.6,
        "max_detections_per_class": 50,
        "max_total_detections": 50,
        "use_class_agnostic_nms": False,
        "soft_nms_sigma": 0.0,
    },
}
FAMILIES = sorted(NAMES)


def changed(**entries: Any) -> dict[str, Any]:
    """Return what was told with other entries, also of the resizer and of the suppression."""
    told = copy.deepcopy(TOLD)
    for name, value in entries.items():
        inner = [part for part in (told["resizer_settings"], told["suppression"]) if name in part]
        (inner[0] if inner else told)[name] = value
    return told


def test_the_settings_say_what_the_configuration_says():
    settings = settings_in(TOLD)
    assert settings.family == "odapi"
    assert (settings.pre.input_size_hw, settings.pre.keep_aspect_ratio) == ((192, 192), False)
    assert settings.pre.normalizations == (Normalization((127.5,) * 3, (127.5,) * 3),)
    assert (settings.post.score_threshold, settings.post.nms_iou, settings.post.max_detections) == (0.05, 0.6, 50)
    assert (settings.post.nms_kind, settings.post.box_coder_weights) == ("per_class", (10.0, 10.0, 5.0, 5.0))
    assert not settings.post.clip_boxes


def test_soft_and_class_agnostic_suppression_are_kept_apart():
    assert settings_in(changed(soft_nms_sigma=0.5)).post.nms_kind == "soft"
    assert settings_in(changed(use_class_agnostic_nms=True)).post.nms_kind == "class_agnostic"


def test_a_square_that_keeps_the_aspect_ratio_is_padded_with_black():
    told = changed(
        resizer="keep_aspect_ratio_resizer",
        resizer_settings={
            "min_dimension": 192,
            "max_dimension": 192,
            "pad_to_max_dimension": True,
            "resize_method": "BILINEAR",
            "convert_to_grayscale": False,
        },
    )
    assert settings_in(told).pre.padding_grey == 0.0


@pytest.mark.parametrize(
    "entries",
    [
        {"resizer": "conditional_shape_resizer"},
        {"resize_method": "AREA"},
        {"convert_to_grayscale": True},
        {"score_converter": "SOFTMAX"},
        {"box_coder": "keypoint_box_coder"},
        {"max_detections_per_class": 10},
        {"use_class_agnostic_nms": True, "soft_nms_sigma": 0.5},
    ],
    ids="-".join,
)
def test_what_the_bench_cannot_run_is_refused_by_its_name(entries: dict[str, Any]):
    with pytest.raises(OddemoError, match="asks for something that cannot be run") as refused:
        settings_in(changed(**entries))
    assert any(word in str(refused.value) for word in (*entries, *map(str, entries.values())))


def test_every_knob_has_a_name_in_every_family():
    assert len({frozenset(NAMES[family]) for family in FAMILIES}) == 1
    told = settings_in(TOLD)
    assert "pipeline.config" in parameter(told, "score_threshold", "0.05")
    assert "0.05" in parameter(told, "score_threshold", "0.05")


def test_every_plant_is_of_a_registered_fault_and_has_a_name_of_its_own():
    names = [plant.name for plant in ODAPI_PLANTS]
    assert len(set(names)) == len(names)
    assert all(fault(plant.fault).id == plant.fault for plant in ODAPI_PLANTS)
    assert all(plant.parts != ODAPIParts() for plant in ODAPI_PLANTS)


def test_two_faults_join_where_they_sit_in_different_parts():
    first, second = ODAPIParts("model { }"), ODAPIParts("train_config { }", early=True, client="opencv_bgr")
    assert first.joined(second) == ODAPIParts("model { } train_config { }", early=True, client="opencv_bgr")
    with pytest.raises(OddemoError, match="same part"):
        second.joined(ODAPIParts(client="boxes_xyxy"))
    with pytest.raises(OddemoError, match="takes floats"):
        ODAPIParts(input_type="float_image_tensor").joined(first)
