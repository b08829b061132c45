"""Notebook 05: how far objects lie from the middle, and which slice is weak, judged by the package and by SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, read_array, read_number, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.damage.bias import off_centre
from oddemo.data.records import ImageRecord

Numbers = NDArray[np.float64]
SizeHw = tuple[int, int]


def _pictures() -> list[tuple[Numbers, SizeHw]]:
    """Return boxes and the size of their picture: two boxes face to face, then chance in pictures of any shape."""
    rng = np.random.default_rng(51)
    pictures = [(np.array([[0.0, 0, 40, 60], [200, 260, 240, 320]]), (240, 320))]
    for size_hw, boxes in (((240, 320), 1), ((100, 300), 3), ((300, 120), 5), ((200, 200), 4)):
        corners = rng.random((boxes, 2)) * np.array(size_hw) * 0.7
        sides = rng.uniform(0.1, 0.3, (boxes, 2)) * np.array(size_hw)
        pictures.append((np.concatenate([corners, corners + sides], axis=1), size_hw))
    return pictures


def judge_off_centre(how_far: Any) -> str:
    """Judge `how_far(boxes_yxyx_px, size_hw_px)`: the mean distance of box middles, 0 in the middle, 1 in a corner."""
    pictures = _pictures()
    for boxes, size_hw in pictures:
        due = off_centre(ImageRecord(1, "made.png", size_hw, boxes, np.ones(len(boxes), np.int64)))
        answer = read_number(called(how_far, boxes, size_hw), "what it returns")
        if not np.isclose(answer, due):
            count = "1 box" if len(boxes) == 1 else f"{len(boxes)} boxes"
            otherwise = NotYet(
                f"for {count} in a picture of {size_hw[0]} × {size_hw[1]} it says {answer:.3g}",
                "work out by hand what a box in the very middle gives, and one that is but a point in a corner",
            )
            raise told_apart(close_to(np.array(answer)), _distance_mistakes(boxes, size_hw), otherwise)
    return f"it agrees with the package on {len(pictures)} pictures, high, wide and square"


def _distance_mistakes(boxes: Numbers, size_hw: SizeHw) -> list[Mistake]:
    size, middles = np.array(size_hw, np.float64), (boxes[:, :2] + boxes[:, 2:]) / 2
    half = float(np.linalg.norm(size)) / 2

    def distance(points: Numbers, middle: Numbers = size / 2) -> float:
        return float(np.linalg.norm(points - middle, axis=1).mean())

    return [
        Mistake(
            lambda: distance(middles.mean(axis=0, keepdims=True)) / half,
            "two objects in opposite corners count as centred",
            "a mean of places is a place between them: of what should the mean be taken?",
        ),
        Mistake(
            lambda: distance(middles, size[::-1] / 2) / half,
            "height and width of the picture have changed places",
            "in which order does the size come, and in which do the boxes?",
        ),
        Mistake(lambda: distance(boxes[:, :2]) / half, "a corner of each box is measured", "where is a box's middle?"),
        Mistake(lambda: distance(middles), "the distance is in pixels", "a picture twice as large leans no further"),
        Mistake(
            lambda: distance(middles) / half / 2,
            "an object in a corner gets one half",
            "how far is it from the middle to a corner?",
        ),
        Mistake(
            lambda: distance(middles / size, np.full(2, 0.5)) * np.sqrt(2),
            "the picture is made square first",
            "is a step to the right as far as a step down? Measure first, divide then",
        ),
        Mistake(
            lambda: np.abs(middles / size - 0.5).mean(),
            "the two directions are averaged",
            "the straight way is asked for, not the one around the corner",
        ),
    ]


def _results() -> list[tuple[Numbers, Numbers]]:
    """Return brightness and the part of the objects found, picture by picture; each third is the weak one once."""
    rng, cases = np.random.default_rng(52), []
    for pictures, weak in ((48, 0), (30, 2), (60, 1)):
        # Most pictures are dark: equal ranges of brightness do not hold equally many.
        brightness = rng.permutation(np.linspace(0.2, 0.95, pictures) ** 2)
        rank = brightness.argsort().argsort() * 3 // pictures
        spread = np.where(rank == weak, 0.25, 0.08)
        found = np.clip(rng.normal(0.75 - 0.2 * (rank == weak), spread), 0, 1)
        cases.append((brightness, found))
    return cases


def judge_weak_third(weak_third: Any) -> str:
    """Judge `weak_third(brightness, found)`: the weakest third, and the limits of its mean minus that of the others."""
    cases = _results()
    for brightness, found in cases:
        due = _weakest(np.array_split(found[np.argsort(brightness)], 3))
        answer = read_array(
            called(weak_third, brightness, found), (3,), "the answer", hint="a number and two limits are asked for"
        )
        if not np.allclose(answer, due):
            number = int(answer[0])
            otherwise = NotYet(
                f"of {len(found)} pictures it names the third {number} and says [{answer[1]:+.2f}, {answer[2]:+.2f}]",
                "print the three means first; then which pictures are on the one side, and which on the other?",
            )
            raise told_apart(close_to(answer), _third_mistakes(brightness, found), otherwise)
    return f"in {len(cases)} sets of results the weak third is named, with the limits that SciPy gives"


def _weakest(thirds: list[Numbers], *, named: int | None = None, pooled: bool = False) -> Numbers:
    """Return the number of the weakest third, or of a named one, and the limits of its lead by Welch's t."""
    from scipy import stats

    weak = int(np.argmin([part.mean() for part in thirds])) if named is None else named
    others = np.concatenate([part for number, part in enumerate(thirds) if number != weak])
    limits = stats.ttest_ind(thirds[weak], others, equal_var=pooled).confidence_interval(0.95)
    return np.array([weak, limits.low, limits.high])


def _third_mistakes(brightness: Numbers, found: Numbers) -> list[Mistake]:
    from scipy import stats

    ordered = found[np.argsort(brightness)]
    thirds = np.array_split(ordered, 3)
    due = _weakest(thirds)
    weak = thirds[int(due[0])]
    edges = np.linspace(brightness.min(), brightness.max(), 4)[1:3]
    ranges = [found[np.searchsorted(edges, brightness) == number] for number in range(3)]
    strong = int(np.argmax([part.mean() for part in thirds]))
    alone, whole = (
        stats.ttest_1samp(weak, 0.0).confidence_interval(0.95),
        stats.ttest_ind(weak, ordered, equal_var=False).confidence_interval(0.95),
    )
    return [
        Mistake(
            lambda: _weakest(np.array_split(found, 3)),
            "the pictures are cut in the order in which they came",
            "by what should they be sorted before they are cut?",
        ),
        Mistake(
            lambda: _weakest(ranges),
            "the thirds hold unequal numbers of pictures",
            "thirds of the *pictures* are asked for, not of the range from dark to bright",
        ),
        Mistake(lambda: _weakest(thirds, named=strong), "the strongest third is named", "is a low `found` good?"),
        Mistake(
            lambda: np.array([2 - due[0], *due[1:]]), "the thirds are counted from the bright end", "the darkest is 0"
        ),
        Mistake(
            lambda: np.array([due[0], alone.low, alone.high]),
            "the limits are those of the third alone",
            "weak compared with what? The limits of a difference are asked for",
        ),
        Mistake(
            lambda: np.array([due[0], -due[2], -due[1]]),
            "the sign is that of the others minus the third",
            "a weak third has to come out negative",
        ),
        Mistake(
            lambda: np.array([due[0], whole.low, whole.high]),
            "the third is among those that it is compared with",
            "compare it with the pictures that are *not* in it",
        ),
        Mistake(
            lambda: _weakest(thirds, pooled=True),
            "both sides are taken to spread alike",
            "a slice may be uneven in itself: what does `equal_var` say?",
        ),
    ]


EXERCISES = (
    Exercise(
        "05.1",
        "measure how far from the middle a picture's objects lie",
        "where is the middle of each box, and where is that of the picture?",
        judge_off_centre,
    ),
    Exercise(
        "05.2",
        "name the weak third of a test set, with limits",
        "`np.argsort(brightness)` puts the pictures in order, the darkest first; then cut",
        judge_weak_third,
    ),
)
