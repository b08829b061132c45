"""Datasets and detections in the form that the COCO evaluators read, and the overlap as they compute it.

COCO boxes are `x, y, width, height`. The conversion and the order of the arithmetic matter in the last bit: a detection
whose overlap lies on a threshold must fall on the same side here and there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, Detections, FloatArray
from oddemo.errors import OddemoError


def bbox_xywh_px(boxes_yxyx_px: FloatArray) -> NDArray[np.float64]:
    """Return (N, 4) float64 boxes `x, y, width, height`; a box turned inside out gets sides of 0."""
    boxes = boxes_yxyx_px.astype(np.float64)
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.stack([boxes[:, 1], boxes[:, 0], sides[:, 1], sides[:, 0]], axis=1)


def coco_iou(detections_xywh: NDArray[np.float64], truths_xywh: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (N, M) overlap of (N, 4) and (M, 4) boxes `x, y, width, height`, bit for bit as pycocotools does."""
    first, second = detections_xywh[:, None, :], truths_xywh[None, :, :]
    sides = np.minimum(first[..., 2:] + first[..., :2], second[..., 2:] + second[..., :2])
    sides = sides - np.maximum(first[..., :2], second[..., :2])
    overlap = np.where((sides > 0).all(axis=-1), sides[..., 0] * sides[..., 1], 0.0)
    union = first[..., 2] * first[..., 3] + second[..., 2] * second[..., 3] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=overlap > 0)


def check_detections(dataset: Dataset, detections: Sequence[Detections]) -> None:
    """Raise unless there is one set of finite detections for each picture.

    Raises:
        OddemoError: If there are no pictures, the numbers differ, or a box or score is not finite.
    """
    if len(dataset) == 0:
        raise OddemoError(f"{dataset.name} has no pictures to measure on.", expected="at least one picture")
    if len(detections) != len(dataset):
        raise OddemoError(
            f"The detections do not fit {dataset.name}.",
            expected=f"one set for each of its {len(dataset)} pictures, in its order",
            found=f"{len(detections)} sets",
        )
    for record, found in zip(dataset.records, detections, strict=True):
        if not (np.isfinite(found.boxes_yxyx_px).all() and np.isfinite(found.scores).all()):
            raise OddemoError(
                f"{record.file_name}: a detection is not a number.",
                expected="finite boxes and scores",
                found="NaN or infinity",
                do="look at the raw outputs of the model: float16 overflow and missing weights are the usual causes",
            )


def check_truths(dataset: Dataset) -> None:
    """Raise unless at least one picture has a true box.

    Raises:
        OddemoError: If no average precision can be defined.
    """
    if not any(len(record.class_ids) for record in dataset.records):
        raise OddemoError(
            f"{dataset.name} has no true boxes, so no average precision can be computed.",
            expected="at least one picture with a true box",
            found=f"{len(dataset)} pictures without any",
            do="check the annotation file and its image ids",
        )


def truths_as_coco(dataset: Dataset) -> dict[str, Any]:
    """Return the true boxes as a COCO annotation dictionary; ids of annotations start at 1."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for record in dataset.records:
        height, width = record.image_size_hw_px
        images.append({"id": record.image_id, "file_name": record.file_name, "height": height, "width": width})
        boxes = bbox_xywh_px(record.boxes_yxyx_px).tolist()
        for bbox, class_id in zip(boxes, record.class_ids.tolist(), strict=True):
            annotation = {"id": len(annotations) + 1, "image_id": record.image_id, "category_id": class_id}
            annotations.append({**annotation, "bbox": bbox, "area": bbox[2] * bbox[3], "iscrowd": 0})
    categories = [{"id": number, "name": name} for number, name in enumerate(dataset.class_names, 1)]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def detections_as_coco(dataset: Dataset, detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """Return detections as a COCO result list; class ids without a name are left out, as every evaluator does."""
    results = []
    for record, found in zip(dataset.records, detections, strict=True):
        boxes = bbox_xywh_px(found.boxes_yxyx_px).tolist()
        for bbox, score, class_id in zip(boxes, found.scores.tolist(), found.class_ids.tolist(), strict=True):
            if 1 <= class_id <= len(dataset.class_names):
                results.append({"image_id": record.image_id, "category_id": class_id, "bbox": bbox, "score": score})
    return results
