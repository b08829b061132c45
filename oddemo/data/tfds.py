"""Detection sets that TensorFlow Datasets has prepared on this machine; nothing is downloaded here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.tf_example import SUFFIXES, picture_kind
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite
from oddemo.progress import track


@dataclass(frozen=True)
class _Layout:
    """Where a set keeps its boxes: `group` is the sequence they are in, or None if every picture has one box."""

    group: str | None
    bbox: str
    label: str
    class_names: tuple[str, ...]


def tfds_splits(source: str) -> tuple[str, ...]:
    """Return the names of the splits of a prepared set.

    Args:
        source: A name such as `bccd` or `voc/2007`, or the folder of one prepared version.

    Raises:
        OddemoError: If the set is not known or not prepared here.
    """
    return tuple(_builder(source).info.splits)


def read_tfds(source: str, split: str, images_out: Path, *, overwrite: bool = False) -> Dataset:
    """Read one split of a prepared detection set, taking its pictures out into a folder, byte for byte.

    Args:
        source: A name such as `bccd` or `voc/2007`, or the folder of one prepared version.
        split: A split's name; TensorFlow Datasets' slices such as `train[:10%]` will do.
        images_out: The folder that is made for the pictures; it appears whole or not at all.
        overwrite: Replace a folder that is there already.

    Returns:
        The pictures in the set's order, with ids from 1 and `images_out` as root; crowd regions are left out.

    Raises:
        OddemoError: If the set is not prepared here, has no such split, or is not a detection set.
    """
    import tensorflow_datasets as tfds  # type: ignore[import-untyped]

    builder = _builder(source)
    layout = _layout(builder)
    images_out = Path(images_out)
    refuse_to_overwrite(images_out, overwrite=overwrite)
    try:
        examples = builder.as_dataset(split=split, decoders={"image": tfds.decode.SkipDecoding()})
    except ValueError as error:
        raise OddemoError(
            f"{source} has no split {split!r}.",
            expected=", ".join(builder.info.splits),
            found=str(error).splitlines()[0],
        ) from None
    records: list[ImageRecord] = []
    with atomic_folder(images_out) as folder:
        for example in track(examples.as_numpy_iterator(), f"reading {split}", total=len(examples)):
            records.append(_record(example, layout, folder, len(records) + 1))
    if not records:
        raise OddemoError(f"The split {split!r} of {source} holds no picture.")
    return Dataset(f"{builder.info.name} {split}", images_out, layout.class_names, tuple(records))


def _builder(source: str) -> Any:
    import tensorflow_datasets as tfds
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        builder = tfds.builder_from_directory(source) if Path(source).is_dir() else tfds.builder(source)
        prepared = builder.is_prepared()
    except (tfds.core.DatasetNotFoundError, ValueError, OSError, AssertionError, ImportError) as error:
        raise OddemoError(
            f"TensorFlow Datasets does not know {source}.",
            expected="a name such as bccd or voc/2007, or the folder of a prepared version",
            found=(str(error).splitlines() or [type(error).__name__])[0],
        ) from None
    finally:
        logging.set_verbosity(verbosity)
    if not prepared:
        raise OddemoError(
            f"The set {source} is not prepared on this machine.",
            expected=f"prepared files in {builder.data_path}",
            found="nothing there, and nothing is downloaded here",
            do=f"where the internet can be reached, run `tfds build {source}`; for another folder set TFDS_DATA_DIR"
            + (f" (now {os.environ['TFDS_DATA_DIR']})" if "TFDS_DATA_DIR" in os.environ else ""),
        )
    return builder


def _layout(builder: Any) -> _Layout:
    import tensorflow_datasets as tfds

    features = dict(builder.info.features.items())
    groups = {key: feature.feature for key, feature in features.items() if isinstance(feature, tfds.features.Sequence)}
    for group, inner in [*groups.items(), (None, builder.info.features)]:
        if not isinstance(inner, tfds.features.FeaturesDict):
            continue
        boxes = [key for key, feature in inner.items() if isinstance(feature, tfds.features.BBoxFeature)]
        labels = [key for key, feature in inner.items() if isinstance(feature, tfds.features.ClassLabel)]
        if boxes and labels and isinstance(features.get("image"), tfds.features.Image):
            order = getattr(inner[boxes[0]], "bbox_format", None)
            if order is not None and order.name != "REL_YXYX":
                raise OddemoError(
                    f"The boxes of {builder.info.name} are in an order that is not read here.",
                    expected="REL_YXYX: y_min, x_min, y_max, x_max as fractions of the sides",
                    found=order.name,
                )
            label = next((key for key in ("label", "type") if key in labels), labels[0])
            return _Layout(group, boxes[0], label, tuple(inner[label].names))
    raise OddemoError(
        f"{builder.info.name} is not a detection set.",
        expected="an image, and objects with a bbox and a label",
        found=", ".join(features),
    )


def _record(example: dict[str, Any], layout: _Layout, folder: Path, number: int) -> ImageRecord:
    from PIL import Image

    encoded = bytes(example["image"])
    file_name = f"{number:06d}{SUFFIXES[picture_kind(encoded, f'example {number}')]}"
    (folder / file_name).write_bytes(encoded)
    with Image.open(folder / file_name) as image:
        width, height = image.size
    objects = example if layout.group is None else example[layout.group]
    boxes_norm = np.asarray(objects[layout.bbox], dtype=np.float64).reshape(-1, 4)
    class_ids = np.asarray(objects[layout.label], dtype=np.int64).reshape(-1) + 1
    kept = ~np.asarray(objects.get("is_crowd", np.zeros(len(class_ids))), dtype=bool).reshape(-1)
    name = example.get("image/filename", example.get("file_name", b""))
    attributes = {"tfds_file_name": name.decode(errors="replace")} if name else {}
    boxes_px = boxes_norm[kept] * [height, width, height, width]
    return ImageRecord(number, file_name, (height, width), boxes_px, class_ids[kept], attributes)
