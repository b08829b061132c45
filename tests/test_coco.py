"""COCO files: exact round trips, pycocotools as an independent reader, every broken reference named."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oddemo.data.coco import read_coco, write_coco
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError

PIXELS = st.floats(-1e6, 1e6, allow_nan=False)
JSON_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


@st.composite
def datasets(draw) -> Dataset:
    names = tuple(draw(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4, unique=True)))
    ids = draw(st.lists(st.integers(0, 10**9), max_size=4, unique=True))
    records = []
    for image_id in ids:
        boxes = draw(st.lists(st.tuples(PIXELS, PIXELS, PIXELS, PIXELS), max_size=4))
        class_ids = [draw(st.integers(1, len(names))) for _ in boxes]
        size = (draw(st.integers(1, 5000)), draw(st.integers(1, 5000)))
        attributes = draw(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=2))
        records.append(ImageRecord(image_id, f"{image_id}.jpg", size, boxes, class_ids, attributes))
    return Dataset(draw(st.text(min_size=1, max_size=6)), Path("pictures"), names, tuple(records))


def assert_same(first: Dataset, second: Dataset) -> None:
    assert (first.name, first.class_names, len(first)) == (second.name, second.class_names, len(second))
    for one, other in zip(first.records, second.records, strict=True):
        assert (one.image_id, one.file_name, one.image_size_hw_px) == (
            other.image_id,
            other.file_name,
            other.image_size_hw_px,
        )
        assert np.array_equal(one.boxes_yxyx_px, other.boxes_yxyx_px)
        assert np.array_equal(one.class_ids, other.class_ids)
        assert dict(one.attributes) == dict(other.attributes)


@settings(deadline=None)
@given(datasets())
def test_a_round_trip_changes_nothing_and_is_deterministic(dataset):
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "a.json", Path(folder) / "b.json"
        write_coco(dataset, first)
        back = read_coco(first, dataset.root)
        assert_same(dataset, back)
        write_coco(back, second)
        assert first.read_bytes() == second.read_bytes()


@settings(deadline=None, max_examples=300)
@given(st.lists(st.floats(0, 5000), min_size=4, max_size=4))
def test_every_corner_survives_exactly(corners):
    dataset = Dataset("one", Path(), ("a",), (ImageRecord(1, "a.jpg", (10, 10), [corners], [1]),))
    with tempfile.TemporaryDirectory() as folder:
        write_coco(dataset, Path(folder) / "a.json")
        assert read_coco(Path(folder) / "a.json").records[0].boxes_yxyx_px.tolist() == [corners]


def test_pycocotools_reads_the_same_boxes(tmp_path):
    from pycocotools.coco import COCO

    boxes = [[1.5, 2.25, 30.0, 41.0], [0.0, 0.0, 48.0, 64.0]]
    records = (ImageRecord(7, "a.jpg", (48, 64), boxes, [2, 1]), ImageRecord(9, "b.jpg", (48, 64), [], []))
    path = tmp_path / "truth.json"
    write_coco(Dataset("two", tmp_path, ("scratch", "pit"), records), path)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[7]))
    assert [entry["bbox"] for entry in annotations] == [[2.25, 1.5, 38.75, 28.5], [0, 0, 64, 48]]
    assert [entry["category_id"] for entry in annotations] == [2, 1]
    assert [(entry["area"], entry["iscrowd"]) for entry in annotations] == [(38.75 * 28.5, 0), (64 * 48, 0)]
    assert coco.loadCats([2])[0]["name"] == "pit"
    assert coco.getImgIds() == [7, 9]


def foreign() -> dict:
    """A file such as other tools write: ids with gaps and out of order, a crowd region, a label without a box."""
    return {
        "images": [
            {"id": 5, "file_name": "sub\\a.jpg", "height": 48, "width": 64},
            {"id": 3, "file_name": "b.jpg", "height": 48, "width": 64},
        ],
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 18, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 18, "bbox": [1, 2, 3, 4], "iscrowd": 0, "area": 99},
            {"id": 2, "image_id": 5, "category_id": 90, "bbox": [1, 2, 3, 4], "iscrowd": 1},
            {"id": 3, "image_id": 5, "category_id": 90, "bbox": [0, 0, 64, 48]},
            {"id": 4, "image_id": 5, "category_id": 18},
        ],
    }


def save(folder: Path, content: object, name: str = "foreign.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_foreign_files(tmp_path):
    dataset = read_coco(save(tmp_path, foreign()))
    assert dataset.name == "foreign"
    assert dataset.class_names == ("dog", "toothbrush")
    first, second = dataset.records
    assert (first.file_name, first.image_id) == ("sub/a.jpg", 5)
    assert first.boxes_yxyx_px.tolist() == [[0, 0, 48, 64]]
    assert first.class_ids.tolist() == [2]
    assert first.attributes == {"labels_without_box": ["dog"], "crowd_regions": 1}
    assert second.boxes_yxyx_px.tolist() == [[2, 1, 6, 4]]
    assert second.class_ids.tolist() == [1]
    assert second.attributes == {}


def test_string_ids_and_missing_sizes_as_in_camera_traps(tmp_path):
    (tmp_path / "sub").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "sub" / "a.jpg")
    content = foreign()
    content["images"] = [{"id": "x-1", "file_name": "sub/a.jpg"}]
    content["annotations"] = [{"id": "ann", "image_id": "x-1", "category_id": 18, "bbox": [1, 2, 3, 4]}]
    record = read_coco(save(tmp_path, content)).records[0]
    assert (record.image_id, record.image_size_hw_px, record.attributes) == (1, (48, 64), {"coco_image_id": "x-1"})
    content["images"][0]["file_name"] = "sub/b.jpg"
    with pytest.raises(OddemoError, match=r"image 'x-1' has no height and width[\s\S]*b\.jpg does not exist"):
        read_coco(save(tmp_path, content))


@pytest.mark.parametrize("place", ["images", "train/images", "train", "."])
def test_the_folder_of_the_pictures_is_found(tmp_path, place):
    (tmp_path / place / "sub").mkdir(parents=True)
    (tmp_path / place / "sub" / "a.jpg").touch()
    assert read_coco(save(tmp_path, foreign(), "train.json")).root == tmp_path / place
    assert read_coco(save(tmp_path, foreign(), "train.json"), tmp_path / "other").root == tmp_path / "other"


def test_exact_corners_are_forgotten_when_somebody_edits_the_box(tmp_path):
    corners = [0.0, 0.1, 1.0, 1.0000000000000002]
    rows = [[low, low, high, high] for low, high in np.random.default_rng(0).uniform(0, 900, (4000, 2)).tolist()]
    dataset = Dataset("many", tmp_path, ("a",), (ImageRecord(1, "a.jpg", (9, 9), [corners, *rows], [1] * 4001),))
    path = tmp_path / "a.json"
    write_coco(dataset, path)
    content = json.loads(path.read_text())
    inexact = [entry for entry in content["annotations"] if "oddemo" in entry]
    assert inexact, "this test needs a box that x + width cannot bring back"
    assert read_coco(path).records[0].boxes_yxyx_px.tolist() == [corners, *rows]
    for entry in inexact:
        entry["bbox"] = [10, 20, 30, 40]
    edited = read_coco(save(tmp_path, content)).records[0].boxes_yxyx_px
    assert (edited == [20, 10, 60, 40]).all(axis=1).sum() == len(inexact)


def broken(change) -> dict:
    content = foreign()
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("images"), "is not a COCO detection file"),
        (lambda c: c.update(images={}), "images is malformed"),
        (lambda c: c["images"].pop(0), "annotation 2 belongs to an image that is not listed"),
        (lambda c: c["images"][0].update(id=3), "the image id 3 is used more than once"),
        (lambda c: c["images"][0].update(file_name="b.jpg"), "file_name 'b.jpg' is used more than once"),
        (lambda c: c["images"][1].pop("file_name"), "image entry at position 1 has no usable file_name"),
        (lambda c: c["images"][1].update(file_name="../b.jpg"), "leaves the folder"),
        (lambda c: c["images"][1].update(file_name="/b.jpg"), "leaves the folder"),
        (lambda c: c["images"][1].update(height=0), "image 3 has an impossible size"),
        (lambda c: c["images"][1].update(height="tall"), "image 3 has an impossible size"),
        (lambda c: c["categories"][0].update(id=18), "the category id 18 is used more than once"),
        (lambda c: c["categories"][0].update(name="dog"), "the category name 'dog' is used more than once"),
        (lambda c: c["annotations"][0].update(id=2), "the annotation id 2 is used more than once"),
        (lambda c: c["annotations"][0].update(category_id=1), "annotation 1 has an unknown category"),
        (lambda c: c["annotations"][0].update(category_id=[18]), "annotation 1 has an unknown category"),
        (
            lambda c: c["annotations"][0].update(bbox=[1, 2, float("nan"), 4]),
            "annotation 1 has a box that is not a box",
        ),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 10**400, 4]), "annotation 1 has a box that is not a box"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), "annotation 1 has a box that is not a box"),
        (lambda c: c["annotations"][2].update(id=None, image_id=77), r"annotations\[2\] belongs to an image"),
    ],
)
def test_broken_entries_are_named(tmp_path, change, message):
    with pytest.raises(OddemoError, match=message):
        read_coco(save(tmp_path, broken(change)))


def test_missing_file_and_half_a_file(tmp_path):
    with pytest.raises(OddemoError, match="does not exist"):
        read_coco(tmp_path / "none.json")
    (tmp_path / "half.json").write_text(json.dumps(foreign())[:200])
    with pytest.raises(OddemoError, match="is not readable as JSON"):
        read_coco(tmp_path / "half.json")


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_a_failed_write_leaves_the_old_file(tmp_path, value):
    good = Dataset("good", tmp_path, ("a",), (ImageRecord(1, "a.jpg", (9, 9), [], []),))
    path = tmp_path / "truth.json"
    write_coco(good, path)
    before = path.read_bytes()
    with pytest.raises(OddemoError, match="exists already"):
        write_coco(good, path)
    bad = Dataset("bad", tmp_path, ("a",), (ImageRecord(1, "a.jpg", (9, 9), [], [], {"x": value}),))
    with pytest.raises(OddemoError, match=r"a\.jpg cannot be written as COCO JSON"):
        write_coco(bad, path, overwrite=True)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["truth.json"]
