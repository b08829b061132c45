"""Which boxes of one picture a report shows, and what became of each: it agrees, it moved, or only one side has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oddemo.audit.compare import label_of
from oddemo.audit.match import pair_detections
from oddemo.audit.stages import tolerance_for
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections

#: `agrees`: box, score and name are equal within tolerance. `moved`: the other side has the object, with another box,
#: score or name. `only_here`: the other side does not show it.
STATES = ("agrees", "moved", "only_here")
#: Detections are shown from this score on, if that shows enough of them.
USUAL_SCORE = 0.3
#: Where it does not, so many are shown a picture on average.
ENOUGH = 5
#: More boxes than this hide the picture.
MOST = 20


@dataclass(frozen=True)
class ShownBox:
    """One box of one side.

    Attributes:
        box_yxyx_px: y_min, x_min, y_max, x_max in pixels of the picture.
        score: As the source gave it.
        class_id: From 1.
        name: Of the class, as this side names it.
        state: One of `STATES`.
    """

    box_yxyx_px: tuple[float, float, float, float]
    score: float
    class_id: int
    name: str
    state: str


def score_to_show_from(detections: Sequence[Detections]) -> float:
    """Return the score from which a report shows detections: the usual one, or a lower one for a timid detector.

    Args:
        detections: Those of the reference, one record a picture.
    """
    scores = np.sort(np.concatenate([d.scores for d in detections]))[::-1]
    if len(scores) == 0 or (scores >= USUAL_SCORE).sum() >= len(detections):
        return USUAL_SCORE
    lowest = float(scores[min(ENOUGH * len(detections), len(scores)) - 1])
    return float(np.floor(lowest * 100.0 + 1e-4) / 100.0)


def shown_boxes(one: Trace, other: Trace, picture: int, *, score_from: float, most: int = MOST) -> tuple[ShownBox, ...]:
    """Return the boxes of one side on one picture, best score first, each with its state against the other side.

    Args:
        one: The side whose boxes are wanted.
        other: The side that it is compared with.
        picture: Index into both.
        score_from: Lower scores are not shown; their partners count as shown by one side alone.
        most: So many of each side at the most, the best.
    """
    mine, theirs = one.detections[picture], other.detections[picture]
    wanted, seen_there = (_best(side, score_from, most) for side in (mine, theirs))
    pairing = pair_detections(mine, theirs)
    partners = {int(row): (int(column), index) for index, (row, column) in enumerate(pairing.pairs)}
    close = (pairing.box_difference_px <= tolerance_for("detections", "boxes_yxyx_px").absolute) & (
        pairing.score_difference <= tolerance_for("detections", "scores").absolute
    )
    boxes = []
    for row in wanted:
        name = label_of(int(mine.class_ids[row]), one.labels)
        state = "only_here"
        if row in partners:
            column, pair = partners[row]
            same_name = name == label_of(int(theirs.class_ids[column]), other.labels)
            if close[pair] and same_name:
                state = "agrees"
            elif column in seen_there:
                state = "moved"
        y_min, x_min, y_max, x_max = map(float, mine.boxes_yxyx_px[row])
        box = (y_min, x_min, y_max, x_max)
        boxes.append(ShownBox(box, float(mine.scores[row]), int(mine.class_ids[row]), name, state))
    return tuple(boxes)


def _best(detections: Detections, score_from: float, most: int) -> list[int]:
    order = np.argsort(-detections.scores, kind="stable")[:most]
    return [int(row) for row in order if detections.scores[row] >= score_from]


def counted(reference: Sequence[ShownBox], candidate: Sequence[ShownBox]) -> str:
    """Say in words what became of the boxes of one picture."""
    first, second = (Counter(box.state for box in side) for side in (reference, candidate))
    parts = [
        (first["agrees"], "agree"),
        (max(first["moved"], second["moved"]), "moved or renamed"),
        (first["only_here"], "only in the reference"),
        (second["only_here"], "only in the candidate"),
    ]
    told = [f"{count} {word}" for count, word in parts if count]
    return ", ".join(told) if told else "neither side shows a box"
