"""Notebook 01: counting and checking labels, judged by the annotation file itself and by the package's own check."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from oddemo.course.answers import Mistake, called, equal_to, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.check import box_findings
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.files import read_json


def _counted(dataset: Dataset, world: str) -> dict[str, int]:
    """Return the boxes of each class, counted in the COCO file without the package's reader."""
    content = read_json(data_folder() / "sample" / world / "val.json")
    wanted = {record.image_id for record in dataset.records}
    counts = Counter(one["category_id"] for one in content["annotations"] if one["image_id"] in wanted)
    return {one["name"]: counts[one["id"]] for one in content["categories"]}


def judge_count(count_classes: Any) -> str:
    """Judge `count_classes(dataset)`, which returns class name → number of boxes."""
    boxes = 0
    for world in ("inspection", "wildlife"):
        whole = sample_dataset(world)
        lacking = [r.image_id for r in whole.records if 4 not in r.class_ids]
        for dataset in (whole, whole.subset(lacking), whole.subset(lacking[:1])):
            due = _counted(dataset, world)
            answer = called(count_classes, dataset)
            if not isinstance(answer, dict):
                raise NotYet(f"a {type(answer).__name__} came back", "a dict is asked for: name of the class → number")
            given = {str(name): int(number) for name, number in answer.items()}
            if given != due:
                where = f"in {len(dataset)} pictures of {world}"
                raise told_apart(equal_to(given), _count_mistakes(dataset, due), _differs(given, due, where))
            boxes += sum(due.values())
    return f"{boxes} boxes of two worlds, counted as in the files themselves"


def _count_mistakes(dataset: Dataset, due: dict[str, int]) -> list[Mistake]:
    names, ids = dataset.class_names, [record.class_ids for record in dataset.records]
    return [
        Mistake(
            lambda: {name: sum(k in one for one in ids) for k, name in enumerate(names, 1)},
            "pictures are counted, not boxes",
            "a picture may show two boxes of one class: do both count?",
        ),
        Mistake(
            lambda: {name: number for name, number in due.items() if number},
            "classes without a box are left out",
            "a class that is not there is the one you want to hear of: which number has it?",
        ),
        Mistake(
            lambda: {names[k % len(names)]: number for k, number in enumerate(due.values(), 1)},
            "every name is one too far",
            "with which number does counting the classes begin, and with which a Python list?",
        ),
    ]


def _differs(given: dict[str, int], due: dict[str, int], where: str) -> NotYet:
    if set(given) != set(due):
        strange = sorted(set(given) ^ set(due))
        return NotYet(f"{where} the names do not fit: {', '.join(strange)}", "`dataset.class_names` holds the names")
    if sum(given.values()) == sum(due.values()):
        return NotYet(f"{where} the sum is right and the classes are not", "what number stands for the first class?")
    return NotYet(f"{where} {sum(given.values())} boxes are counted", "is every picture visited, and each box once?")


def judge_faulty_boxes(faulty_boxes: Any) -> str:
    """Judge `faulty_boxes(record)`, which returns the places of boxes without area or off the picture."""
    rng, faults = np.random.default_rng(12), 0
    records = [_record(rng, size) for size in ((40, 70), (70, 40), (50, 50)) for _ in range(8)]
    for record in records:
        kinds = {one.box_indices[0]: one.kind for one in box_findings(record) if one.box_indices}
        answer = called(faulty_boxes, record)
        try:
            given = {int(place) for place in answer}
        except (TypeError, ValueError):
            raise NotYet(f"a {type(answer).__name__} came back", "places are asked for: 0, 1, …") from None
        for place in sorted(given ^ set(kinds)):
            corners = " ".join(f"{value:g}" for value in record.boxes_yxyx_px[place]) if place < 8 else "no box"
            size = f"{record.image_size_hw_px[0]} × {record.image_size_hw_px[1]}"
            where = f"a box {corners} in a picture of {size}"
            raise NotYet(*_verdict(place in given, kinds.get(place), where))
        faults += len(kinds)
    return f"{faults} faulty boxes of {8 * len(records)} found, and no sound one accused"


def _verdict(accused: bool, kind: str | None, where: str) -> tuple[str, str]:
    if accused:
        return (
            f"{where} is accused and sound",
            "a box may touch the border; and which limit belongs to which coordinate?",
        )
    if kind == "zero_area":
        return f"{where} is passed over", "how high and how wide is it?"
    return (
        f"{where} is passed over",
        "it has four edges, and may leave by each; which limit belongs to which coordinate?",
    )


def _record(rng: np.random.Generator, size_hw_px: tuple[int, int]) -> ImageRecord:
    """Return eight boxes on whole pixels: sound ones, one on the border, a flat one, two that leave the picture."""
    height, width = size_hw_px
    low = np.stack([rng.integers(0, height // 2, 8), rng.integers(0, width // 2, 8)], axis=1)
    high = low + np.stack([rng.integers(3, height // 2, 8), rng.integers(3, width // 2, 8)], axis=1)
    boxes = np.concatenate([low, high], axis=1).astype(np.float64)
    boxes[0] = [0, 0, height, width]
    boxes[1, rng.integers(2)] = -rng.integers(1, 9)
    side = int(rng.integers(2))
    boxes[2, 2 + side] = size_hw_px[side] + rng.integers(1, 9)
    flat = int(rng.integers(2))
    boxes[3, 2 + flat] = boxes[3, flat]
    record = ImageRecord(1, "made.png", size_hw_px, boxes, np.ones(8, int))
    order = rng.permutation(8)
    return replace(record, boxes_yxyx_px=boxes[order])


EXERCISES = (
    Exercise(
        "01.1",
        "count the boxes of each class",
        "begin with a 0 for each of `dataset.class_names`, then go through `record.class_ids` of each record",
        judge_count,
    ),
    Exercise(
        "01.2",
        "find boxes that cannot be right",
        "write down what must hold for each of the four numbers of a sound box",
        judge_faulty_boxes,
    ),
)
