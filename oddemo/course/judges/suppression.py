"""Notebook 12: suppression and coordinates after the network, judged by OpenCV and by boxes brought there and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, read_array, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.boxes import pairwise_iou
from oddemo.detect.preprocess import boxes_to_picture

#: A threshold written into the function is found out by the others.
IOU_THRESHOLDS = (0.5, 0.3, 0.7)
#: Pictures and the side of a network's input; letterboxed sides are whole pixels: rounding is another subject.
PICTURES_AND_INPUTS = (((240, 320), 128), ((320, 240), 256), ((200, 200), 64), ((64, 256), 128))

Boxes = NDArray[np.float64]
Ids = NDArray[np.int64]


def crowded(rng: np.random.Generator) -> tuple[Boxes, NDArray[np.float64], Ids]:
    """Return boxes, scores and class ids of two classes that lie in rows, each box on the next one, in no order."""
    steps = np.cumsum(rng.uniform(4, 14, (4, 8)), axis=1)
    y_min, x_min = np.repeat(50.0 * np.arange(4), 8) + rng.uniform(0, 4, 32), steps.ravel()
    boxes = np.stack([y_min, x_min, y_min + 30, x_min + 32], axis=1)
    order = rng.permutation(32)
    return boxes[order], rng.uniform(0.05, 1, 32), rng.integers(1, 3, 32)


def judge_suppress(suppress: Any) -> str:
    """Judge `suppress(boxes_yxyx_px, scores, class_ids, iou_threshold)`, which returns places, best score first."""
    rng, kept = np.random.default_rng(121), 0
    for limit in IOU_THRESHOLDS * 3:
        boxes, scores, ids = crowded(rng)
        due = _opencv(boxes, scores, ids, limit)
        answer = _places(called(suppress, boxes, scores, ids, limit), len(scores))
        if answer != due:
            raise told_apart(_same_places(answer), _mistakes(boxes, scores, ids, due, limit), _count(answer, due))
        kept += len(due)
    empty = called(suppress, np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), 0.5)
    if _places(empty, 0):
        raise NotYet("something is kept of nothing", "what does it do with a picture without a box?")
    return f"it keeps what OpenCV keeps in 9 crowds, {kept} of 288 boxes, and nothing of an empty picture"


def _opencv(boxes: Boxes, scores: NDArray[np.float64], ids: Ids, limit: float) -> list[int]:
    """Return the places that OpenCV keeps, class by class, best score first."""
    import cv2

    kept: list[int] = []
    for class_id in np.unique(ids):
        mine = np.flatnonzero(ids == class_id)
        y_min, x_min, y_max, x_max = boxes[mine].T
        xywh = np.stack([x_min, y_min, x_max - x_min, y_max - y_min], axis=1).tolist()
        kept += mine[np.asarray(cv2.dnn.NMSBoxes(xywh, scores[mine].tolist(), 0.0, limit), int)].tolist()
    return sorted(kept, key=lambda place: -scores[place])


def _places(answer: Any, count: int) -> list[int]:
    array = np.asarray(answer)
    if array.dtype == bool:
        raise NotYet("true and false came for each box", "the places of the kept boxes are asked for: 0, 1, …")
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise NotYet(
            "the answer is no list of places", "whole numbers are asked for: where in the arrays the kept ones are"
        )
    places = [int(place) for place in array]
    if any(not 0 <= place < count for place in places) or len(set(places)) < len(places):
        raise NotYet("a place is named twice, or is none", "the places are those in the arrays as given, from 0")
    return places


def _same_places(answer: list[int]) -> Callable[[Any], bool]:
    return lambda made: set(answer) == set(made)


def _greedy(boxes: Boxes, order: NDArray[Any], ids: Ids, limit: float, *, weak_too: bool = False) -> list[int]:
    kept: list[int] = []
    before: list[int] = []
    overlaps = pairwise_iou(boxes, boxes)
    for place in order.tolist():
        rivals = [one for one in (before if weak_too else kept) if ids[one] == ids[place]]
        if all(overlaps[place, one] <= limit for one in rivals):
            kept.append(place)
        before.append(place)
    return kept


def _mistakes(boxes: Boxes, scores: NDArray[np.float64], ids: Ids, due: list[int], limit: float) -> list[Mistake]:
    best_first, one_class = np.argsort(-scores), np.zeros_like(ids)
    return [
        Mistake(lambda: due, "the right boxes are kept, in another order", "a reader wants the surest one first"),
        Mistake(lambda: list(range(len(scores))), "every box is kept", "when is a box the double of another one?"),
        Mistake(
            lambda: _greedy(boxes, best_first, one_class, limit),
            "boxes of one class remove boxes of another",
            "may a pit lie on a patch?",
        ),
        Mistake(
            lambda: _greedy(boxes, np.arange(len(scores)), ids, limit),
            "weak boxes remove better ones",
            "in which order do the boxes have to take their turn?",
        ),
        Mistake(
            lambda: _greedy(boxes, np.argsort(scores), ids, limit),
            "the weakest box of each crowd stays",
            "in which order do the boxes have to take their turn?",
        ),
        Mistake(
            lambda: _greedy(boxes, best_first, ids, limit, weak_too=True),
            "boxes that were removed still remove others",
            "with whom has a box to be compared: with all better ones, or with those that are still there?",
        ),
        Mistake(
            lambda: [int(np.flatnonzero(ids == k)[np.argmax(scores[ids == k])]) for k in np.unique(ids)],
            "one box of each class is kept",
            "two objects of one class may lie in one picture, far apart",
        ),
    ]


def _count(answer: list[int], due: list[int]) -> NotYet:
    more = "more" if len(answer) > len(due) else "fewer" if len(answer) < len(due) else "others"
    return NotYet(
        f"{len(answer)} boxes are kept in a crowd of 32, {more} than it should be",
        "print the overlap of two boxes that you know, then follow the best three boxes by hand",
    )


def judge_to_picture(to_picture: Any) -> str:
    """Judge `to_picture(boxes_xyxy_px, image_size_hw_px, input_size_px)`, which returns yxyx in parts of it."""
    rng, count = np.random.default_rng(122), 0
    for size, input_size in PICTURES_AND_INPUTS:
        scale = min(input_size / side for side in size)
        low, sides = rng.uniform(0, 0.5, (5, 2)), rng.uniform(0.1, 0.5, (5, 2))
        network_yxyx = np.concatenate([low, low + sides], axis=1) * np.tile(size, 2) * scale
        info = np.array([size, (input_size, input_size), (scale, scale), (0, 0)])
        due = boxes_to_picture(network_yxyx, info) / np.tile(size, 2)
        given = network_yxyx[:, [1, 0, 3, 2]]
        answer = read_array(called(to_picture, given, size, input_size), given.shape, "what to_picture returns")
        if not np.allclose(answer, due, atol=1e-5):
            otherwise = NotYet(
                f"in a picture of {size[0]} × {size[1]} pixels a box is off by {np.abs(answer - due).max():.2g}",
                "take a box over the whole picture: what has to come in, and what has to come out?",
            )
            raise told_apart(close_to(answer, absolute=1e-5), _frame_mistakes(given, size, input_size), otherwise)
        count += len(due)
    return f"{count} boxes are where TF-Vision's `image_info` brings them, on upright, wide and square pictures"


def _frame_mistakes(xyxy: Boxes, size_hw_px: tuple[int, int], input_size_px: int) -> list[Mistake]:
    yxyx, size_wh_px = xyxy[:, [1, 0, 3, 2]], size_hw_px[::-1]
    scale = min(input_size_px / side for side in size_hw_px)
    exchanged = NotYet("x stands before y", "what order do TensorFlow's own functions want?")
    pixels = "the boxes are in pixels", "a box over the whole picture is 0, 0, 1, 1 in parts of it"
    return [
        Mistake(lambda: xyxy / scale / np.tile(size_wh_px, 2), exchanged.found, str(exchanged.hint)),
        Mistake(
            lambda: yxyx / scale / np.tile(size_wh_px, 2),
            "height and width have changed places",
            "by which side of the picture is a y divided?",
        ),
        Mistake(
            lambda: yxyx / input_size_px,
            "the padding counts as picture",
            "the frame is square, the picture is not: how much of the frame does it fill?",
        ),
        Mistake(
            lambda: yxyx / np.tile(size_hw_px, 2),
            "the boxes have the right form and are too small or too large",
            "how large was the picture when the network saw it?",
        ),
        Mistake(
            lambda: yxyx * scale / np.tile(size_hw_px, 2),
            "the picture is scaled once more instead of back",
            "which way does the factor work: from the picture to the frame, or back?",
        ),
        Mistake(lambda: yxyx / scale, *pixels),
        Mistake(lambda: xyxy / scale, *pixels),
        Mistake(lambda: yxyx, *pixels),
    ]


EXERCISES = (
    Exercise(
        "12.1",
        "write the suppression within each class",
        "sort the places by falling score, and let the first box take its turn",
        judge_suppress,
    ),
    Exercise(
        "12.2",
        "bring boxes from the network's frame back to the picture",
        "by which factor was the picture made smaller or larger before the network saw it?",
        judge_to_picture,
    ),
)
