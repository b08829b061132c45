"""The cards of TFLite and Keras files, and of folders with a configuration."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from card_artefacts import made, oracle

from oddemo.export.cards import FACTS, card_from_json, read_card
from oddemo.export.cards.h5_file import read_h5
from oddemo.export.cards.keras_config import config_facts
from oddemo.export.cards.tflite_model import DTYPES, builtin_names, parse_tflite

TFLITE = ("float32.tflite", "dynamic.tflite", "int8.tflite", "stretched.tflite", "post.tflite")


@pytest.mark.parametrize("name", TFLITE)
def test_tflite_tensors_and_signatures_equal_the_interpreters(name: str) -> None:
    model = parse_tflite((made() / name).read_bytes())
    truth, main = oracle()["tflite"][name], model.subgraphs[0]
    for side, indices in (("inputs", main.inputs), ("outputs", main.outputs)):
        found = {}
        for index in indices:
            tensor = main.tensors[index]
            quantization = [tensor.scales[0], tensor.zero_points[0]] if tensor.scales else [0.0, 0]
            shape = [-1 if size is None else size for size in tensor.shape]
            found[tensor.name] = [tensor.dtype, shape, pytest.approx(quantization)]
        assert found == truth[side]
    assert {key: {"inputs": sorted(i), "outputs": sorted(o)} for key, _, i, o in model.signatures} == truth[
        "signatures"
    ]


@pytest.mark.parametrize("name", TFLITE)
def test_tflite_operations_equal_the_official_schema_reader(name: str) -> None:
    from ai_edge_litert import schema_py_generated as schema

    data = (made() / name).read_bytes()
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    official = schema.Model.GetRootAsModel(data, 0)
    codes = [official.OperatorCodes(index) for index in range(official.OperatorCodesLength())]
    for number, graph in enumerate(parse_tflite(data).subgraphs):
        other = official.Subgraphs(number)
        wanted = [codes[other.Operators(index).OpcodeIndex()] for index in range(other.OperatorsLength())]
        kinds = [code.CustomCode().decode() if code.CustomCode() else names[code.BuiltinCode()] for code in wanted]
        assert Counter(operation.op for operation in graph.operations) == Counter(kinds)


def test_the_list_of_tflite_operations_is_the_official_one() -> None:
    from ai_edge_litert import schema_py_generated as schema

    official = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    assert dict(enumerate(builtin_names())) == official
    dtypes = {value: key for key, value in vars(schema.TensorType).items() if isinstance(value, int)}
    assert {place: name.upper() for place, name in enumerate(DTYPES)} == dtypes


def test_a_tflite_detector_with_its_preprocessing_inside() -> None:
    card = read_card(made() / "stretched.tflite")
    wanted = {
        "input": "uint8 pixels",
        "channel_order": "reversed inside",
        "network_size_hw_px": [48, 64],
        "aspect_ratio": "stretched",
        "normalization": {"kind": "(pixel - mean) / deviation", "mean": [127.5], "deviation": [127.5]},
        "preprocessing_order": ["reverse channels", "resize", "normalise"],
        "score_activation": "sigmoid",
        "coordinates": "pixels of the network's frame",
        "nms_kind": "NonMaxSuppressionV5",
        "nms_iou_threshold": 0.6,
        "score_threshold": 0.2,
        "soft_nms_sigma": 0.5,
        "max_detections": 11,
        "tensorflow_version": oracle()["saved_models"]["combined"]["tensorflow_version"],
    }
    assert {name: card.value(name) for name in wanted} == wanted
    assert card.value("resize")["half_pixel_centers"] is True
    assert card.value("oldest_runtime").startswith("TFLite 2.")


@pytest.mark.parametrize("name", ["post.tflite", "post_saved_model"])
def test_tflites_own_post_processing_before_and_after_conversion(name: str) -> None:
    card = read_card(made() / name)
    wanted = {
        "nms_kind": "TFLite_Detection_PostProcess",
        "nms_iou_threshold": 0.55,
        "score_threshold": 0.25,
        "max_detections": 17,
        "class_count": 3,
        "class_id_offset": 0,
        "box_coder_scales": [10.0, 10.0, 5.0, 5.0],
        "coordinates": "normalised",
        "score_activation": "sigmoid",
    }
    assert {fact: card.value(fact) for fact in wanted} == wanted
    assert ("returns zeros" in (card.facts["nms_kind"].note or "")) == (name == "post_saved_model")


def test_a_normalisation_that_a_converter_may_have_folded_is_not_denied() -> None:
    """post.tflite divides by 255, which the converter folded into the first convolution: the card must say so."""
    assert read_card(made() / "post_saved_model").value("normalization")["deviation"] == [255.0]
    fact = read_card(made() / "post.tflite").facts["normalization"]
    assert fact.value == {"kind": "none"}
    assert "folded" in (fact.note or "")


@pytest.mark.parametrize(
    ("name", "weights", "activations"),
    [
        ("float32.tflite", "float32", "float32"),
        ("dynamic.tflite", "float32 + int8", "float32"),  # small layers stay as they are
        ("int8.tflite", "int8", "int8"),
    ],
)
def test_quantisation_is_named(name: str, weights: str, activations: str) -> None:
    value = read_card(made() / name).value("quantization")
    assert value["weights"] == f"{weights} weights"
    assert value["activations"] == f"{activations} activations"
    assert ("input" in value) == (name == "int8.tflite")
    assert value.get("input", "uint8 input, scale 0.9").startswith(("uint8 input, scale 0.9", "uint8 input, scale 1"))


@pytest.mark.parametrize("name", ["keras2.keras", "keras3.keras", "keras2.h5", "keras3.h5"])
def test_keras_layers_before_the_first_convolution(name: str) -> None:
    card = read_card(made() / name)
    assert card.value("resize")["method"] == "nearest"
    assert card.value("network_size_hw_px") == [32, 40]
    assert card.value("normalization") == {
        "kind": "(pixel - mean) / deviation",
        "mean": [127.5],
        "deviation": [127.5],
    }
    assert card.value("preprocessing_order") == ["resize", "normalise"]
    assert card.value("size_rule") == "dynamic"
    assert card.value("keras_version").startswith("2." if "keras2" in name else "3.")
    assert card.signatures[0].inputs[0].shape == (None, None, None, 3)
    assert card.dangers == ()


@pytest.mark.parametrize("name", ["keras2.h5", "keras3.h5", "keras2.weights.h5", "keras3.weights.h5"])
def test_every_weight_of_an_h5_file_equals_kerass(name: str) -> None:
    _, tensors = read_h5(made() / name)
    stored = sorted(tensor.digest for tensor in tensors if tensor.role == "model")
    assert stored == oracle()["keras"][name.partition(".")[0]]


@pytest.mark.parametrize("name", ["keras2_lambda.keras", "keras3_lambda.keras", "keras2_lambda.h5", "keras3_lambda.h5"])
def test_a_lambda_layer_is_named_as_running_python(name: str) -> None:
    card = read_card(made() / name)
    assert ("Lambda", "runs Python") in {(danger.op, danger.risk) for danger in card.dangers}
    assert any("do not load it" in note for note in card.notes)
    assert card.value("normalization") is None  # what the lambda does to the pixels cannot be told


def test_foreign_classes_and_modules_in_a_configuration_need_custom_code(tmp_path: Path) -> None:
    from oddemo.export.cards.keras_config import dangers

    config = {
        "class_name": "Sequential",
        "module": "keras",
        "config": {
            "layers": [
                {"class_name": "Conv2D", "module": "keras.layers", "registered_name": None, "config": {}},
                {"class_name": "Own", "module": "own.code", "registered_name": "Own>Own", "config": {}},
                {"class_name": "Popen", "module": "subprocess", "registered_name": None, "config": {}},
                {"class_name": "Deep>Layer", "config": {}},
            ]
        },
    }
    assert {(danger.op, danger.risk) for danger in dangers(config)} == {
        ("own.code.Own", "needs custom code"),
        ("subprocess.Popen", "needs custom code"),
        ("Deep>Layer", "needs custom code"),
    }


def test_arithmetic_in_a_functional_model_is_composed() -> None:
    def layer(name: str, kind: str, source: str | None, **config: object) -> dict:
        inbound = [[[source, 0, 0, {"y": 3.0} if kind == "TFOpLambda" else {}]]] if source else []
        return {"class_name": kind, "name": name, "config": config, "inbound_nodes": inbound}

    model = {
        "class_name": "Functional",
        "config": {
            "layers": [
                layer("in", "InputLayer", None, batch_input_shape=[None, 8, 8, 3]),
                layer("minus", "TFOpLambda", "in", function="math.subtract"),
                layer("norm", "Normalization", "minus", mean=[[[[1.0, 2.0, 3.0]]]], variance=[4.0, 4.0, 4.0]),
                layer("conv", "Conv2D", "norm"),
            ]
        },
    }
    value = config_facts(model)["normalization"].value
    assert value == {"kind": "(pixel - mean) / deviation", "mean": [4.0, 5.0, 6.0], "deviation": [2.0]}


def test_a_detector_folder_tells_what_its_exporter_will_build(inspection_detector: Path, tmp_path: Path) -> None:
    card = read_card(inspection_detector)
    assert card.kind == "tfvision"
    assert card.value("network_size_hw_px") == [128, 128]
    assert card.value("class_count") == 5
    assert card.value("class_id_offset") == 1
    assert card.weights is not None
    shutil.copy(inspection_detector / "params.yaml", tmp_path)
    assert read_card(tmp_path).notes == ("It holds no checkpoint.",)
    assert read_card(tmp_path / "params.yaml").value("class_count") == 5


PIPELINE = """
model { ssd { num_classes: 2
  image_resizer { %s }
  box_coder { faster_rcnn_box_coder { y_scale: 10.0 x_scale: 10.0 height_scale: 5.0 width_scale: 5.0 } }
  post_processing {
    batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6 max_total_detections: 50 }
    score_converter: SIGMOID } } }
train_config { optimizer { use_moving_average: false } }
"""


def test_an_object_detection_api_configuration(tmp_path: Path) -> None:
    resizer = "fixed_shape_resizer { height: 300 width: 320 resize_method: AREA }"
    (tmp_path / "pipeline.config").write_text(PIPELINE % resizer)
    card = read_card(tmp_path)
    wanted = {
        "network_size_hw_px": [300, 320],
        "aspect_ratio": "stretched",
        "resize": {"method": "area"},
        "class_count": 2,
        "score_threshold": 1e-8,
        "nms_iou_threshold": 0.6,
        "max_detections": 50,
        "score_activation": "sigmoid",
        "box_coder_scales": [10.0, 10.0, 5.0, 5.0],
        "coordinates": "normalised",
        "class_id_offset": 1,
    }
    assert {name: card.value(name) for name in wanted} == wanted
    assert card.notes == ()
    resizer = "keep_aspect_ratio_resizer { min_dimension: 200 max_dimension: 256 pad_to_max_dimension: true }"
    (tmp_path / "pipeline.config").write_text((PIPELINE % resizer).replace("use_moving_average: false", ""))
    card = read_card(tmp_path)
    assert card.value("aspect_ratio") == "kept"
    assert card.value("network_size_hw_px") == [256, 256]
    assert card.value("padding")["sides"] == "bottom and right"
    assert "moving averages" in card.notes[0]


@pytest.mark.parametrize("name", ["combined", "dangerous", "post.tflite", "keras3_lambda.keras", "trained"])
def test_a_card_survives_json(name: str) -> None:
    card = read_card(made() / name)
    text = json.dumps(card.to_json(), allow_nan=False)
    assert card_from_json(json.loads(text)) == card
    assert list(card.facts) == list(FACTS)
