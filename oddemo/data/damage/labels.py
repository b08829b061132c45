"""Planting faults in labels: boxes shifted, dropped, added, and of another class; the truth is kept beside.

Every box has at most one fault, so that each can be found or missed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import pairwise_iou
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError

KINDS = ("shifted", "dropped", "swapped", "added")
#: An added box overlaps no true one by more than this, so that it is plainly wrong.
LARGEST_OVERLAP = 0.1
_TRIES = 30


@dataclass(frozen=True)
class PlantedFault:
    """One fault in the labels.

    Attributes:
        image_id: The picture.
        kind: One of `KINDS`.
        box: Its place among the picture's damaged boxes; None if it was dropped.
        true_box: Its place among the picture's true boxes; None if it was added.
    """

    image_id: int
    kind: str
    box: int | None
    true_box: int | None


@dataclass(frozen=True, eq=False)
class DamagedLabels:
    """A dataset with faults in its labels.

    Attributes:
        dataset: The pictures with the damaged boxes.
        truth: The same pictures with the true ones.
        faults: What was planted, picture by picture.
    """

    dataset: Dataset
    truth: Dataset
    faults: tuple[PlantedFault, ...]

    def count(self) -> Mapping[str, int]:
        """Return kind → number of faults."""
        return {kind: sum(fault.kind == kind for fault in self.faults) for kind in KINDS}


def damage_labels(
    dataset: Dataset,
    *,
    shifted: float = 0.0,
    dropped: float = 0.0,
    swapped: float = 0.0,
    added: float = 0.0,
    shift: float = 0.35,
    seed: int,
) -> DamagedLabels:
    """Plant faults in labels by chance.

    Args:
        dataset: Pictures with true boxes; none of its files is touched.
        shifted: Part of the boxes that are moved.
        dropped: Part of the boxes that are forgotten.
        swapped: Part of the boxes that get another class.
        added: Boxes that show nothing, as a part of the number of true ones.
        shift: How far a shifted box moves, in any direction, as a part of its sides.
        seed: The same seed plants the same faults; more of one kind leaves those in place that were there.

    Raises:
        OddemoError: If the parts are not possible, or classes are to be swapped where there is one alone.
    """
    parts = {"shifted": shifted, "dropped": dropped, "swapped": swapped}
    if min(*parts.values(), added, shift) < 0 or sum(parts.values()) > 1 or added > 1:
        raise OddemoError(
            "The parts of the labels are not possible.",
            expected="each from 0 to 1; shifted, dropped and swapped together at most 1",
            found=", ".join(f"{name} {part:g}" for name, part in (parts | {"added": added, "shift": shift}).items()),
        )
    if swapped and len(dataset.class_names) < 2:
        raise OddemoError(f"{dataset.name} has one class alone: there is no other to swap to.")
    sizes = _all_sizes(dataset)
    records: list[ImageRecord] = []
    faults: list[PlantedFault] = []
    for record in dataset.records:
        rng = np.random.default_rng([seed, record.image_id])
        damaged, found = _damage(record, rng, parts=parts, shift=shift, classes=len(dataset.class_names))
        damaged, more = _add(damaged, record, rng, added=added, sizes=sizes, classes=len(dataset.class_names))
        records.append(damaged)
        faults += found + more
    return DamagedLabels(replace(dataset, records=tuple(records)), dataset, tuple(faults))


def _damage(
    record: ImageRecord, rng: np.random.Generator, *, parts: Mapping[str, float], shift: float, classes: int
) -> tuple[ImageRecord, list[PlantedFault]]:
    """Shift, drop and swap; every box draws the same numbers whatever is planted."""
    boxes, class_ids = np.array(record.boxes_yxyx_px), np.array(record.class_ids)
    choice, angle, other = rng.random((3, len(boxes)))
    edges = np.cumsum([parts["dropped"], parts["shifted"], parts["swapped"]])
    dropped = choice < edges[0]
    moved = (choice >= edges[0]) & (choice < edges[1])
    swapped = (choice >= edges[1]) & (choice < edges[2])
    sides = boxes[:, 2:] - boxes[:, :2]
    step = shift * sides * np.stack([np.sin(2 * np.pi * angle), np.cos(2 * np.pi * angle)], axis=1)
    boxes[moved] = _inside(boxes + np.tile(step, 2), record.image_size_hw_px)[moved]
    if classes > 1:
        # One of the other classes: 1 to K - 1 further on, around the end.
        further = 1 + np.minimum((other * (classes - 1)).astype(int), classes - 2)
        class_ids[swapped] = ((class_ids - 1 + further) % classes + 1)[swapped]
    place = np.cumsum(~dropped) - 1
    kinds = {"dropped": dropped, "shifted": moved, "swapped": swapped}
    faults = [
        PlantedFault(record.image_id, kind, None if kind == "dropped" else int(place[index]), index)
        for kind, chosen in kinds.items()
        for index in np.flatnonzero(chosen).tolist()
    ]
    return replace(record, boxes_yxyx_px=boxes[~dropped], class_ids=class_ids[~dropped]), faults


def _add(
    damaged: ImageRecord,
    true: ImageRecord,
    rng: np.random.Generator,
    *,
    added: float,
    sizes: NDArray[np.float64],
    classes: int,
) -> tuple[ImageRecord, list[PlantedFault]]:
    """Add boxes of sizes that the dataset has, where nothing is; without a free place there is none."""
    boxes, class_ids = [*damaged.boxes_yxyx_px], [*damaged.class_ids]
    faults = []
    size_hw = np.array(true.image_size_hw_px, np.float64)
    taken = np.array(true.boxes_yxyx_px)
    for _ in range(int((rng.random(len(true.class_ids)) < added).sum())):
        sides = np.minimum(sizes[rng.integers(len(sizes), size=_TRIES)], size_hw)
        corners = rng.random((_TRIES, 2)) * (size_hw - sides)
        places = np.concatenate([corners, corners + sides], axis=1)
        free = np.flatnonzero((pairwise_iou(places, taken) <= LARGEST_OVERLAP).all(axis=1))
        class_id = int(rng.integers(1, classes + 1))
        if len(free):
            faults.append(PlantedFault(true.image_id, "added", len(boxes), None))
            boxes.append(places[free[0]])
            class_ids.append(np.int64(class_id))
            taken = np.concatenate([taken, places[free[:1]]])
    return replace(damaged, boxes_yxyx_px=np.array(boxes).reshape(-1, 4), class_ids=np.array(class_ids)), faults


def _inside(boxes_yxyx_px: NDArray[np.float64], image_size_hw_px: tuple[int, int]) -> NDArray[np.float64]:
    """Move boxes back into the picture as wholes, and cut those that are larger than it."""
    size_hw = np.array(image_size_hw_px, np.float64)
    back = np.clip(boxes_yxyx_px[:, :2], 0, None) - boxes_yxyx_px[:, :2]
    moved = boxes_yxyx_px + np.tile(back, 2)
    back = np.clip(size_hw - moved[:, 2:], None, 0)
    inside: NDArray[np.float64] = np.clip(moved + np.tile(back, 2), 0, np.tile(size_hw, 2))
    return inside


def _all_sizes(dataset: Dataset) -> NDArray[np.float64]:
    boxes = np.concatenate([np.zeros((0, 4)), *(record.boxes_yxyx_px for record in dataset.records)])
    sizes: NDArray[np.float64] = boxes[:, 2:] - boxes[:, :2]
    sizes = sizes[(sizes > 0).all(axis=1)]
    if not len(sizes):
        raise OddemoError(f"{dataset.name} has no boxes to damage.", expected="at least one with an area")
    return sizes
