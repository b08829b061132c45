"""Worlds on disk, and the sample that comes with the repository."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from oddemo.data.boxes import pairwise_iou
from oddemo.data.images import read_image_rgb
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.data.scenes import CLASS_NAMES, LIGHTING_NAMES, WorldSpec, make_world, read_world, render_scene
from oddemo.errors import OddemoError

WORLDS = sorted(CLASS_NAMES)
SMALL = (96, 128)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_world_on_disk_is_what_was_drawn(tmp_path: Path) -> None:
    spec = WorldSpec(world="wildlife", image_size_hw_px=SMALL, image_format="png", class_ratio={"fox": 2, "hare": 1})
    made = make_world(spec, tmp_path / "w", splits={"train": 3, "val": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w"]
    assert sorted(p.name for p in (tmp_path / "w").iterdir()) == [
        "label_map.pbtxt",
        "train",
        "train.json",
        "val",
        "val.json",
        "world.json",
    ]
    world = json.loads((tmp_path / "w" / "world.json").read_text())
    assert world["sha256"]["val.json"] == hashlib.sha256((tmp_path / "w" / "val.json").read_bytes()).hexdigest()
    read_spec = WorldSpec.from_json(world["spec"])
    assert read_spec == spec.turned(images=5)
    val = read_world(tmp_path / "w", "val")
    assert val.class_names == CLASS_NAMES["wildlife"]
    assert [record.image_id for record in val.records] == [record.image_id for record in made.records[3:]]
    for record in val.records:
        scene = render_scene(read_spec, record.attributes["index"])
        assert np.array_equal(read_image_rgb(val.image_path(record)), scene.image_rgb)
        assert record.boxes_yxyx_px.tolist() == scene.boxes_yxyx_px.tolist()
        assert record.class_ids.tolist() == scene.class_ids.tolist()


def test_the_number_of_workers_does_not_show(tmp_path: Path) -> None:
    spec = WorldSpec(world="inspection", images=12, image_size_hw_px=SMALL)
    make_world(spec, tmp_path / "one")
    make_world(spec, tmp_path / "two", workers=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_splits_share_nothing_and_grow_alone(tmp_path: Path) -> None:
    spec = WorldSpec(world="inspection", image_size_hw_px=SMALL)
    make_world(spec, tmp_path / "small", splits={"train": 4, "val": 3, "test": 3})
    make_world(spec, tmp_path / "large", splits={"train": 8, "val": 3, "test": 3})
    small, large = digests(tmp_path / "small"), digests(tmp_path / "large")
    pictures = [digest for name, digest in large.items() if name.endswith(".jpg")]
    assert len(set(pictures)) == len(pictures) == 14
    assert {name: digest for name, digest in small.items() if name.startswith(("val", "test"))} == {
        name: digest for name, digest in large.items() if name.startswith(("val", "test"))
    }


def test_jpeg_quality_changes_the_files(tmp_path: Path) -> None:
    sizes = []
    for quality in (95, 50):
        spec = WorldSpec(world="inspection", image_size_hw_px=SMALL, jpeg_quality=quality)
        made = make_world(spec, tmp_path / str(quality), splits={"test": 2})
        sizes.append(sum(made.image_path(record).stat().st_size for record in made.records))
    assert sizes[0] > 2 * sizes[1]


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    spec = WorldSpec(world="inspection", image_size_hw_px=SMALL, images=1)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("three years of work")
    with pytest.raises(OddemoError, match="not overwritten"):
        make_world(spec, folder)
    assert (folder / "thesis.txt").read_text() == "three years of work"
    make_world(spec, folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["label_map.pbtxt", "train", "train.json", "world.json"]


@pytest.mark.parametrize("splits", [{}, {"dev": 3}, {"train": 0}])
def test_impossible_splits_are_refused(tmp_path: Path, splits: dict[str, int]) -> None:
    with pytest.raises(OddemoError, match="splits"):
        make_world(WorldSpec(), tmp_path / "w", splits=splits)
    assert not list(tmp_path.iterdir())


# --- the built-in sample ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_sample_can_be_drawn_again(world: str) -> None:
    from PIL import Image

    folder = data_folder() / "sample" / world
    spec = WorldSpec.from_json(json.loads((folder / "world.json").read_text())["spec"])
    dataset = sample_dataset(world)
    assert len(dataset) == len(sample_dataset(world, split="test")) == 48
    for record in dataset.records[:2]:
        scene = render_scene(spec, record.attributes["index"])
        assert scene.boxes_yxyx_px.tolist() == record.boxes_yxyx_px.tolist()
        packed = io.BytesIO()
        Image.fromarray(scene.image_rgb).save(packed, "jpeg", quality=spec.jpeg_quality, subsampling=0)
        again = np.array(Image.open(packed)).astype(int)
        stored = read_image_rgb(dataset.image_path(record)).astype(int)
        # Another processor may round the last bit of a float otherwise, another encoder the last bit of a block.
        assert np.abs(again - stored).mean() < 0.25


def test_sample_has_the_listed_hashes() -> None:
    data = data_folder()
    listed = dict(line.split("  ")[::-1] for line in (data / "SHA256SUMS").read_text().splitlines())
    found = {f"sample/{name}": digest for name, digest in digests(data / "sample").items()}
    assert {name: digest for name, digest in listed.items() if name.startswith("sample/")} == found
    assert sum((data / name).stat().st_size for name in found) <= 4_500_000


@pytest.mark.parametrize("world", WORLDS)
def test_sample_shows_every_class_and_light_without_double_boxes(world: str) -> None:
    dataset = sample_dataset(world)
    ids = np.concatenate([record.class_ids for record in dataset.records])
    assert set(ids.tolist()) == {1, 2, 3, 4, 5}
    assert {record.attributes["lighting"] for record in dataset.records} == set(LIGHTING_NAMES[world])
    for record in dataset.records:
        overlap = pairwise_iou(record.boxes_yxyx_px, record.boxes_yxyx_px) - np.eye(len(record.boxes_yxyx_px))
        assert overlap.max() < 0.5


def test_an_unknown_sample_is_refused() -> None:
    with pytest.raises(OddemoError, match="no such sample"):
        sample_dataset("wildlife", split="train")
