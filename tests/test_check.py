"""The check: a clean set gives nothing, every planted fault is found, BCCD's known faults are found and no others."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oddemo.data.check import check_dataset
from oddemo.data.counts import count_dataset
from oddemo.data.findings import KINDS, Finding
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.voc import read_voc
from oddemo.errors import OddemoError

HEIGHT, WIDTH = 48, 64


@st.composite
def clean_datasets(draw) -> Dataset:
    """Boxes of two classes, one in each of some cells of an 8 x 8 grid, so that no two overlap."""
    records = []
    for number in range(draw(st.integers(1, 3))):
        cells = draw(st.lists(st.integers(0, 63), min_size=2, max_size=6, unique=True))
        boxes = []
        for cell in cells:
            top, left = 6 * (cell // 8), 8 * (cell % 8)
            y_min, x_min = top + draw(st.floats(0, 2)), left + draw(st.floats(0, 2))
            boxes.append([y_min, x_min, top + draw(st.floats(4, 6)), left + draw(st.floats(4, 8))])
        class_ids = [1, 2, *(draw(st.integers(1, 2)) for _ in boxes[2:])]
        records.append(ImageRecord(number, f"{number}.jpg", (HEIGHT, WIDTH), boxes, class_ids))
    return Dataset("clean", Path("nowhere"), ("a", "b"), tuple(records))


def on_disk(dataset: Dataset, folder: str) -> Dataset:
    for record in dataset.records:
        Image.new("RGB", (WIDTH, HEIGHT)).save(Path(folder) / record.file_name)
    return replace(dataset, root=Path(folder))


@settings(deadline=None, max_examples=30)
@given(clean_datasets())
def test_a_clean_dataset_gives_no_finding(dataset):
    with tempfile.TemporaryDirectory() as folder:
        assert check_dataset(on_disk(dataset, folder)) == ()


@pytest.mark.parametrize("size_hw_px", [(1, 1), (640, 640), (3, 1000)])
def test_a_box_that_covers_the_whole_picture_is_clean(size_hw_px):
    record = ImageRecord(1, "a.jpg", size_hw_px, [[0, 0, *size_hw_px]], [1])
    assert check_dataset(Dataset("x", Path(), ("a",), (record,)), read_files=False) == ()


def with_box(record: ImageRecord, index: int, box: list[float]) -> ImageRecord:
    boxes = record.boxes_yxyx_px.copy()
    boxes[index] = box
    return replace(record, boxes_yxyx_px=boxes)


def with_copy(record: ImageRecord, index: int, shift: float) -> ImageRecord:
    """Add the box again, of the same class, moved by a part of its own width."""
    y_min, x_min, y_max, x_max = record.boxes_yxyx_px[index].tolist()
    move = shift * (x_max - x_min)
    boxes = [*record.boxes_yxyx_px.tolist(), [y_min, x_min + move, y_max, x_max + move]]
    return replace(record, boxes_yxyx_px=boxes, class_ids=[*record.class_ids.tolist(), int(record.class_ids[index])])


def swapped(box: list[float], *, axis: int) -> list[float]:
    box = list(box)
    box[axis], box[axis + 2] = box[axis + 2], box[axis]
    return box


def flattened(box: list[float], *, axis: int) -> list[float]:
    box = list(box)
    box[axis + 2] = box[axis]
    return box


def moved_out(box: list[float], *, axis: int, beyond: float, low: bool) -> list[float]:
    box = list(box)
    box[axis if low else axis + 2] = -beyond if low else (HEIGHT, WIDTH)[axis] + beyond
    return box


@settings(deadline=None, max_examples=60)
@given(clean_datasets(), st.data())
def test_planted_box_faults_are_found_alone(dataset, data):
    position = data.draw(st.integers(0, len(dataset) - 1))
    record = dataset.records[position]
    index = data.draw(st.integers(0, len(record.class_ids) - 1))
    axis = data.draw(st.integers(0, 1))
    box = record.boxes_yxyx_px[index].tolist()
    kind = data.draw(
        st.sampled_from(["zero_area", "inside_out", "not_finite", "out_of_image", "duplicate", "near_duplicate"])
    )
    boxes: tuple[int, ...] = (index,)
    if kind == "zero_area":
        record = with_box(record, index, flattened(box, axis=axis))
    elif kind == "inside_out":
        record = with_box(record, index, swapped(box, axis=axis))
    elif kind == "not_finite":
        box[axis] = data.draw(st.sampled_from([float("nan"), float("inf"), float("-inf")]))
        record = with_box(record, index, box)
    elif kind == "out_of_image":
        beyond = data.draw(st.floats(0.1, 100))
        record = with_box(record, index, moved_out(box, axis=axis, beyond=beyond, low=data.draw(st.booleans())))
    else:
        # A box moved by a part m of its width overlaps itself by (1 - m) / (1 + m): 0.999 and 0.85 here.
        shift = 0.0005 if kind == "duplicate" else 0.081
        record = with_copy(replace(record, image_size_hw_px=(HEIGHT, 2 * WIDTH)), index, shift)
        boxes = (index, len(record.class_ids) - 1)
    records = [record if k == position else other for k, other in enumerate(dataset.records)]
    findings = check_dataset(replace(dataset, records=tuple(records)), read_files=False)
    if kind == "out_of_image":  # a box that was drawn out of the picture may now cover others
        findings = tuple(finding for finding in findings if "duplicate" not in finding.kind)
    assert [(f.kind, f.image_file, f.box_indices) for f in findings] == [(kind, record.file_name, boxes)]


@settings(deadline=None, max_examples=20)
@given(clean_datasets(), st.data())
def test_planted_file_faults_are_found_alone(dataset, data):
    record = data.draw(st.sampled_from(dataset.records))
    kind = data.draw(st.sampled_from(["missing_file", "unreadable", "size_mismatch"]))
    with tempfile.TemporaryDirectory() as folder:
        dataset = on_disk(dataset, folder)
        path = dataset.image_path(record)
        if kind == "missing_file":
            path.unlink()
        elif kind == "unreadable":
            content = path.read_bytes()
            path.write_bytes(content[: data.draw(st.integers(0, len(content) - 100))])
        else:
            Image.new("RGB", (HEIGHT, WIDTH)).save(path)
        findings = check_dataset(dataset)
    assert [(f.kind, f.image_file, f.box_indices) for f in findings] == [(kind, record.file_name, ())]
    if kind == "size_mismatch":
        assert findings[0].detail.endswith("(turned: perhaps by EXIF orientation)")


def test_pictures_without_boxes_and_classes_without_boxes():
    empty = ImageRecord(1, "a.jpg", (HEIGHT, WIDTH), [], [], {"labels_without_box": ["dog"]})
    full = ImageRecord(2, "b.jpg", (HEIGHT, WIDTH), [[1, 2, 3, 4]], [2])
    findings = check_dataset(Dataset("x", Path(), ("cat", "dog"), (empty, full)), read_files=False)
    assert findings == (
        Finding("no_boxes", "a.jpg", (), "labels without box: dog"),
        Finding("class_without_boxes", None, (), "class 1 'cat'"),
    )
    assert [finding.severity for finding in findings] == ["info", "warning"]


def test_thresholds():
    boxes = [[0, 0, 10, 100], [0, 0, 10, 85]]

    def kinds(class_ids, second, **options):
        record = ImageRecord(1, "a.jpg", (HEIGHT, 100), [boxes[0], second], class_ids)
        dataset = Dataset("x", Path(), ("a", "b"), (record,))
        found = [finding.kind for finding in check_dataset(dataset, read_files=False, **options)]
        return [kind for kind in found if kind != "class_without_boxes"]

    assert kinds([1, 1], [0, 0, 10, 85]) == ["near_duplicate"]
    assert kinds([1, 2], [0, 0, 10, 85]) == []  # two classes may share a place
    assert kinds([1, 1], [0, 0, 10, 80]) == []  # exactly at the threshold is not above it
    assert kinds([1, 1], [0, 0, 10, 80], near_duplicate_iou=0.79) == ["near_duplicate"]
    assert kinds([1, 1], [0, 0, 10, 85], near_duplicate_iou=0.9) == []
    assert kinds([1, 1], [0, 0, 10, 99], near_duplicate_iou=1) == ["duplicate"]
    assert kinds([1, 2], [0, 0, 10, 100.04]) == []  # rounding to two digits by other tools
    for threshold in (0, 1.1, float("nan")):
        with pytest.raises(OddemoError, match="threshold for near duplicates"):
            kinds([1, 1], boxes[1], near_duplicate_iou=threshold)


def test_an_empty_dataset_is_an_error_and_kinds_are_known():
    with pytest.raises(OddemoError, match="nothing to check"):
        check_dataset(Dataset("x", Path(), ("a",), ()))
    with pytest.raises(OddemoError, match="not known"):
        Finding("other", None, (), "")
    assert {severity for severity, _ in KINDS.values()} == {"error", "warning", "info"}


def test_the_known_faults_of_bccd(bccd_root):
    """The facts that were counted on this set before this program existed, and nothing else."""
    dataset = read_voc(bccd_root)
    findings = check_dataset(dataset)
    assert Counter(finding.kind for finding in findings) == {"zero_area": 2, "near_duplicate": 8}
    zero_area = [finding.image_file for finding in findings if finding.kind == "zero_area"]
    assert zero_area == ["BloodImage_00338.jpg", "BloodImage_00343.jpg"]
    pairs = [finding for finding in findings if finding.kind == "near_duplicate"]
    assert {"BloodImage_00020.jpg", "BloodImage_00100.jpg"} < {finding.image_file for finding in pairs}
    assert all(finding.detail.startswith("RBC") for finding in pairs)
    counts = count_dataset(dataset)
    assert (counts.images, counts.boxes) == (364, 4888)
    assert counts.boxes_of_class == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert (counts.images_without_class["WBC"], counts.images_without_class["RBC"]) == (6, 15)


@settings(deadline=None, max_examples=30)
@given(clean_datasets())
def test_counts_add_up(dataset):
    counts = count_dataset(dataset)
    assert sum(counts.boxes_of_class.values()) == counts.boxes == sum(len(r.class_ids) for r in dataset.records)
    for class_id, name in enumerate(dataset.class_names, 1):
        having = sum(bool(np.isin(class_id, record.class_ids)) for record in dataset.records)
        assert counts.images_without_class[name] == counts.images - having
