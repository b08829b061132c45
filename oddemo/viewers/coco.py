"""An audit as COCO files, one a side: what FiftyOne and other viewers of data sets import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from oddemo.audit.images import ImageSet
from oddemo.audit.verdict import Audit
from oddemo.data.records import Detections
from oddemo.files import atomic_folder, refuse_to_overwrite, write_json
from oddemo.metrics.coco_form import bbox_xywh_px, truths_as_coco
from oddemo.viewers.material import material_of

REFERENCE, CANDIDATE, TRUTH = "reference.json", "candidate.json", "truth.json"


def write_coco_pair(audit: Audit, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write what both sides found on the pictures of an audit, as two COCO files over the same pictures.

    Each detection is an annotation with a `score`. Pictures are named by their paths below the folder of the audit. A
    class id without a name, which is a fault in itself, becomes a category such as `id 0` and so stays in sight.

    Args:
        audit: With its pictures, as `oddemo.audit.run.audit` returns it.
        folder: Gets `reference.json`, `candidate.json` and, where true boxes were given, `truth.json`.
        overwrite: Replace what is there.

    Returns:
        The files.

    Raises:
        OddemoError: If the audit has no pictures or detections, or the folder is taken.
    """
    refuse_to_overwrite(folder, overwrite=overwrite)
    material = material_of(audit)
    images = _images(material.pictures)
    files: dict[str, dict[str, Any]] = {}
    for name, trace in ((REFERENCE, material.reference), (CANDIDATE, material.candidate)):
        files[name] = _predictions(images, trace.detections, trace.labels)
    if material.truth is not None:
        files[TRUTH] = _true_boxes(truths_as_coco(material.truth), images)
    with atomic_folder(folder) as temporary:
        for name, content in files.items():
            write_json(temporary / name, content)
    return [folder / name for name in files]


def _images(pictures: ImageSet) -> list[dict[str, Any]]:
    entries = []
    for number, (name, path) in enumerate(zip(pictures.names, pictures.paths, strict=True), 1):
        with Image.open(path) as picture:
            width, height = picture.size
        entries.append({"id": number, "file_name": name, "height": height, "width": width})
    return entries


def _predictions(
    images: Sequence[dict[str, Any]], detections: Sequence[Detections], labels: Sequence[str]
) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    used: set[int] = set()
    for image, found in zip(images, detections, strict=True):
        boxes = bbox_xywh_px(found.boxes_yxyx_px).tolist()
        used.update(found.class_ids.tolist())
        for bbox, score, class_id in zip(boxes, found.scores.tolist(), found.class_ids.tolist(), strict=True):
            entry = {"id": len(annotations) + 1, "image_id": image["id"], "category_id": class_id, "bbox": bbox}
            annotations.append({**entry, "area": bbox[2] * bbox[3], "iscrowd": 0, "score": score})
    names = dict(enumerate(labels, 1)) | {one: f"id {one}" for one in sorted(used) if not 1 <= one <= len(labels)}
    categories = [{"id": number, "name": names[number]} for number in sorted(names)]
    return {"info": {}, "images": list(images), "annotations": annotations, "categories": categories}


def _true_boxes(truth: dict[str, Any], images: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give the true boxes the pictures' names and numbers of this audit: both are in the same order."""
    number = {old["id"]: new["id"] for old, new in zip(truth["images"], images, strict=True)}
    annotations = [{**one, "image_id": number[one["image_id"]]} for one in truth["annotations"]]
    return {**truth, "images": list(images), "annotations": annotations}
