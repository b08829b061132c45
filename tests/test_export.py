"""Exports are the reference: the same detections, whatever goes in."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from oddemo.data.label_map import read_label_map
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.detect.decode import read_as_trained
from oddemo.detect.detector import Detector, load_detector
from oddemo.errors import OddemoError
from oddemo.export.saved_model import INPUT_TYPES, export_saved_model
from oddemo.export.tflite import export_tflite, label_map_beside
from oddemo.quiet import native_stderr_silenced

SHIPPED = data_folder() / "detectors" / "inspection"
#: Pixels of the network input, and scores. Roundings of float32 were seen to reach a tenth of this, in TFLite.
BOX_TOLERANCE, SCORE_TOLERANCE = 1e-3, 1e-5
ROOM = "task.model.detection_generator.max_num_detections=60"

Outputs = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(SHIPPED)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    dataset = sample_dataset("inspection")
    return [dataset.image_path(record) for record in dataset.records[:16]]


@pytest.fixture(scope="module")
def reference(detector, files) -> list[Outputs]:
    found = []
    for file in files:
        pixels, image_info = detector.preprocess(read_as_trained(file))
        raw = detector.raw_detections(detector.forward(pixels[None]), image_info[None])
        found.append({name: value[0] for name, value in raw.items()} | {"image_info": image_info})
    assert sum(int(outputs["num_detections"]) for outputs in found) > 2 * len(files)
    return found


@pytest.fixture(scope="module")
def exports(sound_export, tmp_path_factory) -> dict[str, Path]:
    """Every kind of export; `tf_example` comes from the command, with room for fewer detections."""
    made = {kind: sound_export("inspection", kind) for kind in (*INPUT_TYPES[:2], "tflite")}
    made["tf_example"] = tmp_path_factory.mktemp("exports") / "tf_example"
    _command("--input-type", "tf_example", "--out", str(made["tf_example"]), "--batch-size", "1", "--set", ROOM)
    return made


def _command(*options: str) -> None:
    from typer.testing import CliRunner

    from oddemo.cli import _register, app

    _register()
    done = CliRunner().invoke(app, ["export", str(SHIPPED), *options])
    if isinstance(done.exception, OddemoError):
        raise done.exception
    assert done.exit_code == 0, done.output


def assert_same_detections(outputs: Outputs, expected: Outputs) -> None:
    """Compare as sets: detections with almost equal scores may change places."""
    count = int(expected["num_detections"])
    assert int(outputs["num_detections"]) == count
    left = set(range(count))
    for row in range(count):
        near = [
            other
            for other in left
            if outputs["detection_classes"][other] == expected["detection_classes"][row]
            and np.abs(outputs["detection_boxes"][other] - expected["detection_boxes"][row]).max() < BOX_TOLERANCE
            and abs(outputs["detection_scores"][other] - expected["detection_scores"][row]) < SCORE_TOLERANCE
        ]
        assert near, f"detection {row} of {count} has no partner"
        left.remove(near[0])


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _example(content: bytes) -> bytes:
    import tensorflow as tf

    encoded = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
    example: bytes = tf.train.Example(
        features=tf.train.Features(feature={"image/encoded": encoded})
    ).SerializeToString()
    return example


ENCODINGS: dict[str, Any] = {
    "image_tensor": lambda file: read_as_trained(file)[None],
    "image_bytes": lambda file: [file.read_bytes()],
    "tf_example": lambda file: [_example(file.read_bytes())],
}


@pytest.mark.parametrize("kind", INPUT_TYPES)
def test_a_saved_model_says_what_the_reference_says(kind, exports, files, reference):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(exports[kind]))
    serve = loaded.signatures["serving_default"]
    shape = serve.structured_outputs["detection_scores"].shape.as_list()
    assert shape == ([1, 60] if kind == "tf_example" else [None, 100])
    for file, expected in zip(files, reference, strict=True):
        result = serve(inputs=tf.constant(ENCODINGS[kind](file)))
        outputs = {name: value.numpy()[0] for name, value in result.items()}
        np.testing.assert_array_equal(outputs["image_info"], expected["image_info"])
        assert_same_detections(outputs, expected)
    if kind == "image_bytes":
        result = serve(inputs=tf.constant([_png(read_as_trained(file)) for file in files[:3]]))
        for row in range(3):
            assert_same_detections({name: value.numpy()[row] for name, value in result.items()}, reference[row])


def test_tflite_says_what_the_reference_says(exports, files, reference, detector):
    from ai_edge_litert.interpreter import Interpreter

    with native_stderr_silenced():
        interpreter = Interpreter(str(exports["tflite"]), num_threads=1)
        run = interpreter.get_signature_runner()
    for file, expected in zip(files, reference, strict=True):
        pixels, _ = detector.preprocess(read_as_trained(file))
        outputs = {name: value[0] for name, value in run(inputs=pixels[None]).items()}
        assert_same_detections(outputs, expected)


def test_tflite_needs_no_operation_from_outside(exports):
    from ai_edge_litert.interpreter import Interpreter

    with native_stderr_silenced():
        interpreter = Interpreter(str(exports["tflite"]), num_threads=1)
    names = {operation["op_name"] for operation in interpreter._get_ops_details()}
    assert {"CONV_2D", "WHILE", "TOPK_V2"} <= names
    assert not [name for name in names if name.startswith(("Flex", "CUSTOM", "TFLite_"))]


def test_the_label_map_travels_with_the_export(exports, detector):
    for kind in INPUT_TYPES:
        assert read_label_map(exports[kind] / "label_map.pbtxt") == detector.class_names
    assert read_label_map(label_map_beside(exports["tflite"])) == detector.class_names


def test_nothing_is_overwritten_or_left_half_written(exports, tmp_path):
    with pytest.raises(OddemoError, match="not overwritten"):
        export_saved_model(SHIPPED, exports["image_tensor"])
    with pytest.raises(OddemoError, match="not overwritten"):
        export_tflite(SHIPPED, exports["tflite"])
    broken = Path(shutil.copytree(SHIPPED, tmp_path / "broken"))
    (data,) = broken.glob("ckpt-*.data-*")
    data.write_bytes(data.read_bytes()[:5000])
    with pytest.raises(OddemoError, match="cannot be exported"):
        export_saved_model(broken, tmp_path / "out")
    with pytest.raises(OddemoError, match="cannot be exported"):
        export_tflite(broken, tmp_path / "out.tflite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


def test_wrong_requests_are_refused(tmp_path):
    with pytest.raises(OddemoError, match="no input type"):
        export_saved_model(SHIPPED, tmp_path / "out", input_type="tflite")
    with pytest.raises(OddemoError, match="not the name of a TFLite file"):
        export_tflite(SHIPPED, tmp_path / "out.bin")
    with pytest.raises(OddemoError, match="not a detector folder"):
        export_saved_model(tmp_path, tmp_path / "out")


def test_the_command_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(OddemoError, match="no format 'onnx'"):
        _command("--out", str(tmp_path / "x"), "--format", "onnx")
    with pytest.raises(OddemoError, match="--set cannot be read"):
        _command("--out", str(tmp_path / "x"), "--set", "no equals sign")
    with pytest.raises(OddemoError, match="has no entry"):
        _command("--out", str(tmp_path / "x"), "--set", "task.model.nothing=1")
    assert not list(tmp_path.iterdir())
