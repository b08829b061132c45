"""`oddemo data import` and `oddemo data check`: layouts, exit statuses; nothing is half done or overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from oddemo.cli.data import app
from oddemo.data.coco import read_coco, write_coco
from oddemo.data.import_folder import drop_invalid_boxes
from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError

HEIGHT, WIDTH = 48, 64


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ok(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(*arguments: object) -> str:
    """Run a command that must end with an error for the user, and return its message."""
    result = run(*arguments)
    assert isinstance(result.exception, OddemoError), (result.output, result.exception)
    return str(result.exception)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pictures(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (number, 0, 0)).save(folder / name)


def dataset_in(folder: Path, names: list[str], boxes: list[list[float]] | None = None) -> Dataset:
    """A dataset with pictures on disk: one good box of each of two classes in every picture, and more in the first."""
    pictures(folder, names)
    records = []
    for number, name in enumerate(names, 1):
        more = boxes if boxes and number == 1 else []
        all_boxes = [[1, 2, 20, 30], [25, 32, 40, 60], *more]
        class_ids = [1, 2, *([1] * len(more))]
        records.append(ImageRecord(number, name, (HEIGHT, WIDTH), all_boxes, class_ids))
    return Dataset("made", folder, ("scratch", "pit"), tuple(records))


@pytest.fixture
def coco(tmp_path) -> Path:
    """COCO's own layout: annotations/instances_<split>2017.json and <split>2017/."""
    for split, names in (("train", ["a.png", "b.png", "c.png"]), ("val", ["d.png"])):
        dataset = dataset_in(tmp_path / "coco" / f"{split}2017", names)
        write_coco(dataset, tmp_path / "coco" / "annotations" / f"instances_{split}2017.json")
    return tmp_path / "coco"


def test_import_coco(coco, tmp_path):
    output = ok("import", coco, "--from", "coco", "--out", tmp_path / "out")
    assert "train: 3 pictures, 6 boxes (scratch 3, pit 3)" in output
    assert files_below(tmp_path / "out") == [
        "import.json",
        "label_map.pbtxt",
        "train.json",
        "train/images/a.png",
        "train/images/b.png",
        "train/images/c.png",
        "val.json",
        "val/images/d.png",
    ]
    assert read_label_map(tmp_path / "out" / "label_map.pbtxt") == ("scratch", "pit")
    back = read_coco(tmp_path / "out" / "train.json")
    assert back.root == tmp_path / "out"
    for record, origin in zip(
        back.records, read_coco(coco / "annotations/instances_train2017.json").records, strict=True
    ):
        assert record.boxes_yxyx_px.tolist() == origin.boxes_yxyx_px.tolist()
        assert back.image_path(record).read_bytes() == (coco / "train2017" / origin.file_name).read_bytes()
    content = json.loads((tmp_path / "out" / "import.json").read_text())
    assert content["splits"]["val"] == {"images": 1, "boxes": 2, "boxes_of_class": {"scratch": 1, "pit": 1}}
    assert "commit" in content["provenance"]
    assert "no faults found" in ok("check", tmp_path / "out")
    # What was imported can be imported again: the same files.
    ok("import", tmp_path / "out", "--from", "coco", "--out", tmp_path / "again")
    for name in ("train.json", "val.json", "label_map.pbtxt"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_nothing_is_overwritten_or_left_half_done(coco, tmp_path):
    out = tmp_path / "out"
    ok("import", coco, "--from", "coco", "--out", out)
    before = {name: (out / name).read_bytes() for name in files_below(out)}
    assert "exists already" in refused("import", coco, "--from", "coco", "--out", out)
    (coco / "val2017" / "d.png").unlink()
    message = refused("import", coco, "--from", "coco", "--out", out, "--overwrite")
    assert "d.png cannot be brought to the new folder" in message
    assert {name: (out / name).read_bytes() for name in files_below(out)} == before
    assert "d.png" in refused("import", coco, "--from", "coco", "--out", tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coco", "out"]
    pictures(coco / "val2017", ["d.png"])
    ok("import", coco / "annotations/instances_val2017.json", "--from", "coco", "--out", out, "--overwrite")
    assert files_below(out) == ["all.json", "all/images/d.png", "import.json", "label_map.pbtxt"]


def test_links_share_the_pictures(coco, tmp_path):
    ok("import", coco, "--from", "coco", "--out", tmp_path / "out", "--link")
    assert (tmp_path / "out/val/images/d.png").samefile(coco / "val2017" / "d.png")
    ok("import", coco, "--from", "coco", "--out", tmp_path / "copies")
    assert not (tmp_path / "copies/val/images/d.png").samefile(coco / "val2017" / "d.png")


def test_splits_by_name_and_by_chance(coco, tmp_path):
    ok("import", coco, "--from", "coco", "--out", tmp_path / "named", "--splits", "test=val")
    assert files_below(tmp_path / "named")[-1] == "test/images/d.png"
    one = coco / "annotations" / "instances_train2017.json"
    ok("import", one, "--from", "coco", "--out", tmp_path / "drawn", "--splits", "train=0.67,val=0.33", "--seed", "5")
    names = [{r.file_name[-5:] for r in read_coco(tmp_path / "drawn" / f"{s}.json").records} for s in ("train", "val")]
    assert [len(part) for part in names] == [2, 1]
    assert names[0] | names[1] == {"a.png", "b.png", "c.png"}
    assert json.loads((tmp_path / "drawn/import.json").read_text())["provenance"]["seeds"] == [5]
    message = refused("import", coco, "--from", "coco", "--out", tmp_path / "x", "--splits", "train=0.5")
    assert "is split already" in message
    assert "does not exist" in refused("import", coco, "--from", "coco", "--out", tmp_path / "x", "--splits", "night")
    output = ok("import", one, "--from", "coco", "--out", tmp_path / "whole")
    assert "lists no splits" in output


FAULTY = [
    [5, 5, 5, 5],  # no area
    [9, 9, 3, 20],  # inside out
    [-30, 5, -10, 9],  # wholly outside
    [-8, 5, 0, 9],  # outside, and touching the edge: above,
    [HEIGHT, 5, 60, 9],  # below,
    [5, -8, 9, 0],  # at the left,
    [5, WIDTH, 9, 80],  # and at the right
    [-3, 50, 8, 60],  # partly outside: kept
]


def test_invalid_boxes_are_kept_unless_asked(tmp_path):
    write_coco(dataset_in(tmp_path / "in" / "images", ["a.png"], FAULTY), tmp_path / "in" / "train.json")
    ok("import", tmp_path / "in", "--from", "coco", "--out", tmp_path / "kept")
    assert len(read_coco(tmp_path / "kept/train.json").records[0].class_ids) == 10
    output = ok("import", tmp_path / "in", "--from", "coco", "--out", tmp_path / "clean", "--drop-invalid")
    assert "left out: 7 boxes without area or outside the picture" in output
    boxes = read_coco(tmp_path / "clean/train.json").records[0].boxes_yxyx_px.tolist()
    assert boxes == [[1, 2, 20, 30], [25, 32, 40, 60], [-3, 50, 8, 60]]
    assert json.loads((tmp_path / "clean/import.json").read_text())["dropped_boxes"] == 7


@given(st.lists(st.tuples(*[st.integers(-20, 80)] * 4), max_size=6))
def test_what_is_left_after_dropping_shows_in_the_picture(boxes):
    """Oracle: pixels of the picture that the box covers."""
    record = ImageRecord(1, "a.jpg", (HEIGHT, WIDTH), boxes, [1] * len(boxes))
    left, dropped = drop_invalid_boxes(Dataset("x", Path(), ("a",), (record,)))
    canvas = np.zeros((HEIGHT, WIDTH))
    visible = [box for box in boxes if canvas[max(box[0], 0) : max(box[2], 0), max(box[1], 0) : max(box[3], 0)].size]
    assert left.records[0].boxes_yxyx_px.tolist() == [list(map(float, box)) for box in visible]
    assert dropped == len(boxes) - len(visible)


def test_import_tfrecords_and_back(coco, tmp_path):
    ok("import", coco, "--from", "coco", "--out", tmp_path / "one", "--tfrecords")
    assert [name for name in files_below(tmp_path / "one") if name.endswith("tfrecord")] == [
        "train-00000-of-00001.tfrecord",
        "val-00000-of-00001.tfrecord",
    ]
    ok("import", tmp_path / "one", "--from", "tfrecord", "--out", tmp_path / "two")
    for split in ("train", "val"):
        first, second = (read_coco(tmp_path / folder / f"{split}.json") for folder in ("one", "two"))
        assert [r.file_name for r in first.records] == [r.file_name for r in second.records]
        for one, two in zip(first.records, second.records, strict=True):
            np.testing.assert_allclose(one.boxes_yxyx_px, two.boxes_yxyx_px, rtol=0, atol=1e-5)
            assert first.image_path(one).read_bytes() == second.image_path(two).read_bytes()
    ok(
        "import",
        tmp_path / "one" / "val-*",
        "--from",
        "tfrecord",
        "--out",
        tmp_path / "three",
        "--classes",
        "scratch,pit",
    )
    write_label_map(tmp_path / "names.pbtxt", ["pit", "scratch"])
    wrong = ("--from", "tfrecord", "--out", tmp_path / "four", "--classes", tmp_path / "names.pbtxt")
    assert "number their classes differently" in refused("import", tmp_path / "one" / "val-*", *wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coco", "names.pbtxt", "one", "three", "two"]


def test_import_bccd(bccd_root, tmp_path):
    output = ok("import", bccd_root, "--from", "voc", "--out", tmp_path / "cells", "--link")
    assert "train: 205 pictures" in output
    assert "val: 87 pictures" in output
    assert "test: 72 pictures" in output
    result = run("check", tmp_path / "cells", "--json", tmp_path / "found.json")
    assert result.exit_code == 1
    assert "train/images/BloodImage_00343.jpg box 3" in result.output
    found = json.loads((tmp_path / "found.json").read_text())
    kinds = [finding["kind"] for part in found["datasets"] for finding in part["findings"]]
    assert (kinds.count("zero_area"), kinds.count("near_duplicate"), len(kinds)) == (2, 8, 10)
    output = ok("import", bccd_root, "--from", "voc", "--out", tmp_path / "clean", "--link", "--drop-invalid")
    assert "left out: 2 boxes" in output
    assert "near_duplicate" in ok("check", tmp_path / "clean")  # warnings alone are no failure


def test_check_says_what_it_finds_and_ends_accordingly(tmp_path):
    write_coco(dataset_in(tmp_path / "images", ["a.png"]), tmp_path / "good.json")
    output = ok("check", tmp_path / "good.json")
    assert "made: 1 pictures, 2 boxes" in output
    assert "no faults found" in output
    many = [[30, k, 30, k + 1] for k in range(30)]
    write_coco(dataset_in(tmp_path / "images", ["a.png"], many), tmp_path / "bad.json")
    result = run("check", tmp_path / "bad.json", "--json", tmp_path / "out.json")
    assert result.exit_code == 1
    assert result.output.count("error zero_area: a.png box") == 20
    assert "and 10 more" in result.output
    part = json.loads((tmp_path / "out.json").read_text())["datasets"][0]
    assert (part["counts"], len(part["findings"])) == ({"zero_area": 30}, 30)
    assert part["findings"][0]["box_indices"] == [2]
    assert "exists already" in refused("check", tmp_path / "bad.json", "--json", tmp_path / "out.json")
    near = [[1, 2, 20, 30], [1, 2, 20, 29]]
    write_coco(dataset_in(tmp_path / "images", ["a.png"], near[1:]), tmp_path / "near.json")
    assert "near_duplicate" in ok("check", tmp_path / "near.json")
    assert "no faults found" in ok("check", tmp_path / "near.json", "--near-duplicate-iou", "0.98")
    (tmp_path / "images" / "a.png").unlink()
    assert "missing_file" in run("check", tmp_path / "good.json").output
    pictures(tmp_path / "elsewhere", ["a.png"])
    ok("check", tmp_path / "good.json", "--images", tmp_path / "elsewhere")


def test_what_cannot_be_read_is_an_error_for_the_user(tmp_path):
    assert "does not exist" in refused("check", tmp_path / "none")
    assert "No dataset is found" in refused("check", tmp_path)
    (tmp_path / "half.json").write_text('{"images": [')
    assert "is not readable as JSON" in refused("check", tmp_path / "half.json")
    for kind, message in (
        ("voc", "holds no annotations"),
        ("coco", "No COCO file is found"),
        ("tfrecord", "No TFRecords are found"),
        ("zip", "kind of dataset is not known"),
    ):
        assert message in refused("import", tmp_path, "--from", kind, "--out", tmp_path / "out")
    assert "class names" in refused("import", tmp_path, "--from", "voc", "--out", tmp_path / "out", "--classes", "a,,b")
    assert [path.name for path in tmp_path.iterdir()] == ["half.json"]


def test_splits_with_different_classes_are_refused(coco, tmp_path):
    path = coco / "annotations" / "instances_val2017.json"
    path.write_text(path.read_text().replace('"pit"', '"dent"'))
    assert "have different classes" in refused("import", coco, "--from", "coco", "--out", tmp_path / "out")


def test_the_program_ends_with_the_promised_status(tmp_path):
    write_coco(dataset_in(tmp_path / "images", ["a.png"]), tmp_path / "good.json")
    write_coco(dataset_in(tmp_path / "images", ["a.png"], [[5, 5, 5, 5]]), tmp_path / "bad.json")
    for name, status in (("good.json", 0), ("bad.json", 1), ("none.json", 2)):
        command = [sys.executable, "-m", "oddemo", "data", "check", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["import", "check"])
def test_help_ends_with_an_example(command):
    assert f"Example: oddemo data {command}" in ok(command, "--help")
