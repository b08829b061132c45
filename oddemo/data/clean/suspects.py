"""Labels that a detector contradicts: cleanlab's scores, and labels where the detector sees nothing at all.

The detections must come from a detector that did not learn from these very labels (see `oddemo.data.folds`): one that
did repeats their faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import pairwise_iou
from oddemo.data.clean.operating_score import AGREEMENT_IOU, rescaled
from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError

#: What may be wrong: the box lies badly, the class is another one, a box is missing, there is nothing in the box.
KINDS = ("location", "class", "missing", "nothing")


@dataclass(frozen=True)
class Suspect:
    """A label, or a place without one, that a detector contradicts.

    Attributes:
        image_id: The picture.
        kind: One of `KINDS`.
        box: Its place among the picture's labels; None for a missing one.
        detection: The contradicting detection's place among the picture's; None where nothing is seen.
        score: From 0 (surely wrong) to 1.
    """

    image_id: int
    kind: str
    box: int | None
    detection: int | None
    score: float


@dataclass(frozen=True)
class Strictness:
    """When a label is suspicious.

    Attributes:
        location_below: A box whose likeness to the detection of its class is lower lies badly.
        class_below: A box whose score against detections of other classes is lower has another class.
        missing_below: A detection whose likeness to every label of its class is lower lacks a label.
        sure: Score from which a detection counts against a class, and for a missing label; cleanlab's own is 0.95.
        likely: Score from which a detection counts against a location, and for the class that a label has; cleanlab's
            own is 0.5.
        seen: A label is empty if no detection with at least this score, of whatever class, overlaps it by
            `seen_iou`; None leaves this test out, and cleanlab alone judges.
        seen_iou: See `seen`.
        rescale: Put the detector's scores on the scale of `oddemo.data.clean.operating_score` first.
    """

    location_below: float = 0.5
    class_below: float = 0.5
    missing_below: float = 0.5
    sure: float = 0.7
    likely: float = 0.3
    seen: float | None = 0.2
    seen_iou: float = 0.3
    rescale: bool = True

    @property
    def least(self) -> float:
        """Detections with a lower score are of no account to cleanlab."""
        return min(self.sure, self.likely)


def find_suspects(
    dataset: Dataset, detections: Sequence[Detections], strictness: Strictness | None = None
) -> tuple[Suspect, ...]:
    """Return the suspicious labels, picture by picture; a label is suspicious for one reason, the first of `KINDS`.

    Args:
        dataset: Pictures with the labels in question.
        detections: One set a picture, with low scores too.
        strictness: When a label is suspicious.

    Raises:
        OddemoError: If the two do not fit.
    """
    if len(dataset) != len(detections) or not len(dataset):
        raise OddemoError(
            "The detections do not fit the pictures.",
            expected=f"one set for each of the {len(dataset)} pictures, at least one",
            found=f"{len(detections)} sets",
        )
    limits = strictness if strictness is not None else Strictness()
    believed = rescaled(dataset, detections) if limits.rescale else list(detections)
    scored = _scores(dataset, believed, limits)
    # A class that is never detected with any confidence is unknown to the detector: its silence says nothing.
    known = {int(class_id) for seen in believed for class_id in seen.class_ids[seen.scores >= limits.likely]}
    found: list[Suspect] = []
    for record, seen, scores in zip(dataset.records, believed, scored, strict=True):
        found += [one for one in _of_picture(record, seen, scores, limits) if _may_be_said(one, record, known)]
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Scores:
    """cleanlab's scores of one picture; 1 where it has none.

    Attributes:
        location: (labels,).
        other_class: (labels,).
        missing: (detections,) in the detections' own order.
    """

    location: NDArray[np.float64]
    other_class: NDArray[np.float64]
    missing: NDArray[np.float64]


def _scores(dataset: Dataset, detections: Sequence[Detections], limits: Strictness) -> list[_Scores]:
    from cleanlab.object_detection import rank

    # Pictures without labels, or without detections, have nothing to compare; cleanlab cannot take them.
    both = [
        k
        for k, record in enumerate(dataset.records)
        if len(record.class_ids) and (detections[k].scores >= limits.least).any()
    ]
    scores = [
        _Scores(np.ones(len(record.class_ids)), np.ones(len(record.class_ids)), np.ones(len(seen)))
        for record, seen in zip(dataset.records, detections, strict=True)
    ]
    for index, (record, seen) in enumerate(zip(dataset.records, detections, strict=True)):
        if not len(record.class_ids):
            # Every sure detection in a picture without labels lacks one.
            scores[index].missing[:] = np.where(seen.scores >= limits.sure, 0.0, 1.0)
    if not both:
        return scores
    labels = [_label(dataset.records[k]) for k in both]
    # cleanlab may take three arrays a picture for another form of its input: one empty class more keeps clear of that.
    classes = len(dataset.class_names) + 1
    given = [_by_class(detections[k], classes, limits.least) for k in both]
    predictions = [arrays for arrays, _ in given]
    location = rank.compute_badloc_box_scores(
        labels=labels, predictions=predictions, low_probability_threshold=limits.likely
    )
    other = rank.compute_swap_box_scores(labels=labels, predictions=predictions, high_probability_threshold=limits.sure)
    missing = rank.compute_overlooked_box_scores(
        labels=labels, predictions=predictions, high_probability_threshold=limits.sure
    )
    for place, index in enumerate(both):
        in_order = np.ones(len(detections[index]))
        in_order[given[place][1]] = np.nan_to_num(missing[place], nan=1.0)
        scores[index] = _Scores(np.nan_to_num(location[place], nan=1.0), np.nan_to_num(other[place], nan=1.0), in_order)
    return scores


def _label(record: ImageRecord) -> dict[str, Any]:
    boxes_xyxy_px = record.boxes_yxyx_px[:, [1, 0, 3, 2]]
    return {"bboxes": boxes_xyxy_px, "labels": record.class_ids - 1, "image_name": record.file_name}


def _by_class(seen: Detections, classes: int, least: float) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Return cleanlab's form of a picture's detections, and the place of each row among them."""
    rows = np.concatenate([seen.boxes_yxyx_px[:, [1, 0, 3, 2]], seen.scores[:, None]], axis=1).astype(np.float64)
    kept = seen.scores >= least
    places = [np.flatnonzero(kept & (seen.class_ids == class_id)) for class_id in range(1, classes + 1)]
    return [rows[mine] for mine in places], np.concatenate(places)


def _of_picture(record: ImageRecord, seen: Detections, scores: _Scores, limits: Strictness) -> list[Suspect]:
    labels, found = np.array(record.boxes_yxyx_px), seen.boxes_yxyx_px.astype(np.float64)
    iou = pairwise_iou(labels, found)
    same = record.class_ids[:, None] == seen.class_ids[None, :]
    suspects = []
    for box in range(len(labels)):
        suspect = None
        if scores.location[box] < limits.location_below:
            against = _best(iou[box], same[box] & (seen.scores >= limits.likely))
            suspect = Suspect(record.image_id, "location", box, against, float(scores.location[box]))
        elif scores.other_class[box] < limits.class_below and not _supported(iou[box], same[box], seen, limits):
            against = _best(iou[box], ~same[box] & (seen.scores >= limits.sure))
            suspect = Suspect(record.image_id, "class", box, against, float(scores.other_class[box]))
        elif limits.seen is not None and not (iou[box][seen.scores >= limits.seen] >= limits.seen_iou).any():
            suspect = Suspect(record.image_id, "nothing", box, None, 0.0)
        suspects += [suspect] if suspect is not None else []
    for detection in np.flatnonzero(scores.missing < limits.missing_below).tolist():
        suspects.append(Suspect(record.image_id, "missing", None, detection, float(scores.missing[detection])))
    return suspects


def _may_be_said(suspect: Suspect, record: ImageRecord, known: set[int]) -> bool:
    return suspect.kind != "nothing" or suspect.box is None or int(record.class_ids[suspect.box]) in known


def _supported(iou: NDArray[np.floating[Any]], same: NDArray[np.bool_], seen: Detections, limits: Strictness) -> bool:
    """Tell whether a detection of the label's own class speaks for it."""
    return bool((same & (seen.scores >= limits.likely) & (iou >= AGREEMENT_IOU)).any())


def _best(iou: NDArray[np.floating[Any]], allowed: NDArray[np.bool_]) -> int | None:
    """Return the allowed detection that overlaps most, if there is any."""
    return int(np.argmax(np.where(allowed, iou, -1.0))) if allowed.any() else None
