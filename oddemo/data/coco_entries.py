"""The entries of a COCO file, checked one by one before anything is made of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from oddemo.errors import OddemoError
from oddemo.files import read_json


@dataclass(frozen=True)
class CocoEntries:
    """What a COCO file says, every reference known to lead somewhere.

    Attributes:
        name: The name that `write_coco` stored, if any.
        class_names: In the order of the file's category ids.
        class_id_of: The file's category id → class id, from 1.
        images: The picture entries, in the file's order; `id` and `file_name` are there.
        annotations_of: Image id → its annotations in the file's order; a `bbox` that is there is four finite numbers.
    """

    name: str | None
    class_names: tuple[str, ...]
    class_id_of: Mapping[Any, int]
    images: Sequence[dict[str, Any]]
    annotations_of: Mapping[Any, Sequence[dict[str, Any]]]


def read_entries(json_path: Path) -> CocoEntries:
    """Read and check a COCO detection file.

    Raises:
        OddemoError: Naming the first entry that is missing, doubled, or malformed.
    """
    content = read_json(json_path)
    if not isinstance(content, dict) or "images" not in content or "categories" not in content:
        raise OddemoError(
            f"{json_path} is not a COCO detection file.",
            expected="an object with the lists images, annotations and categories",
            found=f"the keys {', '.join(map(str, content))}" if isinstance(content, dict) else type(content).__name__,
        )
    blocks = {key: _block(json_path, content, key) for key in ("categories", "images", "annotations")}
    categories = _unique(json_path, "category", blocks["categories"], "name")
    images = _unique(json_path, "image", blocks["images"], "file_name")
    try:
        in_order = sorted(categories, key=lambda entry: entry["id"])
    except TypeError:
        in_order = categories
    class_names = tuple(str(entry["name"]) for entry in in_order)
    _refuse_doubles(json_path, "category name", class_names)
    for image in images:
        image["file_name"] = _file_name(json_path, image)
        _check_size(json_path, image)
    _refuse_doubles(json_path, "image file_name", [image["file_name"] for image in images])
    class_id_of = {entry["id"]: number for number, entry in enumerate(in_order, 1)}
    annotations_of = _annotations_of(json_path, blocks["annotations"], {image["id"] for image in images}, class_id_of)
    info = content.get("info")
    stored = info.get("oddemo") if isinstance(info, dict) else None
    return CocoEntries(
        stored.get("name") if isinstance(stored, dict) else None, class_names, class_id_of, images, annotations_of
    )


def _block(json_path: Path, content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = content.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise OddemoError(f"{json_path}: {key} is malformed.", expected="a list of objects", found=repr(entries)[:80])
    return entries


def _unique(json_path: Path, kind: str, entries: list[dict[str, Any]], needs: str) -> list[dict[str, Any]]:
    for position, entry in enumerate(entries):
        lacking = [key for key in ("id", needs) if not _is_id(entry.get(key))]
        if lacking:
            raise OddemoError(
                f"{json_path}: the {kind} entry at position {position} has no usable {' and '.join(lacking)}.",
                expected=f"id and {needs} in every {kind}",
                found=repr(entry)[:120],
            )
    _refuse_doubles(json_path, f"{kind} id", [entry["id"] for entry in entries])
    return entries


def _refuse_doubles(json_path: Path, kind: str, values: Sequence[Any]) -> None:
    doubled = [value for value, times in Counter(values).items() if times > 1]
    if doubled:
        raise OddemoError(
            f"{json_path}: the {kind} {doubled[0]!r} is used more than once.",
            expected=f"every {kind} once",
            found=f"{len(doubled)} used more than once: {', '.join(map(repr, doubled[:5]))}",
        )


def _file_name(json_path: Path, image: dict[str, Any]) -> str:
    name = str(image["file_name"]).replace("\\", "/")
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise OddemoError(
            f"{json_path}: image {image['id']!r} has a file name that leaves the folder of the pictures.",
            expected="a path below that folder",
            found=name,
            do="shorten the file names, and give the folder of the pictures",
        )
    return path.as_posix()


def _annotations_of(
    json_path: Path, annotations: list[dict[str, Any]], image_ids: set[Any], class_id_of: Mapping[Any, int]
) -> dict[Any, list[dict[str, Any]]]:
    _refuse_doubles(json_path, "annotation id", [entry["id"] for entry in annotations if _is_id(entry.get("id"))])
    grouped: dict[Any, list[dict[str, Any]]] = {}
    for position, entry in enumerate(annotations):
        name = f"annotation {entry['id']!r}" if _is_id(entry.get("id")) else f"annotations[{position}]"
        label = f"{json_path}: {name}"
        if not _known(entry.get("image_id"), image_ids):
            raise OddemoError(
                f"{label} belongs to an image that is not listed.",
                expected=f"an image_id of one of the {len(image_ids)} images",
                found=repr(entry.get("image_id")),
            )
        if not _known(entry.get("category_id"), class_id_of):
            raise OddemoError(
                f"{label} has an unknown category.",
                expected=f"one of the category ids {', '.join(map(str, class_id_of))}",
                found=repr(entry.get("category_id")),
            )
        bbox = entry.get("bbox")
        if bbox is not None and not is_bbox(bbox):
            raise OddemoError(
                f"{label} has a box that is not a box.",
                expected="bbox: [x, y, width, height], four finite numbers, in pixels",
                found=repr(bbox)[:120],
            )
        grouped.setdefault(entry["image_id"], []).append(entry)
    return grouped


def _check_size(json_path: Path, image: dict[str, Any]) -> None:
    sides = [image.get("height"), image.get("width")]
    if not all(side is None or (isinstance(side, int | float) and 1 <= side < 2**31) for side in sides):
        raise OddemoError(
            f"{json_path}: image {image['id']!r} has an impossible size.",
            expected="height and width in pixels, at least 1",
            found=f"height {sides[0]!r}, width {sides[1]!r}",
        )


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str)


def _known(value: Any, ids: Any) -> bool:
    return _is_id(value) and value in ids


def is_bbox(bbox: Any) -> TypeGuard[list[float]]:
    """Say whether this is a list of four finite numbers."""
    return (
        isinstance(bbox, list)
        and len(bbox) == 4
        and all(type(value) in (int, float) and abs(value) < 1e15 and math.isfinite(value) for value in bbox)
    )
