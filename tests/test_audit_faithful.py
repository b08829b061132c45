"""Sound deployments are called faithful, whatever they are made of and whatever they are shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oddemo.audit.images import ImageSet, image_set
from oddemo.audit.recording import record_trace
from oddemo.audit.run import audit
from oddemo.audit.sources.base import Source
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.verdict import Audit
from oddemo.data.sample import sample_dataset
from oddemo.data.scenes import WorldSpec, make_world

WORLDS = ("inspection", "wildlife")
#: What the trace of a vehicle shows.
EVERYTHING = ("image", "pixels", "features", "heads", "decoded", "detections", "labels")
INSIDE = EVERYTHING[1:]
ENDS = ("detections", "labels")

Reference = Callable[[str], TFVisionSource]
Pictures = Callable[[str], ImageSet]
Exports = Callable[[str, str], Path]
Sources = Callable[[str, str], Source]


@pytest.fixture(scope="module")
def sound_source(sound_export: Exports) -> Sources:
    """Given a world and a kind, that export as a source; loaded once."""

    def load(world: str, kind: str) -> Source:
        return parse_source(f"{'tflite' if kind == 'tflite' else 'savedmodel'}:{sound_export(world, kind)}")

    return cache(load)


def assert_faithful(result: Audit, *, compared: tuple[str, ...]) -> None:
    assert result.comparison.compared == compared
    told = [(stage.stage, stage.status, stage.detail) for stage in result.comparison.stages]
    assert result.comparison.first_divergence is None, told
    assert (result.verdict, result.exit_status, result.causes, result.after) == ("faithful", 0, (), None)
    # That nothing was found on either side would be no proof.
    assert sum(map(len, result.material.reference.detections)) > len(result.material.pictures)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("kind", ["image_tensor", "tflite"])
def test_both_worlds_as_saved_model_and_tflite(world, kind, reference_of, few_pictures, sound_source):
    candidate = sound_source(world, kind)
    result = audit(reference_of(world), candidate, few_pictures(world), truth=sample_dataset(world))
    assert_faithful(result, compared=EVERYTHING)
    assert abs(result.delta_map.point) < 0.005
    assert result.delta_map.reference > 0.3
    # Nothing changed, so there is no kind of mistake to tell of; where the detector is weak is told.
    assert result.errors is None
    assert result.weak_spots.ap == result.delta_map.reference
    # Both files promise the same, or say themselves where they differ.
    assert "not_read" not in result.contract


@pytest.mark.parametrize("kind", ["image_bytes", "tf_example"])
def test_exports_that_decode_files_themselves(kind, reference_of, few_pictures, sound_source):
    result = audit(reference_of("inspection"), sound_source("inspection", kind), few_pictures("inspection"))
    assert_faithful(result, compared=INSIDE)


def test_a_detector_is_faithful_to_itself(reference_of, few_pictures):
    source = reference_of("wildlife")
    result = audit(source, f"tfvision:{source.folder}", few_pictures("wildlife"))
    assert_faithful(result, compared=EVERYTHING)
    assert all(stage.largest_difference in (None, 0.0) for stage in result.comparison.stages)


_SCRIPTS = {
    "detect": """
from pathlib import Path
import tensorflow as tf

MODEL = tf.saved_model.load(str(Path({model!r})))

def detect(image):
    found = MODEL.signatures["serving_default"](inputs=tf.constant(image[None]))
    kept = int(found["num_detections"][0])
    scale = found["image_info"][0, 2]
    boxes, scores, classes = (found["detection_" + name][0, :kept] for name in ("boxes", "scores", "classes"))
    return {{"boxes": boxes / tf.concat([scale, scale], 0), "scores": scores, "classes": classes}}
""",
    "answer": """
import tensorflow as tf

SERVE = tf.saved_model.load({model!r}).signatures["serving_default"]
KEEP = []

def answer(picture_path: str) -> dict:
    image = tf.io.decode_jpeg(tf.io.read_file(str(picture_path)), channels=3)
    found = {{name: value[0].numpy() for name, value in SERVE(inputs=image[None]).items()}}
    scale, size = found["image_info"][2], found["image_info"][0]
    return {{
        "detection_boxes": found["detection_boxes"] / [*scale, *scale] / [*size, *size],
        "detection_scores": found["detection_scores"].tolist(),
        "detection_classes": found["detection_classes"].tolist(),
        "num_detections": found["num_detections"],
    }}
""",
}


@pytest.mark.parametrize("name", _SCRIPTS)
def test_a_serving_script_that_does_everything_right(name, reference_of, few_pictures, sound_export, tmp_path):
    """One is given an array, the other a path, and hands out normalised boxes, lists, and padding."""
    script = tmp_path / "serve.py"
    script.write_text(_SCRIPTS[name].format(model=str(sound_export("inspection", "signature_alone"))))
    result = audit(reference_of("inspection"), f"python:{script}:{name}", few_pictures("inspection"))
    assert_faithful(result, compared=ENDS)


def test_a_trace_is_as_good_as_its_source(reference_of, few_pictures, sound_export, tmp_path):
    pictures = few_pictures("wildlife")
    export = sound_export("wildlife", "tflite")
    like = f"tfvision:{reference_of('wildlife').folder}"
    record_trace(f"tflite:{export}", pictures, tmp_path / "device.npz", like=like)
    result = audit(reference_of("wildlife"), f"trace:{tmp_path / 'device.npz'}", pictures)
    assert_faithful(result, compared=EVERYTHING)


_ELSEWHERE = """
import sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(3)
tf.config.threading.set_inter_op_parallelism_threads(2)
sys.argv = ["oddemo", *sys.argv[1:]]
from oddemo.cli import main
main()
"""


def test_a_machine_with_other_threads_and_kernels_is_faithful(
    reference_of, few_pictures, sound_export, tmp_path, monkeypatch
):
    """Recorded by a process with three threads and without oneDNN, and in other batches."""
    pictures = few_pictures("inspection")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    out = tmp_path / "elsewhere.npz"
    command = ["record", f"savedmodel:{sound_export('inspection', 'image_tensor')}", "--images", str(pictures.root)]
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, *command, "--limit", "16", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spread = image_set(pictures.root, limit=16)
    monkeypatch.setattr("oddemo.audit.sources.tfvision.BATCH", 5)
    result = audit(reference_of("inspection"), f"trace:{out}", spread)
    assert_faithful(result, compared=EVERYTHING)
    # Not the same numbers read twice: they differ in their last digits.
    assert result.comparison.stage("heads").largest_difference > 0.0


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_pictures_of_any_seed(seed, reference_of, sound_source, tmp_path):
    world = WORLDS[seed % 2]
    spec = WorldSpec(world=world, seed=seed, images=8)
    dataset = make_world(spec, tmp_path / "world", splits={"test": 8})
    pictures = ImageSet(dataset.root, tuple(record.file_name for record in dataset.records))
    for kind in ("image_tensor", "tflite"):
        result = audit(reference_of(world), sound_source(world, kind), pictures)
        assert_faithful(result, compared=EVERYTHING)


@pytest.fixture(scope="module")
def odd_pictures(few_pictures: Pictures, tmp_path_factory) -> ImageSet:
    """Other sizes, shapes and formats than the sample's, some smaller than the network's input, one grey."""
    root = tmp_path_factory.mktemp("odd")
    images = few_pictures("inspection").decode()
    cuts = {
        "as it is.png": images[0],
        "portrait.jpg": np.rot90(images[1]),
        "square.PNG": images[2][:240, :240],
        "wide.bmp": images[3][60:140],
        "tall.jpeg": images[4][:, 100:161],
        "sub/small.png": images[5][::3, ::3],
        "sub/sub/large.jpg": np.repeat(np.repeat(images[6], 3, axis=0), 3, axis=1),
        "odd.jpg": images[7][1:, 1:],
    }
    for name, array in cuts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(array)).save(root / name)
    Image.fromarray(images[8]).convert("L").save(root / "grey.jpg")
    Image.fromarray(images[9]).convert("RGBA").save(root / "with alpha.png")
    (root / "notes.txt").write_text("not a picture")
    return image_set(root)


@pytest.mark.parametrize("kind", ["image_tensor", "image_bytes", "tflite"])
def test_pictures_of_any_size_shape_and_format(kind, reference_of, sound_source, odd_pictures):
    assert len(odd_pictures) == 10
    result = audit(reference_of("inspection"), sound_source("inspection", kind), odd_pictures)
    assert_faithful(result, compared=INSIDE if kind == "image_bytes" else EVERYTHING)


def test_a_limit_takes_pictures_from_the_whole_folder(few_pictures):
    root = few_pictures("inspection").root
    everything, few = image_set(root), image_set(root, limit=5)
    assert len(few) == 5
    assert (few.names[0], few.names[-1]) == (everything.names[0], everything.names[-1])
    assert set(few.names) < set(everything.names)
    assert image_set(root, limit=10_000).names == everything.names
