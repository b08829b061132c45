"""A file that takes pictures of another size than the trained network: whoever calls it makes them of that size."""

from __future__ import annotations

from dataclasses import replace

from planted import assert_named, verified

from oddemo.audit.plant.build import build
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.run import audit
from oddemo.detect.folder import find_checkpoint, read_params
from oddemo.export.saved_model import write_graph


def test_another_size_of_a_quantised_file_is_told_from_its_rounding(reference_of, few_pictures, tmp_path):
    reference, pictures = reference_of("inspection"), few_pictures("inspection")
    parts = replace(find_plant("input_size/160").parts, tflite="dynamic")
    result = audit(reference, build(parts, reference.folder, tmp_path), pictures)
    assert verified(result) == ["input_size", "quantization"]
    assert (result.verdict, result.comparison.first_divergence) == ("diverges", "pixels")
    assert result.after.first_divergence is None
    assert "160 x 160 pixels instead of 128 x 128" in result.causes[0].claim


def test_so_is_that_of_a_saved_model_that_takes_the_networks_own_input(reference_of, few_pictures, tmp_path):
    reference, pictures = reference_of("inspection"), few_pictures("inspection")
    params = read_params(reference.folder, overrides=find_plant("input_size/160").parts.overrides)
    write_graph(params, find_checkpoint(reference.folder), tmp_path / "graph", input_type="tflite", batch_size=1)
    result = audit(reference, f"savedmodel:{tmp_path / 'graph'}", pictures)
    assert_named(result, "input_size")
