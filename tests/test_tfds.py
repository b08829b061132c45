"""TensorFlow Datasets: a small set, prepared on the spot with TFDS' own code, is read; nothing is ever downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from oddemo.cli.data import app
from oddemo.data.coco import read_coco
from oddemo.data.label_map import read_label_map
from oddemo.data.tfds import read_tfds, tfds_splits
from oddemo.errors import OddemoError

BOXES_NORM = [[0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 1.0, 0.125]]


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def prepare(folder: Path, features, examples: dict[str, list[dict]]) -> Path:
    """Write a prepared set the way TFDS documents it for data made elsewhere."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder.mkdir(parents=True)
    name = folder.parent.name
    infos = []
    for split, entries in examples.items():
        with tf.io.TFRecordWriter(str(folder / f"{name}-{split}.tfrecord-00000-of-00001")) as writer:
            for entry in entries:
                writer.write(features.serialize_example(features.encode_example(entry)))
        template = tfds.core.ShardedFileTemplate(
            dataset_name=name, data_dir=str(folder), split=split, filetype_suffix="tfrecord"
        )
        infos.append(
            tfds.core.SplitInfo(name=split, shard_lengths=[len(entries)], num_bytes=0, filename_template=template)
        )
    tfds.folder_dataset.write_metadata(data_dir=str(folder), features=features, split_infos=infos)
    return folder


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Path:
    import tensorflow_datasets as tfds

    boxes = [tfds.features.BBox(*box) for box in BOXES_NORM]
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "image/filename": tfds.features.Text(),
            "objects": tfds.features.Sequence(
                {
                    "bbox": tfds.features.BBoxFeature(),
                    "is_crowd": np.bool_,
                    "label": tfds.features.ClassLabel(names=["scratch", "pit"]),
                }
            ),
        }
    )

    def example(number: int) -> dict:
        objects = [
            {"bbox": boxes[0], "is_crowd": False, "label": 1},
            {"bbox": boxes[1], "is_crowd": number == 1, "label": 0},
        ]
        return {"image": picture(number), "image/filename": f"f{number}", "objects": objects if number else []}

    examples = {"train": [example(k) for k in range(3)], "validation": [example(9)]}
    return prepare(tmp_path_factory.mktemp("tfds") / "cells" / "1.0.0", features, examples)


def test_a_prepared_set_is_read(cells, tmp_path):
    from oddemo.data.images import read_image_rgb

    assert tfds_splits(str(cells)) == ("train", "validation")
    dataset = read_tfds(str(cells), "train", tmp_path / "out")
    assert (dataset.name, dataset.class_names, len(dataset)) == ("cells train", ("scratch", "pit"), 3)
    # TFDS may store the examples in any order; their names say which is which.
    by_name = {record.attributes["tfds_file_name"]: record for record in dataset.records}
    assert sorted(by_name) == ["f0", "f1", "f2"]
    for number in range(3):
        record = by_name[f"f{number}"]
        assert record.image_size_hw_px == (48, 64)
        assert np.array_equal(read_image_rgb(dataset.image_path(record)), picture(number))
    assert by_name["f0"].boxes_yxyx_px.shape == (0, 4)
    assert by_name["f1"].boxes_yxyx_px.tolist() == [[12, 32, 36, 64]]
    assert by_name["f2"].boxes_yxyx_px.tolist() == [[12, 32, 36, 64], [0, 0, 48, 8]]
    assert by_name["f2"].class_ids.tolist() == [2, 1]


def test_the_command_imports_it(cells, tmp_path):
    result = CliRunner().invoke(app, ["import", str(cells), "--from", "tfds", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, (result.output, result.exception)
    assert read_label_map(tmp_path / "out" / "label_map.pbtxt") == ("scratch", "pit")
    assert len(read_coco(tmp_path / "out" / "train.json")) == 3
    assert [path.name for path in (tmp_path / "out" / "val" / "images").iterdir()] == ["000001.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_one_box_a_picture(tmp_path):
    """As in `oxford_iiit_pet`: the box and the label stand beside the picture."""
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "head_bbox": tfds.features.BBoxFeature(),
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            "species": tfds.features.ClassLabel(names=["x", "y"]),
        }
    )
    example = {"head_bbox": tfds.features.BBox(*BOXES_NORM[0]), "image": picture(0), "label": 1, "species": 0}
    folder = prepare(tmp_path / "pets" / "1.0.0", features, {"train": [example]})
    dataset = read_tfds(str(folder), "train", tmp_path / "out")
    assert dataset.class_names == ("cat", "dog")
    assert dataset.records[0].file_name == "000001.jpg"
    assert dataset.records[0].boxes_yxyx_px.tolist() == [[12, 32, 36, 64]]
    assert dataset.records[0].class_ids.tolist() == [2]


def test_what_is_not_there_is_named(cells, tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(OddemoError, match=r"bccd is not prepared on this machine[\s\S]*nothing is downloaded"):
        tfds_splits("bccd")
    with pytest.raises(OddemoError, match="does not know nonsense"):
        tfds_splits("nonsense")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OddemoError, match="does not know"):
        tfds_splits(str(tmp_path / "empty"))
    with pytest.raises(OddemoError, match="has no split 'night'"):
        read_tfds(str(cells), "night", tmp_path / "out")
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(None, None, 3))})
    folder = prepare(tmp_path / "plain" / "1.0.0", features, {"train": [{"image": picture(0)}]})
    with pytest.raises(OddemoError, match="is not a detection set"):
        read_tfds(str(folder), "train", tmp_path / "out")
    assert not (tmp_path / "out").exists()
