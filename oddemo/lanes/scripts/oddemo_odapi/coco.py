"""From COCO boxes and pictures to what the Object Detection API trains on: a TFRecord and a label map."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from oddemo_probe import RefusedError

FORMATS = {".jpg": b"jpeg", ".jpeg": b"jpeg", ".png": b"png"}


def class_names(truth: Path) -> list[str]:
    """Return the names of a COCO file's categories by id.

    Raises:
        RefusedError: If the ids are not 1 to N.
    """
    categories = sorted(json.loads(truth.read_text(encoding="utf-8"))["categories"], key=lambda entry: entry["id"])
    ids = [entry["id"] for entry in categories]
    if not ids or ids != list(range(1, len(ids) + 1)):
        raise RefusedError(f"{truth} does not number its categories from 1 without gaps: {ids}")
    return [entry["name"] for entry in categories]


def write_label_map(names: list[str], path: Path) -> None:
    """Write class names as a label map with ids from 1."""
    items = [f'item {{\n  id: {number}\n  name: "{name}"\n}}\n' for number, name in enumerate(names, 1)]
    path.write_text("".join(items), encoding="utf-8")


def write_records(truth: Path, images: Path, path: Path) -> int:
    """Write one tf.Example a picture, with the keys that the API's decoder reads; return how many.

    Args:
        truth: COCO file.
        images: Folder that its file names start from.
        path: The TFRecord to write.
    """
    import tensorflow as tf

    content = json.loads(truth.read_text(encoding="utf-8"))
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    boxes: dict[int, list[Any]] = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd"):
            boxes[annotation["image_id"]].append(annotation)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in content["images"]:
            file = images / record["file_name"]
            if file.suffix.lower() not in FORMATS or not file.is_file():
                raise RefusedError(f"{file} is missing, or neither JPEG nor PNG.")
            writer.write(_example(record, file, boxes[record["id"]], names))
    return len(content["images"])


def _example(record: dict[str, Any], file: Path, annotations: list[Any], names: dict[int, str]) -> bytes:
    import tensorflow as tf

    def integers(*values: int) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def strings(*values: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    def fractions(values: list[float]) -> Any:
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    height, width = record["height"], record["width"]
    boxes = [annotation["bbox"] for annotation in annotations]
    ids = [annotation["category_id"] for annotation in annotations]
    features = {
        "image/height": integers(height),
        "image/width": integers(width),
        "image/filename": strings(record["file_name"].encode()),
        "image/source_id": strings(str(record["id"]).encode()),
        "image/encoded": strings(file.read_bytes()),
        "image/format": strings(FORMATS[file.suffix.lower()]),
        "image/object/bbox/xmin": fractions([x / width for x, _, _, _ in boxes]),
        "image/object/bbox/xmax": fractions([(x + w) / width for x, _, w, _ in boxes]),
        "image/object/bbox/ymin": fractions([y / height for _, y, _, _ in boxes]),
        "image/object/bbox/ymax": fractions([(y + h) / height for _, y, _, h in boxes]),
        "image/object/class/text": strings(*(names[number].encode() for number in ids)),
        "image/object/class/label": integers(*ids),
    }
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized
