"""Notebook 06: boxes that go along with their picture, judged by painted objects and what the pixels show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, read_array, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.painted import paint_object, seen_box

#: Upright, wide and square: a mistake with height and width hides on a square.
SIZES_HW_PX = ((60, 90), (90, 60), (48, 48))

Boxes = NDArray[np.float64]


def random_boxes(rng: np.random.Generator, size_hw_px: tuple[int, int], count: int = 6) -> Boxes:
    """Return (count, 4) yxyx boxes on whole pixels, inside the picture and not square."""
    height, width = size_hw_px
    y_min, x_min = rng.integers(1, height // 2, count), rng.integers(1, width // 2, count)
    y_max, x_max = y_min + rng.integers(4, height // 2, count), x_min + rng.integers(4, width // 2, count)
    return np.stack([y_min, x_min, y_max, x_max], axis=1).astype(np.float64)


def _moved(boxes_yxyx_px: Boxes, size_hw_px: tuple[int, int], move: Callable[[NDArray[Any]], NDArray[Any]]) -> Boxes:
    """Return where painted objects are after the picture was moved."""
    seen = [seen_box(move(paint_object(box, size_hw_px))) for box in boxes_yxyx_px]
    return np.array([box for box in seen if box is not None])


def _same(one: Boxes) -> Callable[[Boxes], bool]:
    return lambda other: one.shape == other.shape and bool(np.allclose(one, other, atol=1e-3))


_INSIDE_OUT = "one edge of each box has become the other one; which is the smaller number now?"


def judge_flip(flip_boxes: Any) -> str:
    """Judge `flip_boxes(boxes_yxyx_px, image_width_px)`."""
    rng, count = np.random.default_rng(61), 0
    for size in SIZES_HW_PX:
        boxes, width = random_boxes(rng, size), size[1]
        answer = read_array(called(flip_boxes, boxes, width), boxes.shape, "what flip_boxes returns")
        if not _same(_moved(boxes, size, lambda image: image[:, ::-1]))(answer):
            raise told_apart(_same(answer), _flip_mistakes(boxes, width), _off(answer, boxes, size))
        count += len(boxes)
        # Between pixels nothing can be painted, but what is mirrored twice must be back.
        between = boxes + 0.25
        twice = called(flip_boxes, np.asarray(called(flip_boxes, between, width)), width)
        if not _same(between)(read_array(twice, boxes.shape, "what flip_boxes returns")):
            raise NotYet("a box between two pixels is not back after two flips", "is anything rounded, or made whole?")
    return f"{count} boxes lie around their objects in the mirrored pictures"


def _flip_mistakes(boxes: Boxes, width: int) -> list[Mistake]:
    y_min, x_min, y_max, x_max = boxes.T

    def made(*edges: Any) -> Callable[[], Boxes]:
        return lambda: np.stack(edges, axis=1)

    return [
        Mistake(made(y_min, x_min, y_max, x_max), "the boxes have not moved", "the picture did; draw both on paper"),
        Mistake(made(y_min, width - x_min, y_max, width - x_max), "left edges lie right of right edges", _INSIDE_OUT),
        Mistake(
            made(width - y_max, x_min, width - y_min, x_max),
            "up and down have changed, left and right have not",
            "which of the four numbers are measured from the left? Look at the name of the argument",
        ),
        Mistake(
            made(y_min, width - 1 - x_max, y_max, width - 1 - x_min),
            "every box is one pixel too far left",
            "these are edges on a ruler, not numbers of pixels: a box over the whole picture must not move",
        ),
        Mistake(
            made(y_min, -x_max, y_max, -x_min),
            "the boxes lie left of the picture",
            "mirrored about its left border, the whole picture lies there; how far is it to come back?",
        ),
    ]


def _off(answer: Boxes, boxes: Boxes, size_hw_px: tuple[int, int]) -> NotYet:
    place = f"in a picture of {size_hw_px[0]} × {size_hw_px[1]} pixels"
    if (answer[:, 2:] < answer[:, :2]).any():
        return NotYet(f"a box is turned inside out {place}", _INSIDE_OUT)
    if not np.allclose(sorted(np.ptp(answer.reshape(-1, 2, 2), axis=1).ravel()), sorted(_sides(boxes)), atol=1e-3):
        return NotYet(f"the boxes have other sides than before {place}", "the picture is moved, not scaled")
    return NotYet(f"the boxes do not lie around their objects {place}", "follow the corner of one box on paper")


def _sides(boxes: Boxes) -> NDArray[np.float64]:
    sides: NDArray[np.float64] = (boxes[:, 2:] - boxes[:, :2]).ravel()
    return sides


def judge_turn(turn_boxes: Any) -> str:
    """Judge `turn_boxes(boxes_yxyx_px, image_size_hw_px)`."""
    rng, count = np.random.default_rng(62), 0
    for size in SIZES_HW_PX:
        boxes = random_boxes(rng, size)
        answer = read_array(called(turn_boxes, boxes, size), boxes.shape, "what turn_boxes returns")
        if not _same(_moved(boxes, size, np.rot90))(answer):
            raise told_apart(_same(answer), _turn_mistakes(boxes, size), _off(answer, boxes, size))
        count += len(boxes)
    return f"{count} boxes lie around their objects in the turned pictures, upright and wide"


def _turn_mistakes(boxes: Boxes, size_hw_px: tuple[int, int]) -> list[Mistake]:
    height, width = size_hw_px
    y_min, x_min, y_max, x_max = boxes.T

    def made(*edges: Any) -> Callable[[], Boxes]:
        return lambda: np.stack(edges, axis=1)

    return [
        Mistake(made(y_min, x_min, y_max, x_max), "the boxes have not moved", "the picture did; draw both on paper"),
        Mistake(
            made(x_min, y_min, x_max, y_max),
            "the boxes are mirrored along the diagonal",
            "that is a transposed picture; a turn brings the right border to the top",
        ),
        Mistake(
            made(x_min, height - y_max, x_max, height - y_min),
            "the boxes are turned the other way round",
            "np.rot90 turns against the clock: which border is at the top afterwards?",
        ),
        Mistake(
            made(height - x_max, y_min, height - x_min, y_max),
            "it is right in square pictures alone",
            "which side of the picture does an x run along before the turn?",
        ),
        Mistake(made(width - x_min, y_min, width - x_max, y_max), "upper edges lie below lower edges", _INSIDE_OUT),
    ]


EXERCISES = (
    Exercise(
        "06.1",
        "flip boxes with their picture",
        "write down, for one box, how far its left and its right edge are from the picture's right border",
        judge_flip,
    ),
    Exercise(
        "06.2",
        "turn boxes with their picture",
        "take one corner on paper, turn the paper, and read its y and its x again",
        judge_turn,
    ),
)
