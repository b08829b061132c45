"""TFRecords in TF-Vision's `tf_example` format, the one its `TfExampleDecoder` and its training input read.

Boxes are stored as float32 fractions of the picture's sides, so a round trip moves a corner by up to about 1e-7 of a
side (6e-5 pixels of 640). Pictures go in and come out as the bytes of their files. Class ids start at 1, as everywhere.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from oddemo.data.images import IMAGE_SUFFIXES, read_image_rgb
from oddemo.data.label_map import read_label_map
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.tf_example import ExampleContent, read_example, serialized_example
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite
from oddemo.progress import track


def write_tfrecords(dataset: Dataset, path: Path, *, shards: int = 1, overwrite: bool = False) -> tuple[Path, ...]:
    """Write a dataset as `<path>-00000-of-0000N.tfrecord` …; the files appear when all of them are whole.

    Args:
        dataset: What to write; the files of its pictures are copied into the records byte for byte.
        path: The beginning of the file names, such as `folder/train`.
        shards: Number of files; picture `k` goes into file `k` modulo `shards`.
        overwrite: Replace shards of this name, whatever their number.

    Returns:
        The files written. TF-Vision takes them as `input_path: folder/train-*`.

    Raises:
        OddemoError: If files are in the way, a picture is missing or not JPEG, PNG or BMP, or a box is not finite.
    """
    import tensorflow as tf

    path = Path(path)
    if not 1 <= shards <= max(len(dataset), 1):
        raise OddemoError(
            "The number of shards is not possible.",
            expected=f"1 to {max(len(dataset), 1)}, the number of pictures",
            found=str(shards),
        )
    old = sorted(path.parent.glob(f"{path.name}-?????-of-?????.tfrecord"))
    if old:
        refuse_to_overwrite(old[0], overwrite=overwrite)
    names = [f"{path.name}-{number:05d}-of-{shards:05d}.tfrecord" for number in range(shards)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        writers = [tf.io.TFRecordWriter(str(Path(temporary) / name)) for name in names]
        try:
            for number, record in enumerate(track(dataset.records, f"writing {path.name}")):
                writers[number % shards].write(serialized_example(dataset, record))
        finally:
            for writer in writers:
                writer.close()
        for name in names:
            (Path(temporary) / name).replace(path.parent / name)
        for stale in old:
            if stale.name not in names:
                stale.unlink()
    return tuple(path.parent / name for name in names)


def read_tfrecords(
    pattern: str | Path, images_out: Path, class_names: Sequence[str] | None = None, *, overwrite: bool = False
) -> Dataset:
    """Read TFRecords, taking their pictures out into a folder, byte for byte.

    Args:
        pattern: A file, or files of one folder by a pattern such as `folder/train-*`.
        images_out: The folder that is made for the pictures; it appears whole or not at all.
        class_names: The classes in the order of their ids. If not given: the `label_map.pbtxt` beside the records,
            else the names stored with the boxes, provided that every id from 1 on has one.
        overwrite: Replace a folder that is there already.

    Returns:
        The pictures in the order of the files, with `images_out` as root. Crowd regions are left out. Stored ids that
        are not different whole numbers are replaced by 1, 2, … and kept as the attribute `source_id`.

    Raises:
        OddemoError: If no file matches, a file is cut off or holds other records, or class names are not known.
    """
    paths = sorted(place for place in Path(pattern).parent.glob(Path(pattern).name) if place.is_file())
    if not paths:
        raise OddemoError(f"No file fits {pattern}.", expected="TFRecords, such as train-00000-of-00001.tfrecord")
    images_out = Path(images_out)
    refuse_to_overwrite(images_out, overwrite=overwrite)
    label_map = paths[0].parent / "label_map.pbtxt"
    if class_names is None and label_map.is_file():
        class_names = read_label_map(label_map)
    contents: list[ExampleContent] = []
    taken: set[str] = set()
    with atomic_folder(images_out) as folder:
        for content in track(_contents(paths), "reading records"):
            file_name = _file_name(content, taken)
            taken.add(file_name)
            contents.append(_taken_out(content, folder, file_name))
        if not contents:
            raise OddemoError(f"The TFRecords {pattern} hold no picture.", expected="at least one record")
        names = _class_names(contents, class_names, str(pattern))
        return Dataset(paths[0].name.split("-")[0], images_out, names, _records(contents))


def _contents(paths: Sequence[Path]) -> Iterator[ExampleContent]:
    import tensorflow as tf

    for path in paths:
        position = 0
        try:
            for position, serialized in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator(), 1):
                yield read_example(serialized, f"{path}: record {position}")
        except tf.errors.OpError as error:
            raise OddemoError(
                f"{path} is damaged, or not a TFRecord file.",
                expected="whole, uncompressed TFRecords",
                found=f"{error.message} after record {position}",
            ) from None


def _file_name(content: ExampleContent, taken: set[str]) -> str:
    """Return the stored name if it stays inside the folder and is free, else a number."""
    path = PurePosixPath(content.file_name.replace("\\", "/"))
    inside = path.name and not path.is_absolute() and ".." not in path.parts and ":" not in path.parts[0]
    if inside and path.suffix.lower() in IMAGE_SUFFIXES and path.as_posix() not in taken:
        return path.as_posix()
    return f"record-{len(taken) + 1:06d}{content.suffix}"


def _taken_out(content: ExampleContent, folder: Path, file_name: str) -> ExampleContent:
    """Write the picture's bytes; return the content without them, with name and size known."""
    place = folder / file_name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encoded)
    height, width = content.size_hw_px
    if min(height, width) < 1:
        height, width, _ = read_image_rgb(place).shape
    return replace(content, encoded=b"", file_name=file_name, size_hw_px=(height, width))


def _records(contents: Sequence[ExampleContent]) -> tuple[ImageRecord, ...]:
    ids = [content.source_id for content in contents]
    numbered = len(set(ids)) == len(ids) and all(text.isdecimal() and text.isascii() for text in ids)
    records = []
    for number, content in enumerate(contents, 1):
        height, width = content.size_hw_px
        records.append(
            ImageRecord(
                image_id=int(content.source_id) if numbered else number,
                file_name=content.file_name,
                image_size_hw_px=(height, width),
                boxes_yxyx_px=content.boxes_yxyx_norm * [height, width, height, width],
                class_ids=np.array(content.class_ids, dtype=np.int64),
                attributes=content.attributes if numbered else {**content.attributes, "source_id": content.source_id},
            )
        )
    return tuple(records)


def _class_names(contents: Sequence[ExampleContent], given: Sequence[str] | None, pattern: str) -> tuple[str, ...]:
    """Return the given names, or those stored with the boxes; a contradiction between the two is an error."""
    stored = {
        class_id: text
        for content in contents
        for class_id, text in zip(content.class_ids, content.class_texts, strict=False)
    }
    if given is None:
        used = {class_id for content in contents for class_id in content.class_ids}
        if not used or used != set(stored) or used != set(range(1, len(used) + 1)):
            raise OddemoError(
                f"The TFRecords {pattern} do not name all their classes.",
                expected="class ids from 1 without gaps, each with a name",
                found=f"ids {sorted(used)}, names {stored}",
                do="give the class names, or put the label_map.pbtxt beside the records",
            )
        return tuple(stored[class_id] for class_id in sorted(stored))
    moved = {k: text for k, text in stored.items() if text in given and list(given).index(text) + 1 != k}
    if moved:
        raise OddemoError(
            f"The TFRecords {pattern} number their classes differently from the label map.",
            expected=", ".join(f"{k} {name}" for k, name in enumerate(given, 1)),
            found=", ".join(f"{k} {name}" for k, name in sorted(moved.items())),
            do="use the label map that belongs to these records",
        )
    return tuple(given)
