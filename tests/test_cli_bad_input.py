"""`oddemo audit` on input that cannot be right: one clear message, exit status 2, nothing damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from command_line import FEW, alone, assert_refused, audit_command, contents

from oddemo.audit.images import ImageSet
from oddemo.data.coco import write_coco
from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.data.records import Dataset
from oddemo.data.sample import sample_dataset


def test_nothing_is_run_before_the_outputs_are_known_to_be_free(bench, oddemo, tmp_path):
    """The candidate does not exist, and yet it is the taken file that is told: it is looked at first."""
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    nowhere = audit_command(bench, candidate="savedmodel:nowhere")
    assert_refused(oddemo(*nowhere, "--html", taken), str(taken), "not overwritten", "--overwrite")
    assert_refused(oddemo(*nowhere, "--json", taken), str(taken), "not overwritten")
    assert_refused(oddemo(*nowhere, "--json", tmp_path), "is a folder")
    assert_refused(oddemo(*nowhere, "--html", taken / "below.html"), "cannot be written", str(taken))
    both = tmp_path / "both"
    assert_refused(oddemo(*nowhere, "--html", both, "--json", both), "cannot be one file")
    # With --overwrite and a candidate that fails, what was there stays.
    assert_refused(oddemo(*nowhere, "--html", taken, "--overwrite"), "nowhere is not a SavedModel")
    assert contents(tmp_path) == {"taken.html": hashlib.sha256(b"mine").hexdigest()}


def test_a_missing_folder_ends_a_process_with_one_message(tmp_path):
    arguments = ("--reference", "tfvision:no", "--candidate", "savedmodel:no", "--images", tmp_path / "no")
    assert_refused(alone("audit", *arguments), f"The folder {tmp_path / 'no'} does not exist")


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("savedmodel:{here}/no", ("no is not a SavedModel", "no such folder")),
        ("savedmodel:{here}/empty", ("empty is not a SavedModel", "no saved_model.pb")),
        ("tfvision:{here}/no", ("no is not a detector folder", "oddemo train")),
        ("tfvision:{here}/empty", ("empty is not a detector folder",)),
        ("tflite:{here}/no.tflite", ("no.tflite does not exist",)),
        ("tflite:{here}/empty", ("does not exist",)),
        ("trace:{here}/no.npz", ("no.npz does not exist", "oddemo record")),
        ("trace:{here}/text.npz", ("cannot be read as a trace",)),
        ("python:{here}/no.py:detect", ("no.py does not exist",)),
        ("python:{here}/text.npz:detect", ("not a Python file",)),
        ("python:{here}/script.py", ("names no function", "python:FILE.py:FUNCTION")),
        ("onnx:{here}/model.onnx", ("'onnx' is not a kind of source", "savedmodel:DIR")),
        ("{here}/no", ("is not a source", "no kind")),
        ("savedmodel:", ("is not a source", "no place")),
    ],
)
def test_a_candidate_that_is_not_there(bench, oddemo, tmp_path, candidate, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("not an archive")
    assert_refused(oddemo(*audit_command(bench, candidate=candidate.format(here=tmp_path))), *words)


def test_pictures_that_cannot_be_used(bench, oddemo, tmp_path):
    empty, damaged = tmp_path / "empty", Path(shutil.copytree(bench.pictures, tmp_path / "damaged"))
    empty.mkdir()
    assert_refused(oddemo(*audit_command(bench, images=empty)), "holds no pictures", ".jpg")
    assert_refused(oddemo(*audit_command(bench, images=bench.truth)), "does not exist", "a folder with pictures")
    victim = sorted(damaged.iterdir())[2]
    whole = victim.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"<html>not found</html>", whole[:10] + bytes(500)):
        victim.write_bytes(content)
        told = {"reference": f"tfvision:{bench.detector}", "candidate": bench.recorded}
        ended = oddemo(*audit_command(bench, images=damaged, **told))
        assert_refused(ended, victim.name, "cannot be decoded", "data check")


@pytest.mark.parametrize("reference", ["trace", "tfvision"])
def test_other_pictures_than_the_recorded_ones(bench, oddemo, tmp_path, reference):
    others = tmp_path / "others"
    shutil.copytree(bench.pictures, others)
    next(others.iterdir()).rename(others / "renamed.jpg")
    told = {"candidate": bench.recorded, "images": others}
    if reference == "tfvision":
        told["reference"] = f"tfvision:{bench.detector}"
    assert_refused(oddemo(*audit_command(bench, **told)), "recorded on other pictures", f"{FEW - 1} are shared")


def test_a_truncated_saved_model(bench, oddemo, tmp_path):
    export = Path(shutil.copytree(bench.export, tmp_path / "cut"))
    files = [export / "variables" / "variables.data-00000-of-00001", export / "variables" / "variables.index"]
    for file in (*files, export / "saved_model.pb"):
        whole = file.read_bytes()
        for kept in (0, 100, len(whole) // 2, len(whole) - 50):
            file.write_bytes(whole[:kept])
            ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}"))
            assert_refused(ended, f"The SavedModel {export} cannot be loaded", "oddemo inspect")
        file.unlink()
        assert_refused(oddemo(*audit_command(bench, candidate=f"savedmodel:{export}")), str(export))
        file.write_bytes(whole)


def test_a_truncated_tflite_file(bench, oddemo, sound_export, tmp_path):
    whole = sound_export("inspection", "tflite").read_bytes()
    file = tmp_path / "cut.tflite"
    for content in (b"", whole[:4], whole[:1000], whole[: len(whole) // 2], whole[:-1000], b"TFL3" * 100):
        file.write_bytes(content)
        assert_refused(oddemo(*audit_command(bench, candidate=f"tflite:{file}")), f"{file} cannot be loaded")


def test_a_tflite_file_needs_someone_who_preprocesses(bench, oddemo, sound_export):
    candidate = f"tflite:{sound_export('inspection', 'tflite')}"
    assert_refused(oddemo(*audit_command(bench, candidate=candidate)), "must preprocess", "--like tfvision:DIR")


def test_wrong_label_maps(bench, oddemo, tmp_path):
    export = Path(shutil.copytree(bench.export, tmp_path / "export"))
    place = export / "label_map.pbtxt"
    command = audit_command(bench, candidate=f"savedmodel:{export}")
    names = read_label_map(place)
    place.write_text("".join(f'item {{ id: {2 * i + 1} name: "{name}" }}\n' for i, name in enumerate(names)))
    assert_refused(oddemo(*command), str(place), "1 to 5")
    for content in ("", "item { id: 1", "\x00\x01", 'item { id: 1 name: "pit" } item { id: 1 name: "crack" }'):
        place.write_text(content)
        assert_refused(oddemo(*command), str(place))
    place.unlink()
    write_label_map(place, sample_dataset("wildlife").class_names)
    assert_refused(oddemo(*command), "no class name in common", "fox", "scratch")
    detector = Path(shutil.copytree(bench.detector, tmp_path / "detector"))
    write_label_map(detector / "label_map.pbtxt", names[:-1], overwrite=True)
    told = audit_command(bench, reference=f"tfvision:{detector}")
    assert_refused(oddemo(*told), "does not fit the network", "5 names")


def test_one_name_of_the_label_map_differs(bench, oddemo, tmp_path):
    """That can be compared: it is a difference at the stage `labels`, not bad input."""
    export = Path(shutil.copytree(bench.export, tmp_path / "export"))
    names = read_label_map(export / "label_map.pbtxt")
    write_label_map(export / "label_map.pbtxt", ("scuff", *names[1:]), overwrite=True)
    ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}", json=tmp_path / "audit.json"))
    assert ended.status == 1, ended
    assert json.loads((tmp_path / "audit.json").read_text())["first_divergence"] == "labels"


def test_truth_that_does_not_belong_to_the_pictures(bench, oddemo, tmp_path):
    dataset = sample_dataset("inspection")
    fewer, alien, broken = tmp_path / "fewer.json", tmp_path / "alien.json", tmp_path / "broken.json"
    write_coco(Dataset("fewer", dataset.root, dataset.class_names, dataset.records[: FEW - 1]), fewer)
    assert_refused(oddemo(*audit_command(bench, truth=fewer)), "do not cover the pictures", "for 1 of them")
    names = sample_dataset("wildlife").class_names
    write_coco(Dataset("alien", dataset.root, names, dataset.records[:FEW]), alien)
    assert_refused(oddemo(*audit_command(bench, truth=alien)), "no class in common", names[0])
    broken.write_text('{"images": [')
    assert_refused(oddemo(*audit_command(bench, truth=broken)), str(broken))
    assert_refused(oddemo(*audit_command(bench, truth=tmp_path / "no.json")), "no.json does not exist")


def test_pictures_of_one_name_are_not_given_each_others_truth(tmp_path):
    from oddemo.audit.effect import truth_for
    from oddemo.errors import OddemoError

    dataset = sample_dataset("inspection")
    first, second = (type(r)(r.image_id, f"{place}/1.jpg", r.image_size_hw_px, r.boxes_yxyx_px, r.class_ids)
                     for r, place in zip(dataset.records[:2], ("a", "b"), strict=True))  # fmt: skip
    truth = Dataset("two", tmp_path, dataset.class_names, (first, second))
    for names in (("b/1.jpg", "a/1.jpg"), ("above/b/1.jpg", "above/a/1.jpg")):
        found = truth_for(truth, ImageSet(tmp_path, names))
        assert [record.file_name for record in found.records] == ["b/1.jpg", "a/1.jpg"]
    for names in (("1.jpg",), ("c/1.jpg",)):
        with pytest.raises(OddemoError, match="not a clear one, for 1 of them"):
            truth_for(truth, ImageSet(tmp_path, names))
    only = Dataset("one", tmp_path, dataset.class_names, (first,))
    assert len(truth_for(only, ImageSet(tmp_path, ("1.jpg",)))) == 1
    with pytest.raises(OddemoError, match="for 2 of them"):
        truth_for(only, ImageSet(tmp_path, ("c/1.jpg", "d/1.jpg")))
