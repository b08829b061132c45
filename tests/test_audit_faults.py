"""One real deployment with each fault that can be planted: the audit names it, and proves it by removing it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import assert_named, in_folder, verified, with_turns

from oddemo.audit.bench_tfvision import settings_of
from oddemo.audit.faults.registry import FAULTS
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.record import Parts
from oddemo.audit.plant.registry import PLANTS, find_plant
from oddemo.audit.run import audit
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.stages import STAGES
from oddemo.audit.trace import save_trace
from oddemo.data.sample import sample_dataset

#: Faults of the registry that no deployment can be made to have.
NOT_PLANTED = {"numeric_noise": "nothing is wrong: it is what remains where every number agrees within tolerance"}
#: Exported with the mistake inside the graph.
IN_EXPORT = (
    "normalization_missing/in_graph",
    "normalization_twice/unit_then_own",
    "normalization_constants/signed",
    "padding_value/double_letterbox",
    "batchnorm_mode/learning_phase",
    "nms_kind/soft",
)
#: The same in a detector folder, which is built from params.yaml and a checkpoint as an export is, in less time.
IN_FOLDER = (
    "input_size/160",
    "wrong_checkpoint/moved_a_little",
    "partial_restore/head_left_out",
    "anchors/size_4",
    "box_coder/faster_rcnn_weights",
    "nms_iou/0.8",
    "nms_kind/class_agnostic",
    "max_detections/5",
)
#: Serving scripts around one sound export.
IN_SCRIPT = (
    "image_decode/pillow_client",
    "exif_orientation/client_turns",
    "resize_kernel/pillow_client",
    "score_activation/client_again",
    "box_order/client_xyxy",
    "box_scale/client_stretches",
    "label_offset/client_subtracts",
    "output_order/client_by_index",
)
#: In a TFLite file, which the caller preprocesses for.
IN_TFLITE = ("quantization/dynamic", "nms_kind/tflite_fast")
#: Those with a test of their own below.
ALONE = (
    "channel_order/in_graph",
    "aspect_ratio/stretched_by_export",
    "score_threshold/0.3_baked_in",
    "label_map/names_swapped",
    "ema_weights/other_set",
    "quantization/int8",
    "tf_version/other_interpreter",
)

Reference = Callable[[str], TFVisionSource]
Pictures = Callable[[str], ImageSet]
Exports = Callable[[str, str], Path]


@pytest.fixture
def reference(reference_of: Reference) -> TFVisionSource:
    return reference_of("inspection")


@pytest.fixture
def pictures(few_pictures: Pictures) -> ImageSet:
    return few_pictures("inspection")


@pytest.fixture(scope="module")
def turned_pictures(few_pictures: Pictures, tmp_path_factory) -> ImageSet:
    return with_turns(few_pictures("inspection"), tmp_path_factory.mktemp("turned"))


@pytest.fixture(scope="module")
def scripts(sound_export: Exports, tmp_path_factory) -> Path:
    """A folder with a sound export, to which planting only adds its script."""
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(sound_export("inspection", "signature_alone"), folder / "saved_model")
    return folder


def test_every_registered_fault_is_planted_here_or_cannot_be():
    planted = {plant.fault for plant in PLANTS}
    assert planted.isdisjoint(NOT_PLANTED)
    assert planted | set(NOT_PLANTED) == {entry.id for entry in FAULTS}
    here = [find_plant(name).fault for name in (*IN_EXPORT, *IN_FOLDER, *IN_SCRIPT, *IN_TFLITE, *ALONE)]
    assert set(here) == planted


@pytest.mark.parametrize("name", IN_EXPORT)
def test_a_fault_in_the_export_is_named(name, reference, pictures, tmp_path):
    plant = find_plant(name)
    result = audit(reference, plant.make(reference.folder, tmp_path), pictures)
    assert result.comparison.compared == STAGES
    assert_named(result, plant.fault)


@pytest.mark.parametrize("name", IN_FOLDER)
def test_a_fault_in_configuration_or_checkpoint_is_named(name, reference, pictures, tmp_path):
    plant = find_plant(name)
    result = audit(reference, in_folder(plant.parts, reference.folder, tmp_path / "detector"), pictures)
    assert result.comparison.compared == STAGES
    assert_named(result, plant.fault, shows_at=plant.shows_at)


@pytest.mark.parametrize("name", IN_TFLITE)
def test_a_fault_in_a_tflite_file_is_named(name, reference, pictures, tmp_path):
    plant = find_plant(name)
    result = audit(reference, plant.make(reference.folder, tmp_path), pictures)
    assert_named(result, plant.fault, shows_at=plant.shows_at)
    # The delegate that LiteRT takes by itself computes 8-bit weights with float activations in a way of its own.
    told = [note for note in result.notes if "XNNPACK" in note]
    assert len(told) == (name == "quantization/dynamic")


@pytest.mark.parametrize("name", IN_SCRIPT)
def test_a_fault_in_the_serving_script_is_named_from_detections_alone(
    name, reference, pictures, turned_pictures, scripts
):
    plant = find_plant(name)
    chosen = turned_pictures if plant.fault == "exif_orientation" else pictures
    result = audit(reference, plant.make(reference.folder, scripts), chosen)
    assert result.comparison.compared == ("detections", "labels")
    assert_named(result, plant.fault)


def test_turned_channels_are_named_and_cost_what_the_interval_says(channel_order_audit):
    cause = assert_named(channel_order_audit, "channel_order")
    assert "BGR" in cause.claim
    assert channel_order_audit.comparison.first_divergence == "pixels"
    delta = channel_order_audit.delta_map
    assert delta.low <= delta.point <= delta.high < 0
    assert delta.point == pytest.approx(delta.candidate - delta.reference)
    # Colour tells two classes apart: what was lost was lost to the wrong class, or not found at all.
    assert channel_order_audit.weak_spots is None
    lost = {line.kind: line.truths_lost for line in channel_order_audit.errors.lines}
    assert lost["classification"] + lost["missed"] > lost["localisation"]
    assert channel_order_audit.errors.ap50_change < 0


def test_another_label_map_is_named_with_the_names_that_it_swaps(reference, pictures, sound_export, tmp_path):
    from oddemo.data.label_map import read_label_map, write_label_map

    # As `label_map/names_swapped` plants it, on a copy of an export that is there already.
    assert find_plant("label_map").parts == Parts(names_swapped=True)
    export = Path(shutil.copytree(sound_export("inspection", "image_tensor"), tmp_path / "saved_model"))
    first, second, *others = read_label_map(export / "label_map.pbtxt")
    write_label_map(export / "label_map.pbtxt", (second, first, *others), overwrite=True)
    cause = assert_named(audit(reference, f"savedmodel:{export}", pictures), "label_map")
    assert f"{first} is called {second}" in cause.claim
    assert f"{second} is called {first}" in cause.claim


@pytest.mark.parametrize(
    ("other", "words"),
    [({"nms_kind": "per_class", "soft_sigma": 0.0}, "within each class"), ({"soft_sigma": 0.3}, "sigma 0.3")],
)
def test_a_reference_with_soft_suppression_is_diagnosed(reference, pictures, tmp_path, other, words):
    folder = Path(shutil.copytree(reference.folder, tmp_path / "soft"))
    params = (folder / "params.yaml").read_text()
    assert "nms_version: v2" in params
    assert "soft_nms_sigma: null" in params
    soft = params.replace("nms_version: v2", "nms_version: v1").replace("soft_nms_sigma: null", "soft_nms_sigma: 0.5")
    (folder / "params.yaml").write_text(soft)
    source = TFVisionSource(folder)
    assert source.bench.settings.post.nms_kind == "soft"
    post = replace(source.bench.settings.post, **other)
    seen = source.bench.trace(pictures, replace(source.bench.settings, post=post))
    result = audit(source, f"trace:{save_trace(replace(seen, images=(), dense={}), tmp_path / 'seen.npz')}", pictures)
    assert words in assert_named(result, "nms_kind").claim


def test_the_other_world_and_a_vehicle_without_a_graph(reference_of, few_pictures, tmp_path):
    """TFLite, preprocessed by the caller: the faults that sit after the network are inside the file."""
    from oddemo.export.tflite import export_tflite

    reference = reference_of("wildlife")
    plant = find_plant("score_threshold/0.3_baked_in")
    candidate = export_tflite(reference.folder, tmp_path / "strict.tflite", overrides=plant.parts.overrides)
    result = audit(reference, f"tflite:{candidate}", few_pictures("wildlife"), truth=sample_dataset("wildlife"))
    cause = assert_named(result, "score_threshold")
    assert "0.3" in cause.claim
    assert result.delta_map.point < 0


_RESTLESS = """
import numpy as np
from oddemo.audit.plant.serving import run
from dataclasses import replace
from pathlib import Path

def detect(image):
    outputs = run(Path(__file__).parent / "saved_model", image)
    random = np.random.default_rng(int(image.sum()) % 2**32)
    return {**outputs, "boxes": outputs["boxes"] + random.normal(0, 9, outputs["boxes"].shape)}
"""


def test_what_no_probe_removes_is_called_unexplained(reference, pictures, scripts):
    """Boxes that jump about at random: nothing in the registry does that, so nothing may be blamed for it."""
    script = scripts / "restless.py"
    script.write_text(_RESTLESS)
    result = audit(reference, f"python:{script}:detect", pictures)
    assert verified(result) == []
    assert (result.verdict, result.exit_status) == ("unexplained", 1)
    assert result.after.first_divergence == "detections"


def test_a_bench_that_went_through_many_diagnoses_still_knows_a_sound_export(reference, pictures, sound_export):
    # A set of its own: the reference runs again, and shows what it has become.
    anew = pictures.take(range(len(pictures)))
    result = audit(reference, f"savedmodel:{sound_export('inspection', 'image_tensor')}", anew)
    assert (result.verdict, result.exit_status, result.causes) == ("faithful", 0, ())
    assert result.after is None
    again = reference.bench.trace(pictures, reference.bench.settings)
    for one, other in zip(again.detections, result.material.reference.detections, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-5)
    assert reference.bench.settings == settings_of(reference.bench.detector)
