"""The benchmark of the Object Detection API on real pictures: its parts that need no lane, and what it has written."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from card_artefacts import made

from benchmarks import odapi_bccd as bench
from benchmarks import odapi_recipes as recipes
from benchmarks.detectors import bccd_root as benchmark_root
from benchmarks.odapi_classes import NOTE, OTHERS, loaded_by_audit
from oddemo.audit.plant.odapi import ODAPI_PLANTS
from oddemo.audit.trace import Trace
from oddemo.data.coco import read_coco
from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.cards.text_proto import parse_text_proto
from oddemo.files import read_json
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.registry import find_lane

FIELDS = tuple(field.name for field in fields(recipes.SSDRecipe))
RESULTS = Path(__file__).resolve().parents[1] / "results" / "odapi_bccd.json"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return read_json(RESULTS)


def cells(count: int = 3) -> Dataset:
    boxes = np.array([[10.0, 10.0, 40.0, 50.0], [60.0, 20.0, 90.0, 80.0]])
    records = [ImageRecord(k, f"{k}.jpg", (100, 120), boxes + k, np.array([1, 2])) for k in range(1, count + 1)]
    return Dataset("cells", Path(), ("RBC", "WBC"), tuple(records))


def seen(dataset: Dataset, moved_px: float) -> Trace:
    found = [Detections(r.boxes_yxyx_px + moved_px, np.array([0.9, 0.8]), r.class_ids) for r in dataset.records]
    return Trace("odapi:cells", tuple(r.file_name for r in dataset.records), (), {}, tuple(found))


def test_what_is_done_is_not_done_again(tmp_path):
    asked = []
    for _ in range(2):
        found = bench.kept(tmp_path / "new" / "one.json", lambda: asked.append(1) or {"ap": [0.5, 0.4, 0.6]})
        assert found == {"ap": [0.5, 0.4, 0.6]}
    assert len(asked) == 1


def test_a_detector_that_is_trained_stays(tmp_path):
    recipe = recipes.RECIPES[0]
    (tmp_path / recipe.name).mkdir()
    assert recipes.trained(recipe, tmp_path, cells()) == tmp_path / recipe.name


def test_the_validation_part_chooses_and_of_equals_the_first():
    one, other = recipes.RECIPES[:2]
    for first, second, better in ((0.3, 0.4, other), (0.4, 0.3, one), (0.3, 0.3, one)):
        assert recipes.chosen({one: {"val": {"ap": [first, 0, 1]}}, other: {"val": {"ap": [second, 0, 1]}}}) == better


def test_smaller_anchors_are_asked_for_in_the_configuration(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from oddemo_odapi.pipeline import pipeline_text

    told = {"classes": 3, "size_px": 256, "steps": 9, "batch": 8, "label_map": "l", "records": "r"}
    usual, small = (parse_text_proto(text) for text in (pipeline_text(**told), pipeline_text(**told, anchor_scale=2)))
    shipped = parse_text_proto((data_folder() / "odapi" / "inspection" / "pipeline.config").read_text())
    scales = [anchors(one).pop("anchor_scale") for one in (usual, small, shipped)]
    assert scales == [[4.0], [2.0], [4.0]]
    assert usual == small
    assert anchors(usual) == anchors(shipped)


def test_the_shapes_of_anchors_are_those_of_the_configuration():
    config = parse_text_proto((data_folder() / "odapi" / "inspection" / "pipeline.config").read_text())
    told, matcher = anchors(config), config["model"][0]["ssd"][0]["matcher"][0]["argmax_matcher"][0]
    assert list(recipes.LEVELS) == [*range(told["min_level"][0], told["max_level"][0] + 1)]
    assert ([recipes.STEPS], list(recipes.RATIOS)) == (told["scales_per_octave"], told["aspect_ratios"])
    assert matcher["matched_threshold"] == [recipes.MATCHED]


def test_a_box_is_reached_by_an_anchor_of_about_its_shape():
    """In a frame of 240 x 240 the smallest anchors are 32 pixels wide and high, and half of it with half the scale."""
    sides = {"as_large": 32.0, "half_of_it": 23.0, "less": 22.0, "half_scale": 16.0}
    boxes = np.array([[0.0, 0.0, side, side] for side in sides.values()])
    record = ImageRecord(1, "1.jpg", (240, 240), boxes, np.arange(1, len(boxes) + 1))
    part = Dataset("shapes", Path(), tuple(sides), (record,))
    usual = recipes.reached(recipes.SSDRecipe(240), part)
    assert usual == {"as_large": 1.0, "half_of_it": 1.0, "less": 0.0, "half_scale": 0.0}
    assert set(recipes.reached(recipes.SSDRecipe(240, anchor_scale=2.0), part).values()) == {1.0}


def anchors(config: Any) -> Any:
    generator = config["model"][0]["ssd"][0]["anchor_generator"][0]
    return generator["multiscale_anchor_generator"][0]


def test_boxes_that_fit_are_perfect_and_boxes_beside_are_not():
    dataset = cells()
    perfect = bench.precision(dataset, seen(dataset, 0.0))
    assert (perfect["images"], perfect["boxes"]) == (3, 6)
    assert perfect["ap"] == perfect["ap50"] == pytest.approx([1.0, 1.0, 1.0])
    beside = bench.precision(dataset, seen(dataset, 5.0))
    assert beside["ap50"] == pytest.approx([1.0, 1.0, 1.0])
    assert 0.0 < beside["ap"][0] < 0.7
    assert bench.precision(dataset, seen(dataset, 50.0))["ap50_of_class"] == {"RBC": 0.0, "WBC": 0.0}


def test_tensorflow_takes_the_early_checkpoint_from_its_folder(tmp_path):
    import tensorflow as tf

    trained = data_folder() / "odapi" / "inspection"
    detector = tmp_path / "detector"
    detector.mkdir()
    for path in trained.glob("ckpt-0.*"):
        for number in (2, 5):
            shutil.copy(path, detector / path.name.replace("ckpt-0", f"ckpt-{number}"))
    early = bench.early_of(detector, tmp_path / "early")
    assert tf.train.latest_checkpoint(str(early)) == str(early / bench.EARLY)
    assert read_card_of(early, trained) == read_card(trained).weights.fingerprint
    assert not list(early.glob("ckpt-5*"))


def read_card_of(early: Path, trained: Path) -> str:
    shutil.copy(trained / "pipeline.config", early)
    return read_card(early).weights.fingerprint


def test_every_deployment_is_one_that_can_be_made():
    plants = {plant.name: plant for plant in ODAPI_PLANTS}
    assert set(bench.BROKEN) <= set(plants)
    assert len({plants[name].fault for name in bench.BROKEN}) == len(bench.BROKEN)
    assert not set(bench.SOUND) & set(bench.LITE)


def test_bccd_is_read_in_place_and_only_file_names_are_written(bccd_root, monkeypatch, tmp_path):
    monkeypatch.setenv("ODDEMO_BCCD", str(bccd_root))
    part = bench._part("val", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["val.json"]
    again = read_coco(tmp_path / "val.json", part.root)
    assert [record.file_name for record in again.records] == [record.file_name for record in part.records]
    sizes = np.concatenate([record.boxes_yxyx_px[:, 2:] - record.boxes_yxyx_px[:, :2] for record in part.records])
    assert (sizes > 0).all()


def test_without_bccd_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("ODDEMO_BCCD", str(tmp_path))
    with pytest.raises(OddemoError, match="ODDEMO_BCCD naming a folder"):
        benchmark_root()


def test_an_audit_refuses_an_export_for_other_classes_with_what_its_files_say():
    said = loaded_by_audit(made() / "other_classes")
    assert said in [note.removeprefix(NOTE) for note in read_card(made() / "other_classes").notes]
    assert said.startswith("head/kernel is declared [2, 4] and stored [2, 3]")
    assert loaded_by_audit(made() / "combined") == ""


def test_the_recipe_was_chosen_on_the_validation_part(told):
    tried = {recipes.SSDRecipe(**{key: one[key] for key in FIELDS}): one for one in told["recipes"]}
    assert tuple(tried) == recipes.RECIPES
    best = recipes.chosen(tried)
    assert {key: told["chosen"][key] for key in FIELDS} == asdict(best)
    # What no anchor reaches is not found, and what all reach is.
    for one in told["recipes"]:
        for name, part in one["reached"].items():
            assert part > 0.9 or one["val"]["ap50_of_class"][name] < 0.1, (one["size_px"], name)
    assert {one["val"]["images"] for one in told["recipes"]} == {told["pictures"]["val"]["images"]}
    assert [told["pictures"][split]["images"] for split in bench.SPLITS] == [205, 87, 72]


def test_it_detects_every_kind_of_cell(told):
    test = told["test"]
    for metric in ("ap", "ap50"):
        point, low, high = test[metric]
        assert 0.0 < low <= point <= high < 1.0
    assert test["ap"][0] < test["ap50"][0]
    assert sorted(test["ap50_of_class"]) == ["Platelets", "RBC", "WBC"]
    assert np.mean(list(test["ap50_of_class"].values())) == pytest.approx(test["ap50"][0], abs=1e-3)
    assert min(test["ap50_of_class"].values()) > 0.3


def test_every_audit_was_of_the_same_detector_on_the_same_pictures(told):
    assert set(told["audits"]) == {*bench.SOUND, *bench.LITE, *bench.BROKEN}
    for name, audit in told["audits"].items():
        assert audit["delta_map"]["images"] == told["pictures"]["test"]["images"], name
        assert audit["delta_map"]["reference"] == pytest.approx(told["test"]["ap"][0], abs=1e-3), name


def test_sound_exports_are_faithful_and_each_fault_is_named(told):
    for name in bench.SOUND:
        audit = told["audits"][name]
        assert (audit["verdict"], audit["first_divergence"], audit["causes"]) == ("faithful", None, []), name
    for name in bench.BROKEN:
        audit = told["audits"][name]
        verified = [cause["id"] for cause in audit["causes"] if cause["verified"]]
        assert (audit["verdict"], verified) == ("diverges", [name.partition("/")[0]]), name


def test_another_number_of_classes_is_told_by_the_files_alone(told):
    entries = {entry["num_classes"]: entry for entry in told["other_classes"]}
    assert set(entries) == set(OTHERS)
    trained = {entry["trained"] for entry in entries.values()}
    assert len(trained) == 1
    for classes, entry in entries.items():
        assert (entry["exporter_exit_status"], entry["written"]) == (0, True)
        right = {classes} == trained
        assert set(entry["predicted"].values()) == ({"loads"} if right else {"fails"}), classes
        assert ("variable_shape" in entry["reasons"]) == (not right)
        assert len(entry["card"]) == (0 if right else 1)
        # What TensorFlow does, in the lane and here, is what the files said.
        assert [bool(said) for said in entry["loading"].values()] == [not right] * 2
        assert right or entry["loading"]["audit"] == entry["card"][0]


def test_it_says_where_it_comes_from_and_names_no_picture_and_no_place_of_a_machine(told):
    wanted = next(one for one in find_lane("odapi").requirements if one.startswith("tensorflow"))
    assert told["lane"]["tensorflow"] == wanted.partition("==")[2]
    assert told["provenance"]["command"] == "python -m benchmarks.odapi_bccd"
    assert "+changed" not in told["provenance"]["commit"]
    assert not any(name in json.dumps(told) for name in ("BloodImage", str(Path(tempfile.gettempdir()))))
