"""The cards of SavedModels against TensorFlow's own protobufs, and of a real TF-Vision export."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from card_artefacts import calls, field, function, made, node, oracle, saved_model, write_saved_model

from oddemo.export.cards import compare_weights, diff_artefacts, read_card
from oddemo.export.cards.graph import Library
from oddemo.export.cards.known_ops import is_known, oldest_with
from oddemo.export.cards.wire import Message

MODELS = ("combined", "letterbox", "bare", "dangerous", "raw_export", "post_saved_model")


@pytest.mark.parametrize("name", MODELS)
def test_every_operation_and_function_is_read_as_tensorflow_reads_it(name: str) -> None:
    graph = Message((made() / name / "saved_model.pb").read_bytes()).message(2)
    library = Library(graph.message(2))
    counted = Counter(item.text(2) for body in library.all_bodies() for item in body.protos)
    truth = oracle()["saved_models"][name]
    assert counted == truth["ops"]
    assert sorted(library.functions) == truth["functions"]


@pytest.mark.parametrize("name", MODELS)
def test_signatures_and_versions_equal_the_protobufs(name: str) -> None:
    card, truth = read_card(made() / name), oracle()["saved_models"][name]
    (signature,) = card.signatures
    for side, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        found = {spec.name: [spec.dtype, None if spec.shape is None else list(spec.shape)] for spec in specs}
        assert found == truth[side]
    assert card.value("tensorflow_version") == truth["tensorflow_version"]
    assert card.value("graph_producer") == truth["producer"]


def test_a_stretching_detector_with_combined_nms() -> None:
    card = read_card(made() / "combined")
    told = {name: fact.value for name, fact in card.facts.items() if fact.known}
    assert told | {"tensorflow_version": 0, "graph_producer": 0, "oldest_runtime": 0} == {
        "input": "uint8 pixels",
        "channel_order": "used as given",
        "size_rule": "dynamic",
        "network_size_hw_px": [64, 64],
        "aspect_ratio": "stretched",
        "resize": {
            "op": "ResizeBilinear",
            "method": "bilinear",
            "align_corners": False,
            "half_pixel_centers": True,
            "antialias": False,
        },
        "normalization": {
            "kind": "(pixel - mean) / deviation",
            "mean": [123.675, 116.28, 103.53],
            "deviation": [58.395, 57.12, 57.375],
        },
        "padding": {"op": "none"},
        "preprocessing_order": ["resize", "normalise"],
        "score_activation": "sigmoid",
        "coordinates": "normalised",
        "nms_kind": "CombinedNonMaxSuppression",
        "nms_iou_threshold": 0.45,
        "score_threshold": 0.3,
        "max_detections": 25,
        "class_count": 3,
        "class_id_offset": 1,
        "tensorflow_version": 0,
        "graph_producer": 0,
        "oldest_runtime": 0,
    }
    assert card.dangers == ()
    assert all(fact.found_at for fact in card.facts.values() if fact.known)


def test_a_letterboxing_detector_with_reversed_channels_and_soft_nms() -> None:
    card = read_card(made() / "letterbox")
    wanted = {
        "channel_order": "reversed inside",
        "size_rule": "fixed 60 x 100",
        "network_size_hw_px": [48, 64],
        "aspect_ratio": "kept",
        "resize": {"op": "ScaleAndTranslate", "method": "bicubic", "antialias": True},
        "normalization": {"kind": "(pixel - mean) / deviation", "mean": [127.5], "deviation": [127.5]},
        "padding": {
            "op": "Pad",
            "value": 0,
            "sides": "top 4, bottom 6, left 0, right 0",
            "when": "before normalisation",
        },
        "preprocessing_order": ["reverse channels", "resize", "pad", "normalise"],
        "coordinates": "pixels of the network's frame",
        "nms_kind": "NonMaxSuppressionV5",
        "nms_iou_threshold": 0.6,
        "score_threshold": 0.2,
        "soft_nms_sigma": 0.5,
        "max_detections": 11,
        "class_id_offset": 0,
    }
    assert {name: card.value(name) for name in wanted} == wanted
    assert card.facts["nms_iou_threshold"].found_at.startswith("non_max_suppression_with_scores/NonMaxSuppressionV5")


def test_what_the_graph_does_not_tell_is_not_found() -> None:
    card = read_card(made() / "bare")
    for name in ("nms_kind", "nms_iou_threshold", "score_threshold", "max_detections", "class_count", "coordinates"):
        assert card.value(name) is None
    assert card.value("normalization") == {"kind": "none"}
    assert card.value("resize") == {"op": "none"}
    assert card.value("size_rule") == "fixed 64 x 64"


def test_file_and_python_operations_are_named_and_the_saver_is_not() -> None:
    dangers = {(danger.op, danger.risk) for danger in read_card(made() / "dangerous").dangers}
    assert {("ReadFile", "reads files"), ("WriteFile", "writes files"), ("EagerPyFunc", "runs Python")} <= dangers
    assert ("PyFunc", "runs Python") in dangers
    assert any(risk == "uses the network" and "gs://elsewhere" in op for op, risk in dangers)
    assert read_card(made() / "raw_export").dangers == ()  # it has SaveV2 and RestoreV2, for its own variables
    assert oracle()["saved_models"]["raw_export"]["ops"]["RestoreV2"] >= 1


def test_a_file_operation_cannot_hide_among_the_savers(tmp_path: Path) -> None:
    """A restore that a signature reaches too is a danger, whatever its function is called."""
    body = function("__inference__traced_restore_1", ["p"], {"out": "r:tensors:0"}, [node("r", "RestoreV2", "p")])
    nodes = [
        node("p", "Placeholder"),
        node("s", "StatefulPartitionedCall", "p", f=calls("__inference__traced_restore_1")),
    ]
    data = saved_model(nodes, [body], {"out": "s:0"})
    saver = field(3, field(1, "p:0") + field(3, "s"))
    meta = Message(data).raw(2) + saver
    card = read_card(write_saved_model(tmp_path / "m", field(2, meta)))
    assert [(danger.op, danger.risk) for danger in card.dangers] == [("RestoreV2", "reads files")]


def test_an_operation_that_tensorflow_does_not_have_needs_custom_code(tmp_path: Path) -> None:
    card = read_card(write_saved_model(tmp_path / "m", saved_model([node("x", "MyVeryOwnNms")], [], {"out": "x:0"})))
    assert [(danger.op, danger.risk) for danger in card.dangers] == [("MyVeryOwnNms", "needs custom code")]


def test_the_list_of_known_operations_holds_the_installed_tensorflows() -> None:
    (registered,) = oracle()["registry"].values()
    assert [op for op in registered if not is_known(op)] == []
    assert not is_known("MyVeryOwnNms")
    assert oldest_with({"Conv2D", "DisableCopyOnRead"}) == ("2.12.1", "DisableCopyOnRead")
    assert oldest_with({"Conv2D"}) == ("2.8.4", None)


def test_a_frozen_graph_of_the_first_generation_with_its_own_kind_of_loops() -> None:
    card = read_card(made() / "frozen")
    wanted = {
        "network_size_hw_px": [40, 40],
        "aspect_ratio": "stretched",
        "normalization": {"kind": "(pixel - mean) / deviation", "mean": [127.5], "deviation": [127.5]},
        "preprocessing_order": ["resize", "normalise"],
        "nms_kind": "NonMaxSuppressionV3",
        "nms_iou_threshold": 0.65,
        "score_threshold": 0.1,
        "max_detections": 9,
    }
    assert {name: card.value(name) for name in wanted} == wanted
    assert card.value("resize")["align_corners"] is True
    assert card.weights is not None
    assert card.weights.parameters == 3 * 3 * 3 * 4
    assert compare_weights(made() / "frozen", made() / "frozen").relation == "same"


@pytest.mark.parametrize(("ports", "turned"), [((0, 1, 2), False), ((2, 1, 0), True)])
def test_channels_taken_apart_and_put_together(tmp_path: Path, ports: tuple[int, ...], turned: bool) -> None:
    nodes = [
        node("image", "Placeholder", dtype=field(6, 1)),
        node("apart", "Unpack", "image"),
        node("again", "Pack", *(f"apart:{port}" for port in ports)),
        node("conv", "Conv2D", "again", "kernel"),
    ]
    card = read_card(write_saved_model(tmp_path / "m", saved_model(nodes, [], {"out": "conv:0"})))
    assert card.value("channel_order") == ("reversed inside" if turned else "used as given")


def test_a_tf_vision_export_differs_from_its_detector_only_by_the_planted_fault(
    inspection_detector: Path, channel_order_export: str
) -> None:
    export = Path(channel_order_export.partition(":")[2])
    detector, card, differences, weights = diff_artefacts(inspection_detector, export)
    assert {difference.field for difference in differences} == {"channel_order", "preprocessing_order"}
    assert weights is not None
    assert weights.relation == "same"
    assert detector.value("nms_kind") == card.value("nms_kind") == "TF-Vision v2 (loop over tiles)"
    assert card.value("pre_nms_top_k") == detector.value("pre_nms_top_k")
    assert card.value("coordinates") == "pixels of the network's frame"
    assert card.dangers == ()
