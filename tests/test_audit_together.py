"""Several faults at once: each is named, and all of them together remove the difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from planted import in_folder, verified, with_turns

from oddemo.audit.faults.registry import fault
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.run import audit
from oddemo.audit.settings import Normalization, Settings
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.trace import save_trace


@pytest.fixture
def reference(reference_of: Callable[[str], TFVisionSource]) -> TFVisionSource:
    return reference_of("inspection")


@pytest.fixture
def pictures(few_pictures: Callable[[str], ImageSet]) -> ImageSet:
    return few_pictures("inspection")


def recorded(reference: TFVisionSource, pictures: ImageSet, settings: Settings, path: Path, *stages: str) -> str:
    """Record what the reference says under other settings, as of a deployment that shows these stages alone."""
    trace = reference.bench.trace(pictures, settings)
    shown = {stage: arrays for stage, arrays in trace.dense.items() if stage in stages}
    return f"trace:{save_trace(replace(trace, images=(), dense=shown), path)}"


def test_two_faults_are_named_one_after_the_other(reference, pictures, tmp_path):
    both = find_plant("aspect_ratio/stretched_by_export").parts.joined(find_plant("nms_iou/0.3").parts)
    result = audit(reference, in_folder(both, reference.folder, tmp_path / "detector"), pictures)
    assert verified(result) == ["aspect_ratio", "nms_iou"]
    assert (result.verdict, result.exit_status) == ("diverges", 1)
    assert result.comparison.first_divergence == fault("aspect_ratio").shows_at == "pixels"
    assert result.after.first_divergence is None


def test_shifted_ids_do_not_hide_two_faults_of_suppression(reference, pictures, tmp_path):
    """As a TFLite file of the Object Detection API does it: few boxes, over all classes, ids from 0."""
    bench = reference.bench
    post = replace(bench.settings.post, max_detections=4, nms_kind="class_agnostic", label_offset=-1)
    seen = replace(bench.trace(pictures, replace(bench.settings, post=post)), images=(), dense={})
    result = audit(reference, f"trace:{save_trace(seen, tmp_path / 'seen.npz')}", pictures)
    assert verified(result) == ["max_detections", "nms_kind", "label_offset"]
    assert result.after.first_divergence is None


def test_three_faults_before_the_network_are_named_from_detections_alone(reference, pictures, tmp_path):
    """As a script with OpenCV around an export of another size does it; taken on one by one, none removes the rest."""
    bench = reference.bench
    pre = replace(bench.settings.pre, input_size_hw=(160, 160), channel_order="bgr", decoder="accurate")
    seen = replace(bench.trace(pictures, replace(bench.settings, pre=pre)), images=(), dense={})
    result = audit(reference, f"trace:{save_trace(seen, tmp_path / 'seen.npz')}", pictures)
    assert sorted(verified(result)) == ["channel_order", "image_decode", "input_size"]
    assert all("this and two others" in cause.evidence for cause in result.causes)
    assert result.after.first_divergence is None


def test_shifted_ids_do_not_hide_another_label_map(reference, pictures, tmp_path):
    """A script subtracts 1 from the ids, and looks names up in a map with two swapped: neither removes the rest."""
    names = reference.bench.labels
    swapped = (names[1], names[0], *names[2:])
    post = replace(reference.bench.settings.post, label_offset=-1)
    seen = reference.bench.trace(pictures, replace(reference.bench.settings, post=post))
    seen = replace(seen, images=(), dense={}, labels=swapped)
    result = audit(reference, f"trace:{save_trace(seen, tmp_path / 'seen.npz')}", pictures)
    assert sorted(verified(result)) == ["label_map", "label_offset"]
    claims = {cause.id: cause.claim for cause in result.causes}
    assert "one lower" in claims["label_offset"]
    assert f"{names[0]} is called {names[1]}, {names[1]} is called {names[0]}" in claims["label_map"]
    assert result.after.first_divergence is None


def test_another_input_size_does_not_hide_constants_that_can_be_read_off(reference, pictures, tmp_path):
    """Tensors of two sizes cannot be subtracted; once the size is taken on, the constants can be fitted."""
    odd = Normalization((90.0, 110.0, 130.0), (60.0, 70.0, 80.0))
    settings = reference.bench.settings
    pre = replace(settings.pre, input_size_hw=(160, 160), normalizations=(odd,))
    told = recorded(reference, pictures, replace(settings, pre=pre), tmp_path / "seen.npz", "pixels")
    result = audit(reference, told, pictures)
    assert result.comparison.first_divergence == "pixels"
    assert sorted(verified(result)) == ["input_size", "normalization_constants"]
    claim = next(cause.claim for cause in result.causes if cause.id == "normalization_constants")
    assert "(x - 90) / 60, (x - 110) / 70, (x - 130) / 80" in claim
    assert result.after.first_divergence is None


def test_another_input_size_is_found_behind_turned_pictures_from_detections_alone(reference, pictures, tmp_path):
    """On the pictures that differ most the size alone helps little: it is found once the turn is taken on."""
    turned = with_turns(pictures, tmp_path / "turned")
    settings = reference.bench.settings
    pre = replace(settings.pre, input_size_hw=(160, 160), orientation="exif")
    result = audit(reference, recorded(reference, turned, replace(settings, pre=pre), tmp_path / "seen.npz"), turned)
    assert sorted(verified(result)) == ["exif_orientation", "input_size"]
    assert result.after.first_divergence is None


def test_what_nothing_explains_is_not_called_explained_because_shapes_agree(reference, pictures, tmp_path):
    """The candidate has another size, and noise that no setting makes."""
    import numpy as np

    settings = reference.bench.settings
    trace = reference.bench.trace(
        pictures, replace(settings, pre=replace(settings.pre, input_size_hw=(160, 160))), stages=("pixels",)
    )
    pixels = trace.dense["pixels"]["pixels"]
    noise = np.random.default_rng(0).normal(0.0, 1.0, pixels.shape).astype(np.float32)
    seen = replace(trace, images=(), dense={"pixels": {"pixels": pixels + noise}})
    result = audit(reference, f"trace:{save_trace(seen, tmp_path / 'seen.npz')}", pictures)
    assert result.verdict == "unexplained"
    assert verified(result) == []
    (suspicion,) = result.causes
    assert suspicion.id == "input_size"
    assert "have the candidate's shape; their numbers differ" in suspicion.evidence
    assert "%" not in suspicion.evidence
