"""pycocotools as the judge, and random datasets that are hard on an evaluator."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.metrics.coco_form import detections_as_coco, truths_as_coco

CLASS_NAMES = ("scratch", "pit", "crack", "never there")


def pycocotools_evaluation(dataset: Dataset, detections: list[Detections]) -> Any:
    """Run the original, silently, and return its evaluation with `stats` and `eval`."""
    with contextlib.redirect_stdout(io.StringIO()):
        truths = COCO()
        truths.dataset = truths_as_coco(dataset)
        truths.createIndex()
        results = detections_as_coco(dataset, detections)
        if results:
            found = truths.loadRes(results)
        else:  # loadRes cannot read an empty list.
            found = COCO()
            found.dataset = {**truths.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truths, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def random_case(seed: int, *, images: int = 8, on_grid: bool = False) -> tuple[Dataset, list[Detections]]:
    """Return a dataset and detections with everything that trips an evaluator.

    Empty pictures, pictures without detections, duplicates, a class without true boxes, class ids without a name (0
    and one too many), image ids out of order. On a grid, overlaps and scores also tie, and overlaps lie on thresholds.
    """
    rng = np.random.default_rng(seed)
    classes = len(CLASS_NAMES)
    ids = rng.permutation(3 * images)[:images] + 1
    records, detections = [], []
    for image_id in ids.tolist():
        truths = int(rng.integers(0, 6) * (rng.random() > 0.2))
        boxes = _boxes(rng, truths, on_grid)
        class_ids = rng.integers(1, classes, truths)
        records.append(ImageRecord(image_id, f"{image_id}.jpg", (250, 250), boxes, class_ids))
        copies = rng.integers(0, 3, truths)
        near = np.repeat(boxes, copies, axis=0)
        near = near + (rng.integers(-1, 2, near.shape) * 5.0 if on_grid else rng.normal(0, 4, near.shape))
        near_ids = np.repeat(class_ids, copies)
        renamed = rng.random(len(near_ids)) < 0.1
        near_ids = np.where(renamed, rng.integers(0, classes + 2, len(near_ids)), near_ids)
        false = int(rng.integers(0, 6) * (rng.random() > 0.2))
        found = np.concatenate([near, _boxes(rng, false, on_grid)])
        scores = rng.random(len(found))
        scores = np.round(scores * 4) / 4 if on_grid else scores
        found_ids = np.concatenate([near_ids, rng.integers(0, classes + 2, false)])
        detections.append(Detections(found, scores, found_ids))
    return Dataset("random", Path(), CLASS_NAMES, tuple(records)), detections


def _boxes(rng: np.random.Generator, count: int, on_grid: bool) -> np.ndarray:
    if on_grid:
        corner, sides = rng.integers(0, 10, (count, 2)) * 10.0, rng.integers(1, 6, (count, 2)) * 10.0
    else:
        corner, sides = rng.random((count, 2)) * 160, rng.random((count, 2)) ** 2 * 120 + 2
    return np.concatenate([corner, corner + sides], axis=1)
