"""Notebook 03: what counts as equal, judged by NumPy's `allclose` and by the audit's own pairing of detections."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.match import agreement
from oddemo.course.answers import called
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.records import Detections

Numbers = NDArray[np.float64]


def _said(answer: Any) -> bool:
    if not isinstance(answer, (bool, np.bool_)):
        raise NotYet(f"a {type(answer).__name__} came back", "True or False is asked for")
    return bool(answer)


def judge_agree(agree: Any) -> str:
    """Judge `agree(reference, candidate, tolerance)`, which returns True or False."""
    rng = np.random.default_rng(31)
    for tolerance in (1e-3, 0.1):
        cases = _pairs(rng, tolerance)
        for name, reference, candidate, hint in cases:
            due = reference.shape == candidate.shape and np.allclose(candidate, reference, rtol=0, atol=tolerance)
            if _said(called(agree, reference, candidate, tolerance)) != due:
                word = "different" if due else "equal"
                raise NotYet(f"{name} is called {word} at a tolerance of {tolerance:g}", hint)
    return f"{len(cases)} pairs of arrays told apart, holes and other shapes among them"


def _pairs(rng: np.random.Generator, tolerance: float) -> list[tuple[str, Numbers, Numbers, str]]:
    """Return name, reference, candidate and hint of pairs whose differences are in units of a tolerance."""
    base = rng.normal(0, 1, (4, 6))
    above, below, hole = base.copy(), base.copy(), base.copy()
    above[2, 3] += 10 * tolerance
    below[1, 1] -= 10 * tolerance
    hole[0, 0] = np.nan
    noise = rng.uniform(-0.1, 0.1, base.shape) * tolerance
    turns = np.tile([10 * tolerance, -10 * tolerance], (4, 3))
    nan = "what does a comparison with nan give, whatever it asks?"
    return [
        ("the same array twice", base, base, "begin with the difference of two numbers"),
        ("float noise", base, base + noise, "noise is smaller than the tolerance, and never quite zero"),
        ("one value ten tolerances too large", base, above, "is one value enough, and does a mean still see it?"),
        ("one value ten tolerances too small", base, below, "which sign has the difference there?"),
        ("a shift up and down that cancels out", base, base + turns, "may errors cancel?"),
        ("a hole (nan) in the candidate", base, hole, nan),
        ("a hole (nan) in the reference", hole, base, nan),
        ("another shape", base, base[:1], "NumPy stretches the smaller one without a word"),
        ("nothing against something", base[:0], base, "an empty comparison proves nothing about the other side"),
    ]


def judge_same_detections(same_detections: Any) -> str:
    """Judge `same_detections(first, second)`, which returns True or False."""
    rng = np.random.default_rng(32)
    first = _spread(rng)
    boxes, scores, ids = np.array(first.boxes_yxyx_px), np.array(first.scores), np.array(first.class_ids)
    swap = [1, 0, *range(2, len(first))]
    noisy = scores + np.where(np.arange(len(scores)) % 2, 4e-4, -4e-4).astype(np.float32)
    moved, weaker = boxes.copy(), scores.copy()
    moved[4] += 5
    weaker[3] -= 0.05
    doubled = [0, 0, *range(2, len(first))]
    cases = [
        ("the same list twice", Detections(boxes, scores, ids), ""),
        ("the same list in another order", Detections(boxes[::-1], scores[::-1], ids[::-1]), "slots mean nothing"),
        ("two slots exchanged", Detections(boxes[swap], scores[swap], ids[swap]), "slots mean nothing"),
        ("float noise that turns the order of near scores", _sorted(boxes, noisy, ids), "is sorting by score enough?"),
        ("a box moved by 5 pixels", Detections(moved, scores, ids), "where are the boxes compared?"),
        ("a score lower by 0.05", Detections(boxes, weaker, ids), "where are the scores compared?"),
        ("one detection missing", Detections(boxes[1:], scores[1:], ids[1:]), "go through the other list as well"),
        ("one more detection", _with_one_more(first), "go through the other list as well"),
        ("one detection twice in place of another", _picked(first, doubled), "how often may one partner be taken?"),
    ]
    for name, second, hint in cases:
        for one, other in ((first, second), (second, first)):
            due = agreement(one, other).equal
            if _said(called(same_detections, one, other)) != due:
                word = "the same" if not due else "different"
                raise NotYet(f"{name}: called {word}", hint or "every detection has a partner there")
    nothing = _picked(first, [])
    if not _said(called(same_detections, nothing, nothing)):
        raise NotYet("two empty lists are called different", "nothing moved, appeared or vanished")
    return f"{len(cases)} pairs of lists told apart as the audit does, both ways round"


def _spread(rng: np.random.Generator) -> Detections:
    """Return eight detections that do not touch, two by two with nearly the same score."""
    corners = np.stack([np.repeat([10, 120], 4), np.tile([10, 80, 150, 220], 2)], axis=1) + rng.uniform(0, 9, (8, 2))
    sides = rng.uniform(20, 50, (8, 2))
    scores = np.repeat([0.9, 0.7, 0.5, 0.3], 2) + np.tile([2e-4, -2e-4], 4)
    return Detections(np.concatenate([corners, corners + sides], axis=1), scores, rng.integers(1, 6, 8))


def _sorted(boxes: Any, scores: Any, ids: Any) -> Detections:
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order], ids[order])


def _picked(found: Detections, places: list[int]) -> Detections:
    return Detections(found.boxes_yxyx_px[places], found.scores[places], found.class_ids[places])


def _with_one_more(found: Detections) -> Detections:
    boxes = np.append(found.boxes_yxyx_px, [[200, 10, 230, 60]], axis=0)
    return Detections(boxes, np.append(found.scores, 0.2), np.append(found.class_ids, 1))


EXERCISES = (
    Exercise(
        "03.1",
        "write the rule for equal arrays",
        "before any number is subtracted: can the two be compared at all?",
        judge_agree,
    ),
    Exercise(
        "03.2",
        "compare detections without their slots",
        "take one detection: how do you find its partner in the other list?",
        judge_same_detections,
    ),
)
