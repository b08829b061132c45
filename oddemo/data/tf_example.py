"""One picture with its boxes as a `tf.train.Example`, in the fields of TF-Vision's `TfExampleDecoder`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from oddemo.data.boxes import box_areas
from oddemo.data.records import Dataset, FloatArray, ImageRecord
from oddemo.errors import OddemoError

#: First bytes of a file → its kind, for the encodings that TF-Vision decodes.
_KINDS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"BM": "bmp"}
#: Kind → file ending.
SUFFIXES = {"jpeg": ".jpg", "png": ".png", "bmp": ".bmp"}
_BOX = "image/object/bbox/"
#: A field of our own, which other readers pass over.
_ATTRIBUTES = "oddemo/attributes"


@dataclass(frozen=True, eq=False)
class ExampleContent:
    """What one example says.

    Attributes:
        encoded: The bytes of the picture's file.
        suffix: The file ending that fits these bytes.
        file_name: The stored name, or an empty text.
        source_id: The stored id, or an empty text.
        size_hw_px: Stored height and width; -1 where not stored.
        boxes_yxyx_norm: (N, 4) float64, fractions of the picture's sides; crowd regions are left out.
        class_ids: N ids, from 1.
        class_texts: N names, or nothing.
        attributes: What `write_tfrecords` stored of the record's attributes.
    """

    encoded: bytes
    suffix: str
    file_name: str
    source_id: str
    size_hw_px: tuple[int, int]
    boxes_yxyx_norm: FloatArray
    class_ids: tuple[int, ...]
    class_texts: tuple[str, ...]
    attributes: dict[str, Any]


def serialized_example(dataset: Dataset, record: ImageRecord) -> bytes:
    """Return one picture of a dataset as a serialised example; the same bytes for the same record.

    Raises:
        OddemoError: If the picture is missing or of a kind that TensorFlow does not decode, or a box is not finite.
    """
    import tensorflow as tf

    path = dataset.image_path(record)
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise OddemoError(
            f"The picture {path} cannot be read.", found=str(error), do="run `oddemo data check`"
        ) from None
    if not np.isfinite(record.boxes_yxyx_px).all():
        raise OddemoError(f"{record.file_name} has a box that is not finite.", found=str(record.boxes_yxyx_px.tolist()))
    height, width = record.image_size_hw_px
    boxes_norm = record.boxes_yxyx_px / [height, width, height, width]
    values: dict[str, list[bytes] | list[int] | list[float]] = {
        "image/encoded": [encoded],
        "image/format": [picture_kind(encoded, str(path)).encode()],
        "image/filename": [record.file_name.encode()],
        "image/source_id": [str(record.image_id).encode()],
        "image/key/sha256": [hashlib.sha256(encoded).hexdigest().encode()],
        "image/height": [height],
        "image/width": [width],
        **{_BOX + side: boxes_norm[:, k].tolist() for k, side in enumerate(("ymin", "xmin", "ymax", "xmax"))},
        "image/object/class/label": record.class_ids.tolist(),
        "image/object/class/text": [dataset.class_names[k - 1].encode() for k in record.class_ids.tolist()],
        "image/object/area": box_areas(record.boxes_yxyx_px).tolist(),
        "image/object/is_crowd": [0] * len(record.class_ids),
        _ATTRIBUTES: [_attributes(record)],
    }
    features = {key: _feature(tf, key, value) for key, value in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def read_example(serialized: bytes, label: str) -> ExampleContent:
    """Read an example.

    Args:
        serialized: The bytes of one record.
        label: What to call this record in a message.

    Raises:
        OddemoError: If this is no example, it holds no picture, or its lists are not of one length.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        example = tf.train.Example.FromString(serialized)
    except DecodeError as error:
        raise OddemoError(f"{label} is not a tf.train.Example.", found=str(error)) from None
    feature = example.features.feature

    def values(key: str) -> list[Any]:
        kind = feature[key].WhichOneof("kind") if key in feature else None
        return list(getattr(feature[key], kind).value) if kind else []

    def text(key: str) -> str:
        return b"".join(values(key)[:1]).decode(errors="replace")

    encoded = b"".join(values("image/encoded")[:1])
    if not encoded:
        raise OddemoError(
            f"{label} holds no picture.",
            expected="TF-Vision's tf_example fields, image/encoded among them",
            found=", ".join(sorted(feature)[:8]) or "no field",
        )
    sides = [values(_BOX + side) for side in ("ymin", "xmin", "ymax", "xmax")]
    class_ids, texts = values("image/object/class/label"), values("image/object/class/text")
    if {len(side) for side in sides} != {len(class_ids)} or len(texts) not in (0, len(class_ids)):
        raise OddemoError(
            f"{label} has lists of different lengths.",
            expected="one value a box in each of ymin, xmin, ymax, xmax and class/label",
            found=", ".join(str(len(side)) for side in [*sides, class_ids]),
        )
    crowd = values("image/object/is_crowd")
    kept = [k for k in range(len(class_ids)) if k >= len(crowd) or not crowd[k]]
    return ExampleContent(
        encoded=encoded,
        suffix=SUFFIXES[picture_kind(encoded, label)],
        file_name=text("image/filename"),
        source_id=text("image/source_id"),
        size_hw_px=((*values("image/height"), -1)[0], (*values("image/width"), -1)[0]),
        boxes_yxyx_norm=np.array(sides, dtype=np.float64).reshape(4, -1).T[kept],
        class_ids=tuple(class_ids[k] for k in kept),
        class_texts=tuple(texts[k].decode(errors="replace") for k in kept) if texts else (),
        attributes=_read_attributes(text(_ATTRIBUTES), label),
    )


def picture_kind(encoded: bytes, label: str) -> str:
    """Return whether these bytes are a jpeg, png or bmp file.

    Args:
        encoded: The bytes of a picture's file.
        label: What to call the picture's owner in a message.

    Raises:
        OddemoError: If they are neither.
    """
    kind = next((kind for beginning, kind in _KINDS.items() if encoded.startswith(beginning)), None)
    if kind is None:
        raise OddemoError(
            f"The picture of {label} is of a kind that TF-Vision does not decode.",
            expected=", ".join(SUFFIXES),
            found=f"a file that begins with {encoded[:8]!r}",
        )
    return kind


def _attributes(record: ImageRecord) -> bytes:
    try:
        return json.dumps(dict(record.attributes), sort_keys=True, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise OddemoError(
            f"{record.file_name} has attributes that cannot be stored.", expected="JSON values", found=str(error)
        ) from None


def _read_attributes(text: str, label: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise OddemoError(f"{label} has a damaged field {_ATTRIBUTES}.", expected="JSON", found=str(error)) from None
    return value if isinstance(value, dict) else {}


def _feature(tf: Any, key: str, value: list[Any]) -> Any:
    if value and isinstance(value[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
    if value and isinstance(value[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=value))
    # An empty list still says what it would have held.
    if not value and key.startswith("image/object/class/text"):
        return tf.train.Feature(bytes_list=tf.train.BytesList())
    if not value and key.startswith(("image/object/class", "image/object/is_crowd")):
        return tf.train.Feature(int64_list=tf.train.Int64List())
    return tf.train.Feature(float_list=tf.train.FloatList(value=value))
