"""COCO JSON: boxes of pictures in one file.

COCO stores a box as `[x, y, width, height]` in continuous pixels with the origin at the picture's top left corner, so
only the order changes here. Category ids of foreign files are arbitrary (COCO itself counts to 90 for 80 classes): they
become 1 to N in the order of the ids. Crowd regions mark many objects with one outline and are left out. The extra key
`oddemo` of a picture keeps its attributes; other programs ignore it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.data.boxes import box_areas
from oddemo.data.coco_entries import CocoEntries, is_bbox, read_entries
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError
from oddemo.files import refuse_to_overwrite, write_text


def read_coco(json_path: Path, images_root: Path | None = None, name: str | None = None) -> Dataset:
    """Read a COCO detection file; the pictures themselves are opened only where the file does not give their size.

    Args:
        json_path: The annotations.
        images_root: Folder below which the file names lie. If not given: the first of `images`, `<stem>/images` and
            `<stem>`, all beside the file, in which one of its first pictures is found; for a file in `annotations` also
            COCO's own places (`../train2017` for `instances_train2017.json`, `../images`); else the file's own folder.
        name: The dataset's name; the one stored by `write_coco`, or the file's stem, if not given.

    Returns:
        The pictures in the file's order. Ids that are not whole numbers are replaced by 1, 2, … and kept as the
        attribute `coco_image_id`; class names of annotations without a box (camera traps) as `labels_without_box`; the
        number of crowd regions left out as `crowd_regions`.

    Raises:
        OddemoError: Naming the entry that is missing, doubled, or not finite.
    """
    json_path = Path(json_path)
    entries = read_entries(json_path)
    root = Path(images_root) if images_root is not None else _images_root(json_path, entries)
    numbered = all(type(image["id"]) is int for image in entries.images)
    records = []
    for number, image in enumerate(entries.images, 1):
        stored = image.get("oddemo")
        attributes = dict(stored) if isinstance(stored, dict) else {}
        if not numbered:
            attributes["coco_image_id"] = image["id"]
        boxes, class_ids = _boxes_of(entries, image["id"], attributes)
        records.append(
            ImageRecord(
                image_id=image["id"] if numbered else number,
                file_name=image["file_name"],
                image_size_hw_px=_size_hw_px(json_path, root, image),
                boxes_yxyx_px=np.array(boxes, dtype=np.float64).reshape(-1, 4),
                class_ids=np.array(class_ids, dtype=np.int64),
                attributes=attributes,
            )
        )
    return Dataset(name or entries.name or json_path.stem, root, entries.class_names, tuple(records))


def write_coco(dataset: Dataset, json_path: Path, *, overwrite: bool = False) -> None:
    """Write a dataset as a COCO detection file, atomically, one line an entry, the same bytes for the same dataset.

    Coordinates survive exactly: where `x + width` would round to another number, the annotation also has its corners.

    Args:
        dataset: What to write; its pictures are not touched.
        json_path: The file to write.
        overwrite: Replace a file that is there already.

    Raises:
        OddemoError: If the file exists, a coordinate is not finite, or an attribute is not a JSON value.
    """
    json_path = Path(json_path)
    refuse_to_overwrite(json_path, overwrite=overwrite)
    images: list[str] = []
    annotations: list[str] = []
    for record in dataset.records:
        height, width = record.image_size_hw_px
        image: dict[str, Any] = {"id": record.image_id, "file_name": record.file_name, "height": height, "width": width}
        if record.attributes:
            image["oddemo"] = dict(record.attributes)
        images.append(_line(image, record.file_name))
        areas = box_areas(record.boxes_yxyx_px).tolist()
        for box, class_id, area in zip(record.boxes_yxyx_px.tolist(), record.class_ids.tolist(), areas, strict=True):
            annotation: dict[str, Any] = {"id": len(annotations) + 1, "image_id": record.image_id}
            annotation |= {"category_id": class_id, "iscrowd": 0, "area": _short(area)}
            bbox = _bbox_xywh_px(box)
            annotation["bbox"] = [_short(value) for value in bbox]
            if _corners_yxyx_px(bbox) != box:
                annotation["oddemo"] = {"box_yxyx_px": box}
            annotations.append(_line(annotation, record.file_name))
    categories = [_line({"id": k, "name": name}, json_path.name) for k, name in enumerate(dataset.class_names, 1)]
    info = json.dumps({"oddemo": {"name": dataset.name}}, ensure_ascii=False)
    blocks = (("categories", categories), ("images", images), ("annotations", annotations))
    lists = ",\n".join(f' "{key}": [' + ",".join(f"\n  {line}" for line in lines) + "\n ]" for key, lines in blocks)
    write_text(json_path, f'{{\n "info": {info},\n{lists}\n}}\n')


def _images_root(json_path: Path, entries: CocoEntries) -> Path:
    folder = json_path.parent
    names = [image["file_name"] for image in entries.images[:20]]
    candidates = [folder / "images", folder / json_path.stem / "images", folder / json_path.stem, folder]
    if folder.name == "annotations":
        split = json_path.stem.rpartition("_")[2]
        candidates += [folder.parent / place for place in (split, f"images/{split}", "images")]
    return next((place for place in candidates if any((place / name).is_file() for name in names)), folder)


def _boxes_of(entries: CocoEntries, image_id: Any, attributes: dict[str, Any]) -> tuple[list[list[float]], list[int]]:
    """Return a picture's boxes (yxyx, pixels) and class ids, and note in `attributes` what is not a box."""
    boxes, class_ids, without_box, crowd_regions = [], [], [], 0
    for annotation in entries.annotations_of.get(image_id, ()):
        class_id = entries.class_id_of[annotation["category_id"]]
        if annotation.get("iscrowd"):
            crowd_regions += 1
        elif annotation.get("bbox") is None:
            without_box.append(entries.class_names[class_id - 1])
        else:
            box = _corners_yxyx_px(annotation["bbox"])
            stored = annotation.get("oddemo")
            exact = stored.get("box_yxyx_px") if isinstance(stored, dict) else None
            # The corners are believed only where nobody has edited the box since.
            boxes.append(exact if is_bbox(exact) and np.allclose(exact, box, rtol=1e-9, atol=1e-9) else box)
            class_ids.append(class_id)
    if without_box:
        attributes["labels_without_box"] = without_box
    if crowd_regions:
        attributes["crowd_regions"] = crowd_regions
    return boxes, class_ids


def _size_hw_px(json_path: Path, root: Path, image: dict[str, Any]) -> tuple[int, int]:
    if image.get("height") is not None and image.get("width") is not None:
        return int(image["height"]), int(image["width"])
    from oddemo.data.images import read_image_rgb

    try:
        height, width, _ = read_image_rgb(root / image["file_name"]).shape
    except OddemoError as error:
        raise OddemoError(
            f"{json_path}: image {image['id']!r} has no height and width, and its file is no help.",
            expected="height and width in pixels, or a readable picture",
            found=error.problem,
            do="give the folder of the pictures",
        ) from None
    return height, width


def _corners_yxyx_px(bbox_xywh_px: list[float]) -> list[float]:
    x_min, y_min, width, height = map(float, bbox_xywh_px)
    return [y_min, x_min, y_min + height, x_min + width]


def _bbox_xywh_px(box_yxyx_px: list[float]) -> list[float]:
    y_min, x_min, y_max, x_max = box_yxyx_px
    return [x_min, y_min, x_max - x_min, y_max - y_min]


def _short(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _line(entry: dict[str, Any], owner: str) -> str:
    try:
        return json.dumps(entry, allow_nan=False, ensure_ascii=False)
    except (ValueError, TypeError) as error:
        raise OddemoError(
            f"{owner} cannot be written as COCO JSON.",
            expected="finite coordinates and attributes that are JSON values",
            found=str(error),
        ) from None
