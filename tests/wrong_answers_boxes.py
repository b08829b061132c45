"""Wrong answers to the exercises on boxes and pixels (06, 10, 12), written another way than the judges' own."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from oddemo.data.boxes import pairwise_iou


def columns(*formulas: str) -> Any:
    """Return a function of boxes and a size that makes each column by its formula."""

    def made(boxes: Any, size: Any) -> Any:
        y0, x0, y1, x1 = boxes.T
        h, w = size if isinstance(size, tuple) else (None, size)
        return np.stack(
            [eval(one, {}, {"y0": y0, "x0": x0, "y1": y1, "x1": x1, "h": h, "w": w}) for one in formulas], 1
        )

    return made


MEAN, STD = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])


def app(
    *, bgr: bool = False, norm: str = "own", pad_first: bool = False, stretch: bool = False, top: int = 0, way: int = 1
) -> Any:
    """Return a `network_input` with a mistake, written another way than the judge's own."""

    def made(image: Any) -> Any:
        image = image[..., ::-1] if bgr else image
        factor = 128 / max(image.shape[:2])
        h, w = (128, 128) if stretch else (int(side * factor + 0.5) for side in image.shape[:2])
        frame = np.zeros((128, 128, 3), np.float32)
        small = cv2.resize(image.astype(np.float32), (w, h), interpolation=way)
        formulas = {
            "own": lambda x: (x - MEAN) / STD,
            "none": lambda x: x,
            "unit": lambda x: x / 255,
            "odd": lambda x: x / 127.5 - 1,
            "twice": lambda x: (x / 255 - MEAN) / STD,
        }
        if pad_first:
            frame[:h, :w] = small
            return np.float32(formulas[norm](frame))
        down, right = ((128 - h) // 2 * top, (128 - w) // 2 * top)
        frame[down : down + h, right : right + w] = formulas[norm](small)
        return frame

    return made


def greedy(*, order: str = "best", classes: bool = True, gone_too: bool = False, shuffled: bool = False) -> Any:
    def made(boxes: Any, scores: Any, ids: Any, limit: float) -> Any:
        left = {"best": np.argsort(-scores), "given": np.arange(len(scores)), "weak": np.argsort(scores)}[
            order
        ].tolist()
        iou, kept, alive = pairwise_iou(boxes, boxes), [], set(left)
        for one in left:
            if one in alive:
                kept.append(one)
            if one in alive or gone_too:
                after = left[left.index(one) + 1 :]
                alive -= {o for o in after if iou[one, o] > limit and (ids[o] == ids[one] or not classes)}
        return sorted(kept) if shuffled else kept

    return made


def framed(formula: str) -> Any:
    def made(boxes: Any, size: Any, side: int) -> Any:
        k, yx, xy = side / max(size), np.array([1, 0, 3, 2]), np.arange(4)
        hw, wh = np.tile(size, 2), np.tile(size[::-1], 2)
        return eval(formula, {}, {"b": boxes, "k": k, "yx": yx, "xy": xy, "hw": hw, "wh": wh, "side": side})

    return made


#: (exercise, wrong answer, what is said about it).
MISTAKES: list[tuple[str, Any, str]] = [
    ("06.1", columns("y0", "x0", "y1", "x1"), "have not moved"),
    ("06.1", columns("y0", "w-x0", "y1", "w-x1"), "left edges lie right"),
    ("06.1", columns("w-y1", "x0", "w-y0", "x1"), "up and down"),
    ("06.1", columns("y0", "w-1-x1", "y1", "w-1-x0"), "one pixel too far"),
    ("06.1", columns("y0", "-x1", "y1", "-x0"), "left of the picture"),
    ("06.1", columns("y0", "w-x1", "y1", "w-x1+3"), "other sides than before"),
    ("06.1", columns("y1", "w-x1", "y0", "w-x0"), "inside out"),
    ("06.1", lambda boxes, width: np.round(columns("y0", "w-x1", "y1", "w-x0")(boxes, width)), "between two pixels"),
    ("06.1", lambda boxes, _: boxes[:, :2], "shape 6 × 2"),
    ("06.1", lambda boxes, _: boxes.__iadd__(1.0), "changes the array"),
    ("06.1", lambda boxes: boxes, "raised TypeError"),
    ("06.1", 7, "a int came instead of a function"),
    ("06.2", columns("y0", "x0", "y1", "x1"), "have not moved"),
    ("06.2", columns("x0", "y0", "x1", "y1"), "along the diagonal"),
    ("06.2", columns("x0", "h-y1", "x1", "h-y0"), "other way round"),
    ("06.2", columns("h-x1", "y0", "h-x0", "y1"), "square pictures alone"),
    ("06.2", columns("w-x0", "y0", "w-x1", "y1"), "upper edges lie below"),
    ("10.1", app(bgr=True), "red and blue"),
    ("10.1", app(norm="none"), "from 0 to 255"),
    ("10.1", app(norm="unit"), "from 0 to 1"),
    ("10.1", app(norm="odd"), "from -1 to 1"),
    ("10.1", app(norm="twice"), "flat colour"),
    ("10.1", app(stretch=True), "fills the whole frame"),
    ("10.1", app(pad_first=True), "padding is about -2"),
    ("10.1", app(top=1), "middle of the frame"),
    ("10.1", app(way=cv2.INTER_AREA), "smoother"),
    ("10.1", app(way=cv2.INTER_NEAREST), "rougher"),
    ("10.1", app(bgr=True, norm="odd"), "standard deviations off"),
    ("10.1", lambda image: app()(image)[None], "batch dimension"),
    ("10.1", lambda image: image, "the shape is 240 × 320 × 3"),
    ("10.1", lambda image: app()(image).astype(np.int64), "the values are int64"),
    ("10.1", lambda image: (app()(image), 0.4), "several things"),
    ("12.1", greedy(classes=False), "boxes of one class remove"),
    ("12.1", greedy(order="given"), "weak boxes remove"),
    ("12.1", greedy(order="weak"), "the weakest box"),
    ("12.1", greedy(gone_too=True), "removed still remove"),
    ("12.1", greedy(shuffled=True), "another order"),
    ("12.1", lambda _, s, *__: np.arange(len(s)), "every box is kept"),
    ("12.1", lambda _, s, c, __: [int(np.flatnonzero(c == k)[s[c == k].argmax()]) for k in set(c)], "one box of each"),
    ("12.1", lambda _, s, *__: s > 0.5, "true and false"),
    ("12.1", lambda b, *_: b, "no list of places"),
    ("12.1", lambda *_: [0, 0], "named twice"),
    ("12.1", lambda *_: [0], "fewer than it should be"),
    ("12.1", lambda b, s, c, _: greedy()(b, s, c, 0.5), "than it should be"),
    ("12.2", framed("b / k / wh"), "x stands before y"),
    ("12.2", framed("b[:, yx] / k / wh"), "height and width"),
    ("12.2", framed("b[:, yx] / side"), "padding counts"),
    ("12.2", framed("b[:, yx] / hw"), "too small or too large"),
    ("12.2", framed("b[:, yx] * k / hw"), "once more"),
    ("12.2", framed("b[:, yx] / k"), "in pixels"),
    ("12.2", framed("b[:, yx] / k / hw + 0.1"), "off by"),
]
