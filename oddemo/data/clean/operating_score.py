"""Putting the scores of differently confident detectors on one scale: 0.5 is where detections begin to be believed.

A detector that was trained for a short time, or on faulty labels, is right at scores of 0.2; limits made for others
would never be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import pairwise_iou
from oddemo.data.records import Dataset, Detections, ImageRecord

#: A detection agrees with a label of its class from this intersection over union on.
AGREEMENT_IOU = 0.5


def rescaled(dataset: Dataset, detections: Sequence[Detections]) -> list[Detections]:
    """Return the detections with scores such that 0.5 is each class's best score to begin with.

    The best score is the one with the largest F1 against the labels as they are: faulty labels lower F1, but lower it
    at every score. Above it a score says which part of the believed detections of its class is no better: 0.5 for none
    of them, 1 for all. Below it, it is a part of 0.5. A class without any agreement is not believed at all.

    Args:
        dataset: Pictures with labels.
        detections: One set a picture.
    """
    scores = np.concatenate([np.zeros(0), *(seen.scores for seen in detections)])
    ids = np.concatenate([np.zeros(0, np.int64), *(seen.class_ids for seen in detections)])
    agrees = [agreement(record, seen) for record, seen in zip(dataset.records, detections, strict=True)]
    agreed = np.concatenate([np.zeros(0, bool), *agrees])
    labels = np.concatenate([np.zeros(0, np.int64), *(record.class_ids for record in dataset.records)])
    new = np.zeros(len(scores))
    for class_id in range(1, len(dataset.class_names) + 1):
        mine = ids == class_id
        best = best_score(scores[mine], agreed[mine], int((labels == class_id).sum()))
        if best is not None:
            new[mine] = on_scale(scores[mine], best)
    ends = np.cumsum([len(seen) for seen in detections])[:-1]
    return [replace(seen, scores=part) for seen, part in zip(detections, np.split(new, ends), strict=True)]


def agreement(record: ImageRecord, seen: Detections) -> NDArray[np.bool_]:
    """Return for each detection whether it is the best-scored one that agrees with some label of its class."""
    iou = pairwise_iou(seen.boxes_yxyx_px.astype(np.float64), np.array(record.boxes_yxyx_px))
    iou = np.where(seen.class_ids[:, None] == record.class_ids[None, :], iou, 0.0)
    agrees = np.zeros(len(seen), bool)
    for index in np.argsort(-seen.scores, kind="stable").tolist():
        if iou.shape[1] and iou[index].max() >= AGREEMENT_IOU:
            agrees[index] = True
            iou[:, int(iou[index].argmax())] = 0.0
    return agrees


def on_scale(scores: NDArray[np.floating], best: float) -> NDArray[np.float64]:
    """Return scores on the scale on which `best` is 0.5."""
    believed = np.sort(scores[scores >= best])
    no_better = np.searchsorted(believed, scores, side="right") / len(believed)
    placed: NDArray[np.float64] = np.where(scores >= best, 0.5 + 0.5 * no_better, 0.5 * scores / best)
    return placed


def best_score(scores: NDArray[np.floating], agrees: NDArray[np.bool_], labels: int) -> float | None:
    """Return the score from which detections agree best with the labels (largest F1), None if none agrees."""
    if not agrees.any():
        return None
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(agrees[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + labels)
    return float(scores[order][int(f1.argmax())])
