"""Pascal VOC: 1-based pixels become continuous ones; broken files are named; the real BCCD set is read whole."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oddemo.data.boxes import box_areas
from oddemo.data.voc import read_voc, voc_splits
from oddemo.errors import OddemoError

OBJECT = (
    "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>{}</object>"
)
SIZE = "<size><width>64</width><height>48</height><depth>3</depth></size>"


def xml(*objects: str, size: str = SIZE, file_name: str = "") -> str:
    return f"<annotation><filename>{file_name}</filename>{size}{''.join(objects)}</annotation>"


def voc_folder(root: Path, annotations: dict[str, str], splits: dict[str, str] | None = None) -> Path:
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for stem, text in annotations.items():
        (root / "Annotations" / f"{stem}.xml").write_text(text)
        Image.new("RGB", (64, 48)).save(root / "JPEGImages" / f"{stem}.jpg")
    for name, text in (splits or {}).items():
        (root / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
    return root


@pytest.fixture
def two(tmp_path):
    return voc_folder(
        tmp_path / "cells",
        {
            "b": xml(OBJECT.format("WBC", 1, 1, 64, 48, "<difficult>1</difficult>")),
            "a": xml(OBJECT.format("RBC", 3, 5, 10, 20, ""), OBJECT.format("RBC", 7.5, 8, 9, 9, "")),
        },
        {"train": "a\n", "val": "b \n\n", "RBC_train": "a  1\n"},
    )


def test_coordinates_classes_splits(two):
    dataset = read_voc(two)
    assert (dataset.name, dataset.class_names, dataset.root) == ("cells", ("RBC", "WBC"), two / "JPEGImages")
    first, second = dataset.records
    assert (first.image_id, first.file_name, first.image_size_hw_px) == (1, "a.jpg", (48, 64))
    assert first.boxes_yxyx_px.tolist() == [[4, 2, 20, 10], [7, 6.5, 9, 9]]
    assert second.boxes_yxyx_px.tolist() == [[0, 0, 48, 64]]
    assert (second.class_ids.tolist(), second.attributes) == ([2], {"difficult": [0]})
    assert voc_splits(two) == ("train", "val")
    val = read_voc(two, "val")
    assert (val.name, val.class_names) == ("cells val", dataset.class_names)
    assert [record.image_id for record in val.records] == [2]
    assert [record.file_name for record in read_voc(two, "RBC_train").records] == ["a.jpg"]
    assert read_voc(two, class_names=["x", "WBC", "RBC"]).records[0].class_ids.tolist() == [3, 3]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(1, 64)] * 4), min_size=1, max_size=5))
def test_a_box_covers_the_pixels_it_names(corners):
    """Oracle: the pixels between both ends, counted."""
    with tempfile.TemporaryDirectory() as folder:
        root = voc_folder(Path(folder), {"a": xml(*(OBJECT.format("x", *box, "") for box in corners))})
        boxes = read_voc(root).records[0].boxes_yxyx_px
    for (x_min, y_min, x_max, y_max), box in zip(corners, boxes, strict=True):
        if x_min == x_max or y_min == y_max:
            assert box_areas(box[None])[0] == 0
            continue
        low_y, high_y = sorted(box[[0, 2]].tolist())
        low_x, high_x = sorted(box[[1, 3]].tolist())
        rows = [row for row in range(1, 65) if min(y_min, y_max) <= row <= max(y_min, y_max)]
        columns = [column for column in range(1, 65) if min(x_min, x_max) <= column <= max(x_min, x_max)]
        assert (high_y - low_y, high_x - low_x) == (len(rows), len(columns))
        assert (low_y, low_x) == (rows[0] - 1, columns[0] - 1)
        assert (box[0] > box[2], box[1] > box[3]) == (y_min > y_max, x_min > x_max)


def test_a_click_without_a_drag_keeps_no_area(tmp_path):
    root = voc_folder(tmp_path, {"a": xml(OBJECT.format("x", 5, 7, 5, 7, ""))})
    assert read_voc(root).records[0].boxes_yxyx_px.tolist() == [[6.5, 4.5, 6.5, 4.5]]


def test_other_folder_names_and_one_flat_folder(tmp_path):
    neu = tmp_path / "neu"
    for folder, name in (("ANNOTATIONS", "a.xml"), ("IMAGES", "a.bmp")):
        (neu / folder).mkdir(parents=True)
        (neu / folder / name).touch()
    (neu / "ANNOTATIONS" / "a.xml").write_text(xml(OBJECT.format("x", 1, 1, 9, 9, "")))
    assert [record.file_name for record in read_voc(neu).records] == ["a.bmp"]
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "a.xml").write_text(xml(OBJECT.format("x", 1, 1, 9, 9, ""), size="", file_name="shot 1.png"))
    Image.new("L", (30, 20)).save(flat / "shot 1.png")
    record = read_voc(flat).records[0]
    assert (record.file_name, record.image_size_hw_px) == ("shot 1.png", (20, 30))


def test_missing_pictures_can_be_kept_for_a_report(two):
    (two / "JPEGImages" / "b.jpg").unlink()
    with pytest.raises(OddemoError, match=r"The picture of .*b\.xml is missing"):
        read_voc(two)
    assert [record.file_name for record in read_voc(two, require_images=False).records] == ["a.jpg", "b.jpg"]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    "<annotation><object>&b;</object></annotation>"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xml(OBJECT.format("x", 1, 1, 9, 9, ""))[:-30], r"a\.xml is not whole XML"),
        ("", r"a\.xml is not whole XML"),
        (BOMB, "declares a document type, which is refused"),
        (BOMB.encode("utf-16").decode("latin-1"), "document type|is not whole XML"),
        (xml(OBJECT.format("x", 1, "", 9, 9, "")), "object 0 has no usable ymin"),
        (xml(OBJECT.format("x", 1, 1, "nan", 9, "")), "object 0 has no usable xmax"),
        (xml(OBJECT.format("x", 1, 1, 9, 9, ""), "<object><name>x</name></object>"), "object 1 has no usable ymin"),
        (xml(OBJECT.format(" ", 1, 1, 9, 9, "")), "object 0 has no class name"),
        (xml(), "No annotation of .* holds a box"),
    ],
)
def test_broken_annotations_are_named(tmp_path, text, message):
    root = voc_folder(tmp_path, {"a": xml()})
    (root / "Annotations" / "a.xml").write_bytes(text.encode("latin-1"))
    with pytest.raises(OddemoError, match=message):
        read_voc(root)


def test_a_document_type_in_another_encoding_is_refused_too(tmp_path):
    root = voc_folder(tmp_path, {"a": xml()})
    (root / "Annotations" / "a.xml").write_bytes(BOMB.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"))
    with pytest.raises(OddemoError, match="declares a document type"):
        read_voc(root)


def test_missing_folders_splits_and_classes(two, tmp_path):
    with pytest.raises(OddemoError, match=r"test\.txt does not exist[\s\S]*the splits train, val"):
        read_voc(two, "test")
    (two / "ImageSets/Main/test.txt").write_text("a\nc\n")
    with pytest.raises(OddemoError, match="1 without annotation: c"):
        read_voc(two, "test")
    (two / "ImageSets/Main/test.txt").write_text("")
    with pytest.raises(OddemoError, match="an empty list"):
        read_voc(two, "test")
    with pytest.raises(OddemoError, match=r"b\.xml names a class that is not in the list"):
        read_voc(two, class_names=["RBC"])
    with pytest.raises(OddemoError, match="does not exist"):
        read_voc(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OddemoError, match=r"holds no annotations \(\*\.xml\)"):
        read_voc(tmp_path / "empty")


def test_bccd_is_read_whole(bccd_root):
    """Figures counted independently from the XML text."""
    dataset = read_voc(bccd_root)
    assert dataset.class_names == ("Platelets", "RBC", "WBC")
    counts = Counter(dataset.class_names[k - 1] for record in dataset.records for k in record.class_ids)
    assert (len(dataset), counts) == (364, {"RBC": 4155, "WBC": 372, "Platelets": 361})
    sizes = {split: len(read_voc(bccd_root, split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 205, "val": 87, "test": 72}
    boxes = np.concatenate([record.boxes_yxyx_px for record in dataset.records])
    assert ((boxes[:, 1] == 0).sum(), (boxes[:, 3] == 640).sum()) == (237, 237)
    assert boxes.min() == 0
    assert boxes[:, 2].max() == 480
