"""Planting slips of hands and tools in labels: boxes drawn twice, without height, or with a corner off the picture.

Unlike the faults of `oddemo.data.damage.labels` these can be found without a detector, by `oddemo data check`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from oddemo.data.damage.labels import DamagedLabels, PlantedFault
from oddemo.data.records import ImageRecord
from oddemo.errors import OddemoError

KINDS = ("doubled", "flat", "outside")
#: A box with a corner off the picture reaches out of it by this part of its own side.
OUTSIDE = 0.3
#: The second of two boxes lies beside the first by this part of its sides.
BESIDE = 0.03


def plant_slips(damaged: DamagedLabels, *, part: float, seed: int) -> DamagedLabels:
    """Plant slips of each kind in labels that have no fault yet.

    Args:
        damaged: Labels, with or without faults; those that have one are left alone.
        part: Part of the labels that get a slip of a kind, for each of the kinds.
        seed: Decides which.

    Raises:
        OddemoError: If the part is not possible.
    """
    if not 0 <= part <= 1 / len(KINDS):
        raise OddemoError("The part of the labels is not possible.", expected="from 0 to a third", found=f"{part:g}")
    faulty = {(fault.image_id, fault.box) for fault in damaged.faults}
    truth = {record.image_id: record for record in damaged.truth.records}
    records: list[ImageRecord] = []
    faults = list(damaged.faults)
    for record in damaged.dataset.records:
        boxes, ids = list(record.boxes_yxyx_px), list(record.class_ids)
        # Labels that were dropped before have no place among the boxes; those left keep their order.
        dropped = {fault.true_box for fault in damaged.faults if (fault.image_id, fault.box) == (record.image_id, None)}
        left = [k for k in range(len(truth[record.image_id].class_ids)) if k not in dropped]
        # A stream of its own: that of `damage_labels` with the same seed has decided who is free.
        draws = np.random.default_rng([seed, record.image_id, 1]).random(len(boxes))
        for box, true_box in enumerate(left):
            index = int(draws[box] / part) if part else len(KINDS)
            if (record.image_id, box) in faulty or index >= len(KINDS):
                continue
            place = _slip(boxes, box, KINDS[index], record.image_size_hw_px[0])
            if place != box:
                ids.append(ids[box])
            faults.append(PlantedFault(record.image_id, KINDS[index], place, true_box))
        records.append(replace(record, boxes_yxyx_px=np.array(boxes).reshape(-1, 4), class_ids=np.array(ids)))
    return replace(damaged, dataset=replace(damaged.dataset, records=tuple(records)), faults=tuple(faults))


def _slip(boxes: list[np.ndarray], box: int, kind: str, height_px: int) -> int:
    """Plant one slip among a picture's boxes, and return the place of the faulty one."""
    y_min, x_min, y_max, x_max = boxes[box].tolist()
    if kind == "doubled":
        sides = np.tile(boxes[box][2:] - boxes[box][:2], 2)
        boxes.append(np.clip(boxes[box] + BESIDE * sides, 0, None))
        return len(boxes) - 1
    if kind == "flat":
        boxes[box] = np.array([y_min, x_min, y_min, x_max])
    else:
        boxes[box] = np.array([y_min, x_min, height_px + OUTSIDE * (y_max - y_min), x_max])
    return box
