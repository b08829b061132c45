"""TFRecords: TF-Vision's own decoder reads what is written; a round trip keeps pictures, classes and boxes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from oddemo.data.label_map import write_label_map
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.tfrecord import read_tfrecords, write_tfrecords
from oddemo.errors import OddemoError

BOXES = [
    [[1.5, 2.25, 30.0, 41.0], [0.0, 0.0, 48.0, 64.0]],
    [],
    [[10.0, 20.0, 10.0, 20.0]],  # no area: kept, so that the check can find it
    [[-3.0, 5.0, 60.0, 70.0]],  # leaves the picture: kept too
    [[47.9, 63.9, 48.0, 64.0]],
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Five pictures of random pixels: JPEG and PNG, colour and grey, one without boxes."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    records = []
    for number, boxes in enumerate(BOXES):
        suffix = "png" if number % 2 else "jpg"
        pixels = rng.integers(0, 256, (48, 64, 3) if number < 4 else (48, 64), dtype=np.uint8)
        (root / "sub").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / "sub" / f"{number}.{suffix}")
        class_ids = [1 + k % 2 for k in range(len(boxes))]
        attributes = {"lighting": "dusk", "number": number}
        records.append(ImageRecord(100 + number, f"sub/{number}.{suffix}", (48, 64), boxes, class_ids, attributes))
    return Dataset("five", root, ("scratch", "pit"), tuple(records))


def assert_close(dataset: Dataset, back: Dataset) -> None:
    expected = {record.image_id: record for record in dataset.records}
    assert (back.class_names, sorted(expected)) == (dataset.class_names, sorted(r.image_id for r in back.records))
    for record in back.records:
        truth = expected[record.image_id]
        assert (record.file_name, record.image_size_hw_px) == (truth.file_name, truth.image_size_hw_px)
        assert dict(record.attributes) == dict(truth.attributes)
        assert record.class_ids.tolist() == truth.class_ids.tolist()
        # float32 keeps 24 bits of a fraction: 2**-24 of a side, and a corner may lie outside by half a side.
        np.testing.assert_allclose(record.boxes_yxyx_px, truth.boxes_yxyx_px, rtol=0, atol=64 * 2**-23)
        assert back.image_path(record).read_bytes() == dataset.image_path(truth).read_bytes()


def test_round_trip(dataset, tmp_path):
    paths = write_tfrecords(dataset, tmp_path / "train", shards=2)
    assert [path.name for path in paths] == ["train-00000-of-00002.tfrecord", "train-00001-of-00002.tfrecord"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in paths]
    back = read_tfrecords(tmp_path / "train-*", tmp_path / "out")
    assert (back.name, back.root) == ("train", tmp_path / "out")
    assert_close(dataset, back)
    again = write_tfrecords(dataset, tmp_path / "again", shards=2)
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 48), st.floats(0, 64), st.floats(0, 48), st.floats(0, 64)), max_size=5))
def test_any_boxes_come_back(dataset, tmp_path, boxes):
    first = dataset.records[0]
    record = ImageRecord(7, first.file_name, (48, 64), boxes, [2] * len(boxes), {})
    one = Dataset("one", dataset.root, dataset.class_names, (record,))
    write_tfrecords(one, tmp_path / "one", overwrite=True)
    back = read_tfrecords(tmp_path / "one-*", tmp_path / "out", dataset.class_names, overwrite=True)
    assert_close(one, back)


DECODE = """
import json, sys
import tensorflow as tf
from official.vision.dataloaders.tf_example_decoder import TfExampleDecoder
decoder, found = TfExampleDecoder(), []
for serialized in tf.data.TFRecordDataset(sys.argv[1:]):
    decoded = decoder.decode(serialized)
    found.append({key: decoded[key].numpy().tolist() for key in decoded if key not in ("image", "source_id")})
    found[-1]["source_id"] = decoded["source_id"].numpy().decode()
    found[-1]["image_shape"] = decoded["image"].shape.as_list()
    found[-1]["image_sum"] = int(tf.reduce_sum(tf.cast(decoded["image"], tf.int64)))
print(json.dumps(found))
"""


def test_tf_visions_own_decoder_reads_them(dataset, tmp_path):
    """In a process of its own, as importing TF-Vision takes ten seconds and raises warnings that are not ours."""
    path = write_tfrecords(dataset, tmp_path / "train")[0]
    run = subprocess.run(
        [sys.executable, "-c", DECODE, str(path)], capture_output=True, text=True, check=False, env=environment()
    )
    assert run.returncode == 0, run.stderr
    decoded = json.loads(run.stdout)
    for entry, record in zip(decoded, dataset.records, strict=True):
        assert entry["source_id"] == str(record.image_id)
        assert (entry["height"], entry["width"], entry["image_shape"]) == (48, 64, [48, 64, 3])
        assert entry["groundtruth_classes"] == record.class_ids.tolist()
        assert entry["groundtruth_is_crowd"] == [False] * len(record.class_ids)
        boxes_norm = np.array(entry["groundtruth_boxes"]).reshape(-1, 4)
        np.testing.assert_allclose(boxes_norm, record.boxes_yxyx_px / [48, 64, 48, 64], rtol=0, atol=2**-23)
        sides = np.clip(record.boxes_yxyx_px[:, 2:] - record.boxes_yxyx_px[:, :2], 0, None)
        np.testing.assert_allclose(entry["groundtruth_area"], sides.prod(axis=1), rtol=1e-6)
        if record.file_name.endswith("png"):
            with Image.open(dataset.image_path(record)) as image:
                assert entry["image_sum"] == int(np.array(image.convert("RGB")).sum())


def environment() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}


def test_importing_the_module_loads_no_tensorflow():
    modules = "oddemo.cli.data, oddemo.data.import_folder, oddemo.data.sources, oddemo.data.tfds"
    code = f"import sys, {modules}; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def write_raw(path: Path, *features: dict) -> Path:
    import tensorflow as tf

    def feature_of(value: list):
        if value and isinstance(value[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
        if value and isinstance(value[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=value))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=value))

    with tf.io.TFRecordWriter(str(path)) as writer:
        for entry in features:
            feature = {key: feature_of(value) for key, value in entry.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return path


def foreign(dataset: Dataset, **changes: list) -> dict:
    """An example as the Object Detection API's converters write it: the file's name as id, names with the classes."""
    return {
        "image/encoded": [dataset.image_path(dataset.records[0]).read_bytes()],
        "image/filename": [b"2008_000001.jpg"],
        "image/source_id": [b"2008_000001.jpg"],
        "image/object/bbox/ymin": [0.25, 0.0],
        "image/object/bbox/xmin": [0.5, 0.0],
        "image/object/bbox/ymax": [0.75, 1.0],
        "image/object/bbox/xmax": [1.0, 1.0],
        "image/object/class/label": [2, 1],
        "image/object/class/text": [b"pit", b"scratch"],
        **changes,
    }


def test_foreign_records(dataset, tmp_path):
    second = foreign(dataset, **{"image/filename": [b"../evil.jpg"], "image/object/is_crowd": [0, 1]})
    path = write_raw(tmp_path / "a.record", foreign(dataset), second, foreign(dataset))
    back = read_tfrecords(path, tmp_path / "out")
    assert back.class_names == ("scratch", "pit")
    assert [r.file_name for r in back.records] == ["2008_000001.jpg", "record-000002.jpg", "record-000003.jpg"]
    assert [r.image_id for r in back.records] == [1, 2, 3]
    assert back.records[0].attributes == {"source_id": "2008_000001.jpg"}
    assert back.records[0].image_size_hw_px == (48, 64)
    assert back.records[0].boxes_yxyx_px.tolist() == [[12, 32, 36, 64], [0, 0, 48, 64]]
    assert back.records[1].class_ids.tolist() == [2]


def test_class_names(dataset, tmp_path):
    anonymous = foreign(dataset, **{"image/object/class/text": []})
    path = write_raw(tmp_path / "a.record", anonymous)
    with pytest.raises(OddemoError, match="do not name all their classes"):
        read_tfrecords(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_label_map(tmp_path / "label_map.pbtxt", ["x", "y"])
    assert read_tfrecords(path, tmp_path / "out").class_names == ("x", "y")
    assert read_tfrecords(path, tmp_path / "out2", ["p", "q"]).class_names == ("p", "q")
    named = write_raw(tmp_path / "b.record", foreign(dataset))
    with pytest.raises(OddemoError, match="number their classes differently"):
        read_tfrecords(named, tmp_path / "out3", ["pit", "scratch"])
    background = write_raw(tmp_path / "c.record", foreign(dataset, **{"image/object/class/label": [0, 1]}))
    with pytest.raises(OddemoError, match="check whether the ids start at 0"):
        read_tfrecords(background, tmp_path / "out3", ["scratch", "rust"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image/encoded": []}, "record 1 holds no picture"),
        ({"image/encoded": [b"GIF89a"]}, "does not decode"),
        ({"oddemo/attributes": [b"{"]}, "damaged field"),
        ({"image/object/bbox/ymax": [1.0]}, "lists of different lengths"),
    ],
)
def test_broken_records_are_named(dataset, tmp_path, changes, message):
    path = write_raw(tmp_path / "a.record", foreign(dataset, **changes))
    with pytest.raises(OddemoError, match=message):
        read_tfrecords(path, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a.record"]


def test_damaged_files(dataset, tmp_path):
    path = write_tfrecords(dataset, tmp_path / "train")[0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OddemoError, match=r"train-00000-of-00001\.tfrecord is damaged[\s\S]*after record 4"):
        read_tfrecords(path, tmp_path / "out")
    (tmp_path / "text.tfrecord").write_text("this is not a record file, but it is long enough")
    with pytest.raises(OddemoError, match="is damaged, or not a TFRecord file"):
        read_tfrecords(tmp_path / "text.tfrecord", tmp_path / "out")
    with pytest.raises(OddemoError, match="No file fits"):
        read_tfrecords(tmp_path / "none-*", tmp_path / "out")
    (tmp_path / "empty.tfrecord").touch()
    with pytest.raises(OddemoError, match="hold no picture"):
        read_tfrecords(tmp_path / "empty.tfrecord", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unasked_and_nothing_half_written(dataset, tmp_path):
    first = write_tfrecords(dataset, tmp_path / "train", shards=3)
    before = [path.read_bytes() for path in first]
    with pytest.raises(OddemoError, match="exists already"):
        write_tfrecords(dataset, tmp_path / "train")
    missing = ImageRecord(9, "none.jpg", (48, 64), [], [])
    broken = Dataset("broken", dataset.root, dataset.class_names, (*dataset.records, missing))
    with pytest.raises(OddemoError, match=r"none\.jpg cannot be read"):
        write_tfrecords(broken, tmp_path / "train", overwrite=True)
    assert [path.read_bytes() for path in first] == before
    assert write_tfrecords(dataset, tmp_path / "train", overwrite=True)[0].name == "train-00000-of-00001.tfrecord"
    assert len(list(tmp_path.iterdir())) == 1
    for shards in (0, 6):
        with pytest.raises(OddemoError, match="number of shards is not possible"):
            write_tfrecords(dataset, tmp_path / "other", shards=shards)
    nan = ImageRecord(9, dataset.records[0].file_name, (48, 64), [[0, 0, float("nan"), 1]], [1])
    with pytest.raises(OddemoError, match="has a box that is not finite"):
        write_tfrecords(Dataset("nan", dataset.root, ("a",), (nan,)), tmp_path / "nan")
