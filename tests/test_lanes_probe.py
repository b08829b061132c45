"""The recorder that stands alone: it sees what `savedmodel:` sees, in a process that has no oddemo."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from card_artefacts import made

from oddemo.audit.images import image_set
from oddemo.audit.run import audit
from oddemo.audit.sources.interpreter import TappedInterpreter
from oddemo.audit.sources.saved_model import SavedModelSource
from oddemo.audit.trace import Trace, load_trace, save_trace
from oddemo.errors import OddemoError
from oddemo.lanes.probe_file import write_probe
from oddemo.provenance import package_versions


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    return write_probe(tmp_path_factory.mktemp("probe") / "probe.pyz")


@pytest.fixture(scope="module")
def pictures(few_pictures, tmp_path_factory):
    """A user's folder: files of two sizes, in subfolders, and one that is no picture."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    for index, path in enumerate(few_pictures("inspection").paths):
        target = folder / ("b" if index % 3 else "a") / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    with Image.open(path) as image:
        image.resize((150, 100)).save(folder / "wide.PNG")
    (folder / "notes.txt").write_text("no picture")
    return folder


def run(probe, *arguments):
    """Run it as a user does elsewhere: isolated from this checkout, from the folder that holds nothing else."""
    command = [sys.executable, "-I", probe.name, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=probe.parent, env=environment, capture_output=True, text=True, check=False)


def record(probe, export, pictures, out, *options):
    done = run(probe, "record-savedmodel", export, "--images", pictures, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return load_trace(out)


@pytest.fixture(scope="module")
def recorded(probe, sound_export, pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("recorded") / "sound.npz"
    record(probe, sound_export("inspection", "image_tensor"), pictures, out)
    return out


def test_it_records_what_the_saved_model_source_sees(recorded, sound_export, pictures):
    trace = load_trace(recorded)
    expected = SavedModelSource(sound_export("inspection", "image_tensor")).trace(image_set(pictures))
    assert trace.image_names == expected.image_names
    assert len(trace.image_names) == 13
    assert trace.labels == expected.labels
    assert (
        trace.stages == expected.stages == ("image", "pixels", "features", "heads", "decoded", "detections", "labels")
    )
    for first, second in zip(trace.images, expected.images, strict=True):
        np.testing.assert_array_equal(first, second)
    for stage, arrays in expected.dense.items():
        assert set(trace.dense[stage]) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_allclose(trace.dense[stage][name], array, atol=1e-4, err_msg=f"{stage}/{name}")
    for first, second in zip(trace.detections, expected.detections, strict=True):
        np.testing.assert_allclose(first.boxes_yxyx_px, second.boxes_yxyx_px, atol=1e-3)
        np.testing.assert_allclose(first.scores, second.scores, atol=1e-5)
        np.testing.assert_array_equal(first.class_ids, second.class_ids)
    assert sum(len(found) for found in trace.detections) > 10


def test_it_says_where_it_was_recorded(recorded):
    told = load_trace(recorded).provenance
    assert told["versions"] == package_versions(("tensorflow", "tf-keras", "numpy"))
    assert set(told["threads"]) == {"intra_op", "inter_op", "OMP_NUM_THREADS", "TF_ENABLE_ONEDNN_OPTS"}
    assert len(told["weights_sha256"]) == 64


def test_a_faithful_export_recorded_elsewhere_is_faithful(recorded, reference_of, pictures):
    result = audit(reference_of("inspection"), f"trace:{recorded}", pictures)
    assert result.verdict == "faithful"
    assert {"pixels", "heads", "decoded", "detections"} <= set(result.comparison.compared)


def test_a_fault_recorded_elsewhere_is_named(probe, channel_order_export, reference_of, pictures, tmp_path):
    folder = channel_order_export.partition(":")[2]
    record(probe, folder, pictures, tmp_path / "bgr.npz", "--limit", 6)
    result = audit(reference_of("inspection"), f"trace:{tmp_path / 'bgr.npz'}", image_set(pictures, limit=6))
    assert result.verdict == "diverges"
    assert [cause.id for cause in result.causes if cause.verified] == ["channel_order"]


def test_files_are_fed_to_a_signature_that_decodes_them(probe, sound_export, pictures, tmp_path):
    export = sound_export("inspection", "image_bytes")
    trace = record(probe, export, pictures, tmp_path / "bytes.npz", "--limit", 5)
    expected = SavedModelSource(export).trace(image_set(pictures, limit=5))
    assert trace.image_names == expected.image_names
    assert trace.images == ()
    for first, second in zip(trace.detections, expected.detections, strict=True):
        np.testing.assert_allclose(first.boxes_yxyx_px, second.boxes_yxyx_px, atol=1e-3)


@pytest.mark.parametrize("delegates", [True, False])
def test_outputs_of_tflite_s_own_post_processing_are_read_by_their_order(probe, pictures, tmp_path, delegates):
    """Files of the Object Detection API name no output, and tell boxes in fractions of the frame."""
    shown = image_set(pictures, limit=3)
    pixels = np.random.default_rng(5).uniform(0, 255, (3, 64, 64, 3)).astype(np.float32)
    trained = Trace("odapi:trained", shown.names, (), {"pixels": {"pixels": pixels}}, ())
    save_trace(trained, tmp_path / "trained.npz")
    options = [part for name in shown.names for part in ("--picture", name)]
    options += [] if delegates else ["--without-delegates"]
    done = run(probe, "record-tflite", made() / "post.tflite", "--pixels", tmp_path / "trained.npz", *options,
               "--images", pictures, "--out", tmp_path / "post.npz")  # fmt: skip
    assert done.returncode == 0, done.stderr
    trace = load_trace(tmp_path / "post.npz")
    assert trace.provenance["notes"] == ([] if delegates else ["without delegates"])
    expected = [outputs_in_order(made() / "post.tflite", one[None], delegates=delegates) for one in pixels]
    for found, image, (boxes, ids, scores, count) in zip(trace.detections, shown.decode(), expected, strict=True):
        assert count == len(found) == 17
        order = np.argsort(-scores, kind="stable")
        sides = np.tile(np.array(image.shape[:2], np.float32), 2)
        np.testing.assert_allclose(found.boxes_yxyx_px, np.clip(boxes[order] * sides, 0.0, sides), atol=1e-3)
        np.testing.assert_allclose(found.scores, scores[order], atol=1e-6)
        np.testing.assert_array_equal(found.class_ids, ids[order].astype(np.int64))
        assert np.ptp(found.boxes_yxyx_px) > 10.0


def outputs_in_order(file, pixels, *, delegates):
    """Boxes, classes, scores and count of one picture, as TFLite's post-processing hands them out."""
    import tensorflow as tf

    names = {name: int(tensor) for tensor, name in TappedInterpreter(file)._names.items()}
    kinds = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
    kernels = tf.lite.experimental.OpResolverType
    kernels = kernels.AUTO if delegates else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with pytest.warns(UserWarning, match="deprecated"):
        interpreter = tf.lite.Interpreter(str(file), experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return [interpreter.get_tensor(names[kind])[0] for kind in kinds]


MISTAKES = {
    "is not a SavedModel": {"export": "nowhere"},
    "does not exist": {"--images": "nowhere"},
    "ends in .npz": {"--out": "trace.zip"},
    "no signature 'other', only serving_default": {"--signature": "other"},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_end_in_one_message(probe, sound_export, pictures, tmp_path, message):
    given = {"export": sound_export("inspection", "signature_alone"), "--images": pictures, "--out": tmp_path / "t.npz"}
    options = {**given, **MISTAKES[message]}
    export = options.pop("export")
    done = run(probe, "record-savedmodel", export, *(part for pair in options.items() for part in pair))
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.startswith("probe: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "t.npz").exists()


@pytest.mark.parametrize("given", [("nowhere", "."), (".", "nowhere")])
def test_a_wrong_folder_is_told_before_tensorflow_is_loaded(probe, given):
    export, images = given
    (probe.parent / "saved_model.pb").touch()
    command = [sys.executable, "-I", "-X", "importtime", probe.name, "record-savedmodel", export, "--images", images]
    done = subprocess.run([*command, "--out", "t.npz"], cwd=probe.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "probe: " in done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "numpy" in loaded
    assert "tensorflow" not in loaded


def test_nothing_is_overwritten_unasked(probe, recorded, sound_export, pictures):
    before = recorded.read_bytes()
    done = run(probe, "record-savedmodel", sound_export("inspection", "image_tensor"),
               "--images", pictures, "--out", recorded)  # fmt: skip
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert recorded.read_bytes() == before


def test_record_writes_the_file_and_says_how_to_use_it(oddemo, tmp_path):
    ended = oddemo("record", "--script", tmp_path / "probe.pyz")
    assert ended.status == 0
    assert "python probe.pyz record-savedmodel" in ended.out
    done = run(tmp_path / "probe.pyz", "--help")
    assert done.returncode == 0
    assert "record-savedmodel" in done.stdout
    assert oddemo("record", "--script", tmp_path / "probe.pyz").status == 2


def test_only_an_archive_s_name_is_taken(tmp_path):
    with pytest.raises(OddemoError, match=r"\.pyz"):
        write_probe(tmp_path / "probe.txt")
