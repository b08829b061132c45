"""Repairing suspicious labels, and counting how many planted faults were among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from oddemo.data.boxes import pairwise_iou
from oddemo.data.clean.suspects import Suspect
from oddemo.data.damage.labels import DamagedLabels
from oddemo.data.records import Dataset, Detections, ImageRecord

#: A missing label is found if the detection overlaps the forgotten box by this intersection over union.
FOUND_IOU = 0.5


def repair_labels(dataset: Dataset, detections: Sequence[Detections], suspects: Sequence[Suspect]) -> Dataset:
    """Do what the detector says: move a box, change its class, add a missing one, remove one with nothing in it.

    Args:
        dataset: Pictures with the labels in question.
        detections: As the suspects were found with.
        suspects: What is repaired.
    """
    records = []
    for record, seen in zip(dataset.records, detections, strict=True):
        mine = [suspect for suspect in suspects if suspect.image_id == record.image_id]
        records.append(_repaired(record, seen, mine) if mine else record)
    return replace(dataset, records=tuple(records))


def _repaired(record: ImageRecord, seen: Detections, suspects: Sequence[Suspect]) -> ImageRecord:
    boxes, class_ids = np.array(record.boxes_yxyx_px), np.array(record.class_ids)
    keep = np.ones(len(boxes), bool)
    added: list[int] = []
    for suspect in suspects:
        if suspect.box is None and suspect.detection is not None:
            added.append(suspect.detection)
        elif suspect.box is not None and suspect.detection is None:
            keep[suspect.box] = False
        elif suspect.box is not None and suspect.kind == "class":
            class_ids[suspect.box] = seen.class_ids[suspect.detection]
        elif suspect.box is not None:
            boxes[suspect.box] = seen.boxes_yxyx_px[suspect.detection]
    height, width = record.image_size_hw_px
    new = np.clip(seen.boxes_yxyx_px[added].astype(np.float64), 0, [height, width, height, width])
    return replace(
        record,
        boxes_yxyx_px=np.concatenate([np.clip(boxes[keep], 0, [height, width, height, width]), new]),
        class_ids=np.concatenate([class_ids[keep], seen.class_ids[added]]),
    )


@dataclass(frozen=True)
class FaultsFound:
    """How many planted faults are among the suspects.

    Attributes:
        planted: Planted faults.
        found: Planted faults with a suspect.
        suspects: Suspects.
        right: Suspects with a planted fault.
        recall_of_kind: Kind of planted fault → part of them found.
    """

    planted: int
    found: int
    suspects: int
    right: int
    recall_of_kind: dict[str, float]

    @property
    def precision(self) -> float:
        """Part of the suspects that are planted faults; 0 without any suspect."""
        return self.right / self.suspects if self.suspects else 0.0

    @property
    def recall(self) -> float:
        """Part of the planted faults that are found; 0 where none was planted."""
        return self.found / self.planted if self.planted else 0.0


def count_found(damaged: DamagedLabels, detections: Sequence[Detections], suspects: Sequence[Suspect]) -> FaultsFound:
    """Compare suspects with what was planted; that a label is wrong counts, not what is said to be wrong with it.

    Args:
        damaged: The planted faults with their truth.
        detections: As the suspects were found with.
        suspects: What was found.
    """
    truth = {record.image_id: record for record in damaged.truth.records}
    seen = {record.image_id: one for record, one in zip(damaged.dataset.records, detections, strict=True)}
    labels = {(suspect.image_id, suspect.box) for suspect in suspects if suspect.box is not None}
    missing = [suspect for suspect in suspects if suspect.box is None]
    found_faults, right_missing = set(), set()
    for number, fault in enumerate(damaged.faults):
        if fault.box is not None:
            if (fault.image_id, fault.box) in labels:
                found_faults.add(number)
            continue
        forgotten = truth[fault.image_id].boxes_yxyx_px[fault.true_box].reshape(1, 4)
        for suspect in missing:
            if suspect.image_id == fault.image_id:
                box = seen[fault.image_id].boxes_yxyx_px[suspect.detection].reshape(1, 4).astype(np.float64)
                if pairwise_iou(forgotten, box)[0, 0] >= FOUND_IOU:
                    found_faults.add(number)
                    right_missing.add(suspect)
    planted_labels = {(fault.image_id, fault.box) for fault in damaged.faults if fault.box is not None}
    right = len(labels & planted_labels) + len(right_missing)
    recall = {
        kind: sum(fault.kind == kind for k, fault in enumerate(damaged.faults) if k in found_faults) / count
        for kind, count in damaged.count().items()
        if count
    }
    return FaultsFound(len(damaged.faults), len(found_faults), len(suspects), right, recall)
