"""Faults of the network that need a detector or a file of their own: two sets of weights, and 8-bit integers."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from planted import assert_named, in_folder, verified

from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import build, recorded_elsewhere
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.run import audit
from oddemo.audit.sources import interpreter
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.trace import Trace, save_trace
from oddemo.data.sample import sample_dataset


@pytest.fixture
def reference(reference_of) -> TFVisionSource:
    return reference_of("inspection")


@pytest.fixture
def pictures(few_pictures) -> ImageSet:
    return few_pictures("inspection")


def test_the_other_set_of_weights_is_told_from_another_checkpoint(reference, pictures, tmp_path):
    """A real training with a moving average; the average was evaluated, the raw weights are deployed."""
    from oddemo.audit.plant.averages import with_averages

    folder = with_averages(reference.folder, sample_dataset("inspection", "test"), tmp_path / "averaged", steps=20)
    averaged = TFVisionSource(folder)
    parts = find_plant("ema_weights/other_set").parts
    deployed = parse_source(in_folder(parts, folder, tmp_path / "raw"))
    result = audit(averaged, deployed, pictures)
    cause = assert_named(result, "ema_weights")
    assert "EMA" in cause.claim
    # From detections alone, where nobody sees the candidate's variables.
    ends = deployed.trace(pictures)
    result = audit(averaged, recorded(replace(ends, dense={}, images=()), tmp_path / "ends.npz"), pictures)
    assert_named(result, "ema_weights")


def recorded(trace: Trace, path: Path) -> str:
    return f"trace:{save_trace(trace, path)}"


def test_integers_are_told_from_a_second_fault_behind_them(reference, pictures, tmp_path):
    """TFLite's integers round, and its suppression looks at boxes that nobody clipped: both are so by design."""
    result = audit(reference, find_plant("quantization/int8").make(reference.folder, tmp_path), pictures)
    assert result.comparison.first_divergence == "features"
    assert verified(result) == ["quantization", "nms_kind"]
    assert result.after.first_divergence is None
    assert "8-bit integers" in result.causes[0].claim


def test_another_interpreter_is_named_when_the_recorded_file_lies_here(reference, pictures, tmp_path, monkeypatch):
    """One file in two runtimes: TensorFlow's own interpreter with its delegates, and LiteRT without any."""
    plant = find_plant("tf_version/other_interpreter")
    candidate = plant.make(reference.folder, tmp_path / "there", pictures=pictures)
    result = audit(reference, candidate, pictures)
    assert verified(result) == ["tf_version", "quantization"]
    assert (result.verdict, result.comparison.first_divergence) == ("diverges", "detections")
    assert result.after.first_divergence is None
    assert "ai-edge-litert" in result.causes[0].evidence
    # The float file says the same in both; so does this one, once it is not the recorded file any more: nobody knows.
    file = tmp_path / "there" / "model.tflite"
    file.write_bytes(file.read_bytes() + b"\0")
    assert "tf_version" not in [cause.id for cause in audit(reference, candidate, pictures).causes]
    # A delegate that cannot take the file does not end an audit that needs none; it is told.
    opened = interpreter._open

    def refusing(file: Path, *, delegates: bool) -> object:
        if delegates:
            raise RuntimeError("Node number 7 failed to prepare.\nmore")
        return opened(file, delegates=False)

    monkeypatch.setattr(interpreter, "_open", refusing)
    told = parse_source(f"tflite:{file}").trace(pictures, caller=reference.bench.settings.pre).provenance["notes"]
    assert [note.partition("it does not run: ")[2] for note in told] == ["Node number 7 failed to prepare."]


def test_a_float_file_says_the_same_in_the_other_interpreter(reference, pictures, sound_export, tmp_path):
    file = Path(shutil.copy(sound_export("inspection", "tflite"), tmp_path / "model.tflite"))
    result = audit(reference, f"trace:{recorded_elsewhere(file, reference.folder, pictures)}", pictures)
    assert (result.verdict, result.causes) == ("faithful", ())


def test_other_kernels_in_a_tflite_file_are_found_without_any_variable(reference, pictures, tmp_path):
    parts = find_plant("wrong_checkpoint/moved_a_little").parts.joined(find_plant("nms_kind/tflite_fast").parts)
    result = audit(reference, build(parts, reference.folder, tmp_path / "lite"), pictures)
    assert verified(result) == ["wrong_checkpoint", "nms_kind"]
    assert result.after.first_divergence is None


def test_other_pictures_of_the_same_names_are_not_blamed_on_the_runtime(reference, pictures, sound_export, tmp_path):
    """The same file runs here and there, but there it was shown brighter copies."""
    from PIL import Image, ImageEnhance

    from oddemo.audit.recording import record_trace

    for name, path in zip(pictures.names, pictures.paths, strict=True):
        (tmp_path / "bright" / name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            ImageEnhance.Brightness(picture).enhance(1.4).save(tmp_path / "bright" / name, quality=95)
    export = sound_export("inspection", "image_tensor")
    bright = ImageSet(tmp_path / "bright", pictures.names)
    trace = record_trace(f"savedmodel:{export}", bright, tmp_path / "bright.npz")
    digest = weights_digest(export)
    there = recorded(replace(trace, provenance={**trace.provenance, "weights_sha256": digest}), tmp_path / "there.npz")
    result = audit(reference, there, pictures)
    assert (result.verdict, result.comparison.first_divergence) == ("unexplained", "image")
    assert "tf_version" not in [cause.id for cause in result.causes]


def weights_digest(export: Path) -> str:
    """As the stand-alone recorder notes it."""
    digest = hashlib.sha256()
    for file in sorted((export / "variables").glob("*")):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
