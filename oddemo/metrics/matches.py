"""Which detections are right, worked out once for each picture: all that average precision needs to know.

The rules are COCO's, to the last tie: detections of a picture and class take their turn by falling score (equal scores
in their given order), and each takes the free true box of its class with the largest overlap (the last one of equal
overlaps), if that reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, Detections, FloatArray, ImageRecord
from oddemo.metrics.coco_form import bbox_xywh_px, check_detections, coco_iou
from oddemo.metrics.match_records import ImageMatches, Matches, collect_matches

#: COCO's ten: 0.50, 0.55, … 0.95.
COCO_IOU_THRESHOLDS: tuple[float, ...] = tuple(np.linspace(0.5, 0.95, 10).tolist())

#: Which boxes of a picture count: (picture, (N, 4) boxes `y_min, x_min, y_max, x_max` in pixels) → (N,) bool.
CountedBoxes = Callable[[ImageRecord, FloatArray], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class _ClassMatches:
    """The matches of one picture and class: (T, N) each, detections in COCO's order."""

    true_positive: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truth: NDArray[np.int64]


def match_image(
    record: ImageRecord,
    detections: Detections,
    *,
    classes: int,
    iou_thresholds: Sequence[float] = COCO_IOU_THRESHOLDS,
    max_detections: int = 100,
    counted: CountedBoxes | None = None,
) -> ImageMatches:
    """Match the detections of one picture with its true boxes.

    Args:
        record: The picture with its true boxes.
        detections: What was detected in it.
        classes: How many classes there are; detections of other class ids are left out.
        iou_thresholds: Overlap from which a detection is right, 0 to 1.
        max_detections: How many of each class count, best score first.
        counted: Which boxes count, if not all: detections of other true boxes, and false ones that do not count
            themselves, are ignored instead of being wrong (COCO does so for its ranges of area).
    """
    thresholds = np.asarray(iou_thresholds, dtype=np.float64)
    uncounted_truth = np.zeros(len(record.class_ids), dtype=bool)
    uncounted_found = np.zeros(len(detections), dtype=bool)
    if counted is not None:
        uncounted_truth = ~counted(record, record.boxes_yxyx_px)
        uncounted_found = ~counted(record, detections.boxes_yxyx_px.astype(np.float64))
    truths_xywh, found_xywh = bbox_xywh_px(record.boxes_yxyx_px), bbox_xywh_px(detections.boxes_yxyx_px)
    present = np.unique(detections.class_ids[(detections.class_ids >= 1) & (detections.class_ids <= classes)])
    rows: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    parts: list[_ClassMatches] = []
    for class_id in present.tolist():
        row = np.flatnonzero(detections.class_ids == class_id)
        row = row[np.argsort(-detections.scores[row], kind="stable")][:max_detections]
        truth = np.flatnonzero(record.class_ids == class_id)
        # Among equals, true boxes that count come first.
        truth = truth[np.argsort(uncounted_truth[truth], kind="stable")]
        iou = coco_iou(found_xywh[row], truths_xywh[truth])
        rows.append(row)
        parts.append(_match_class(iou, thresholds, truth, uncounted_truth[truth], uncounted_found[row]))
    chosen = np.concatenate(rows)
    nothing = np.zeros((len(thresholds), 0))
    return ImageMatches(
        detections=chosen,
        class_ids=detections.class_ids[chosen],
        scores=detections.scores[chosen],
        true_positive=np.concatenate([nothing.astype(bool), *(part.true_positive for part in parts)], axis=1),
        ignored=np.concatenate([nothing.astype(bool), *(part.ignored for part in parts)], axis=1),
        truth=np.concatenate([nothing.astype(np.int64), *(part.truth for part in parts)], axis=1),
        truth_counts=np.bincount(record.class_ids[~uncounted_truth] - 1, minlength=classes),
    )


def _match_class(
    iou: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    truth: NDArray[np.int64],
    uncounted_truth: NDArray[np.bool_],
    uncounted_found: NDArray[np.bool_],
) -> _ClassMatches:
    """Match (N, M) overlaps of detections (rows, best first) with true boxes (columns, those that count first)."""
    found, truths = iou.shape
    matched = np.full((len(thresholds), found), -1, dtype=np.int64)
    if found and truths:
        needed = np.minimum(thresholds, 1 - 1e-10)[:, None]
        free = np.ones((len(thresholds), truths), dtype=bool)
        for row in np.flatnonzero(iou.max(axis=1) >= needed.min()):
            fits = free & (iou[row] >= needed)
            # A true box that does not count is taken only where no other fits.
            fits &= ~(uncounted_truth & (fits & ~uncounted_truth).any(axis=1, keepdims=True))
            # The last of the largest: argmax finds the first, so look from behind.
            best = truths - 1 - np.argmax(np.where(fits, iou[row], -1.0)[:, ::-1], axis=1)
            hit = np.flatnonzero(fits.any(axis=1))
            matched[hit, row] = best[hit]
            free[hit, best[hit]] = False
    right = matched >= 0
    ignored = np.where(right, uncounted_truth[matched] if truths else False, uncounted_found)
    index = np.where(right, truth[matched] if truths else -1, -1)
    return _ClassMatches(right & ~ignored, ignored, index)


def match_dataset(
    dataset: Dataset,
    detections: Sequence[Detections],
    *,
    iou_thresholds: Sequence[float] = COCO_IOU_THRESHOLDS,
    max_detections: int = 100,
    counted: CountedBoxes | None = None,
) -> Matches:
    """Match the detections of every picture with its true boxes; the average precision follows from the result.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set for each picture, in the dataset's order.
        iou_thresholds: Overlap from which a detection is right, 0 to 1.
        max_detections: How many of each picture and class count, best score first.
        counted: Which boxes count, if not all; see `match_image`.

    Raises:
        OddemoError: If there are no pictures, or the detections do not fit or are not finite.
    """
    check_detections(dataset, detections)
    # COCO breaks ties between pictures by their ids.
    order = sorted(range(len(dataset)), key=lambda index: dataset.records[index].image_id)
    images = [
        match_image(
            dataset.records[index],
            detections[index],
            classes=len(dataset.class_names),
            iou_thresholds=iou_thresholds,
            max_detections=max_detections,
            counted=counted,
        )
        for index in order
    ]
    return collect_matches(
        images,
        image_ids=[dataset.records[index].image_id for index in order],
        class_names=dataset.class_names,
        iou_thresholds=tuple(iou_thresholds),
    )
