"""Differences between cards."""

from __future__ import annotations

from card_artefacts import made
from hypothesis import given
from hypothesis import strategies as st

from oddemo.export.cards import FACTS, ContractCard, Fact, diff_artefacts, diff_cards, read_card
from oddemo.export.cards.diff import _MEANINGS, same

STAGES = list(dict.fromkeys(stage for _, stage in FACTS.values()))


def test_every_fact_has_a_meaning() -> None:
    assert set(_MEANINGS) == set(FACTS)


def test_a_card_does_not_differ_from_itself() -> None:
    for name in ("combined", "post.tflite", "keras3.keras", "trained"):
        card = read_card(made() / name)
        assert diff_cards(card, card) == []


def test_two_detectors_differ_in_every_stage_in_pipeline_order() -> None:
    _, _, differences, weights = diff_artefacts(made() / "combined", made() / "letterbox")
    fields = {difference.field for difference in differences}
    assert fields == {
        "channel_order",
        "size_rule",
        "network_size_hw_px",
        "aspect_ratio",
        "resize",
        "normalization",
        "padding",
        "preprocessing_order",
        "coordinates",
        "nms_kind",
        "nms_iou_threshold",
        "score_threshold",
        "max_detections",
        "class_id_offset",
        "signature.inputs",
        "signature.outputs",
    }
    stages = [STAGES.index(difference.stage) for difference in differences]
    assert stages == sorted(stages)
    assert weights is not None
    assert weights.relation == "same"  # so the weights are not among the differences


def test_a_saved_model_against_a_tflite_file_that_leaves_work_to_its_caller() -> None:
    _, _, differences, _ = diff_artefacts(made() / "combined", made() / "post.tflite")
    meanings = {difference.field: difference.meaning for difference in differences}
    assert meanings["normalization"].startswith("Only one of them normalises")
    assert "folded" in meanings["normalization"]
    assert meanings["resize"].startswith("Only one of them resizes")
    assert meanings["class_id_offset"].startswith("Class ids start at another number")


def test_other_weights_are_a_difference_with_its_kind() -> None:
    _, _, differences, weights = diff_artefacts(made() / "trained", made() / "averaged")
    (difference,) = differences
    assert difference.field == "weights"
    assert weights is not None
    assert difference.meaning == weights.meaning
    assert "EMA" in difference.meaning


def test_what_only_one_card_tells_is_no_difference() -> None:
    a = ContractCard(kind="h5", path="a", facts={"score_threshold": Fact(0.4, "x")})
    b = ContractCard(kind="h5", path="b", facts={})
    assert diff_cards(a, b) == []


def test_a_resize_is_compared_by_what_both_tell() -> None:
    graph = {"op": "ResizeBilinear", "method": "bilinear", "half_pixel_centers": True, "antialias": False}
    config = {"method": "bilinear"}
    cards = [ContractCard(kind="x", path="p", facts={"resize": Fact(value, "x")}) for value in (graph, config)]
    assert diff_cards(*cards) == []
    other = ContractCard(kind="x", path="p", facts={"resize": Fact({"method": "area"}, "x")})
    assert [difference.field for difference in diff_cards(cards[0], other)] == ["resize"]
    none = ContractCard(kind="x", path="p", facts={"resize": Fact({"op": "none"}, "x")})
    assert [difference.field for difference in diff_cards(cards[0], none)] == ["resize"]


@given(st.floats(1e-6, 1e6), st.floats(-1e-7, 1e-7))
def test_numbers_are_compared_as_float32_stores_them(value: float, noise: float) -> None:
    assert same(value, value * (1 + noise))
    assert not same(value, value * 1.001)
    assert same([{"a": value}], ({"a": value},))


def test_truth_is_not_a_number() -> None:
    assert not same(True, 1)
    assert not same({"a": 1}, {"a": 1, "b": 2})
