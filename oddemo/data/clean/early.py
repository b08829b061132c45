"""Cleaning early: what can be seen from the boxes alone first, then what a detector contradicts.

The order matters. A box without an area has no overlap with anything, and the second of two boxes agrees with the
detector as well as the first: no score finds the one for what it is, or the other at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from oddemo.data.check import check_dataset
from oddemo.data.clean.suspects import Strictness, Suspect, find_suspects
from oddemo.data.records import Dataset, Detections, FloatArray, ImageRecord

#: Findings of the check that speak against a box; of two boxes the second is meant.
OF_BOXES = ("not_finite", "inside_out", "zero_area", "out_of_image", "duplicate", "near_duplicate")
#: Those among them that may stand for an object that is there.
MISPLACED = ("inside_out", "zero_area", "out_of_image")
#: Boxes that all but touch leave no more than this part of the two together between them.
GAP = 0.1


def checked_suspects(dataset: Dataset) -> tuple[Suspect, ...]:
    """Return the boxes that `oddemo data check` finds fault with, each once, with its finding's kind.

    Args:
        dataset: Pictures with the labels in question; no picture is opened.
    """
    ids = {record.file_name: record.image_id for record in dataset.records}
    found: dict[tuple[int, int], Suspect] = {}
    for finding in check_dataset(dataset, read_files=False):
        if finding.kind in OF_BOXES and finding.image_file is not None:
            place = ids[finding.image_file], finding.box_indices[-1]
            found.setdefault(place, Suspect(*place[:1], finding.kind, place[1], None, 0.0))
    return tuple(found.values())


def find_all_suspects(
    dataset: Dataset, detections: Sequence[Detections], strictness: Strictness | None = None
) -> tuple[Suspect, ...]:
    """Return the boxes that the check finds fault with, then what a detector contradicts among the others.

    Args:
        dataset: Pictures with the labels in question.
        detections: One set a picture, of a detector that did not learn from these labels.
        strictness: When the detector's word counts.

    Returns:
        Suspects that count boxes as the dataset does. What the check found is put where the detector sees an object of
        its class without a label, if it sees one there; `repair_labels` removes the others.
    """
    checked = checked_suspects(dataset)
    against = {(suspect.image_id, suspect.box) for suspect in checked}
    kept = {
        record.image_id: [k for k in range(len(record.class_ids)) if (record.image_id, k) not in against]
        for record in dataset.records
    }
    rest = [
        replace(record, boxes_yxyx_px=record.boxes_yxyx_px[places], class_ids=record.class_ids[places])
        for record in dataset.records
        for places in [np.array(kept[record.image_id], dtype=int)]
    ]
    seen = find_suspects(replace(dataset, records=tuple(rest)), detections, strictness)
    moved = [
        suspect if suspect.box is None else replace(suspect, box=kept[suspect.image_id][suspect.box])
        for suspect in seen
    ]
    return _one_for_both(dataset, detections, checked, moved)


def _one_for_both(
    dataset: Dataset, detections: Sequence[Detections], checked: Sequence[Suspect], others: Sequence[Suspect]
) -> tuple[Suspect, ...]:
    """Join a faulty box with the missing label that is left in its place."""
    pictures = {record.image_id: (record, found) for record, found in zip(dataset.records, detections, strict=True)}
    waiting = [suspect for suspect in others if suspect.box is None]
    joined = []
    for suspect in checked:
        record, found = pictures[suspect.image_id]
        mine = [one for one in waiting if one.image_id == suspect.image_id and suspect.kind in MISPLACED]
        place = next((one for one in mine if _stands_for(record, suspect, found, one)), None)
        if place is not None:
            waiting.remove(place)
        joined.append(suspect if place is None else replace(suspect, detection=place.detection))
    return (*joined, *(suspect for suspect in others if suspect.box is not None), *waiting)


def _stands_for(record: ImageRecord, faulty: Suspect, found: Detections, missing: Suspect) -> bool:
    if record.class_ids[faulty.box] != found.class_ids[missing.detection]:
        return False
    return beside(record.boxes_yxyx_px[faulty.box], found.boxes_yxyx_px[missing.detection])


def beside(one_yxyx_px: FloatArray, other_yxyx_px: FloatArray) -> bool:
    """Tell whether two boxes all but touch, and have half of their width or of their height in common."""
    low, high = np.maximum(one_yxyx_px[:2], other_yxyx_px[:2]), np.minimum(one_yxyx_px[2:], other_yxyx_px[2:])
    outer = np.maximum(one_yxyx_px[2:], other_yxyx_px[2:]) - np.minimum(one_yxyx_px[:2], other_yxyx_px[:2])
    return bool((high >= low - GAP * outer).all() and (high - low >= 0.5 * outer).any())
