"""Notebook 04: weights and repeat factors by hand, judged by scikit-learn and by the package's own sampling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, read_array, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.balance.repeat_factors import repeat_factors
from oddemo.data.counts import count_dataset
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.sample import sample_dataset

Numbers = NDArray[np.float64]


def judge_balanced_weights(balanced_weights: Any) -> str:
    """Judge `balanced_weights(counts)`, which returns one weight for each class."""
    from sklearn.utils.class_weight import compute_class_weight

    rng = np.random.default_rng(41)
    sample = list(count_dataset(sample_dataset("inspection")).boxes_of_class.values())
    tables = [np.array(sample), *(rng.integers(1, 200, classes) for classes in (2, 3, 5, 8))]
    for counts in tables:
        due = compute_class_weight(
            "balanced", classes=np.arange(len(counts)), y=np.repeat(np.arange(len(counts)), counts)
        )
        answer = read_array(called(balanced_weights, counts), due.shape, "what balanced_weights returns")
        if not np.allclose(answer, due):
            otherwise = NotYet(
                f"for the counts {counts.tolist()} the first weight is {answer[0]:.3g}",
                "add up weight × count over the classes: all boxes together should weigh what they weighed before",
            )
            raise told_apart(close_to(answer), _weight_mistakes(counts, due), otherwise)
    return f"the weights are scikit-learn's for {len(tables)} tables of 2 to 8 classes"


def _weight_mistakes(counts: NDArray[np.int64], due: Numbers) -> list[Mistake]:
    scale = "the order is right, the size is not: all boxes together should weigh what they weighed before"
    return [
        Mistake(lambda: counts / counts.sum(), "the frequent classes weigh most", "which class has to count more?"),
        Mistake(lambda: 1 / counts, "the weights are far too small", scale),
        Mistake(lambda: counts.sum() / counts, "the weights are too large by one and the same factor", scale),
        Mistake(lambda: counts.max() / counts, "the most frequent class has the weight 1", scale),
        Mistake(lambda: due / due.sum(), "the weights add up to 1", scale),
        Mistake(
            lambda: np.sqrt(due), "that is half of the power", "`power=0.5` of the lesson comes later; first the whole"
        ),
        Mistake(lambda: counts.mean() * counts, "the frequent classes weigh most", "which class has to count more?"),
    ]


def judge_repeat_factors(factors: Any) -> str:
    """Judge `factors(shown, threshold)`, which returns one repeat factor for each picture."""
    rng = np.random.default_rng(42)
    for threshold in (0.1, 0.3, 0.5, 0.9):
        shown = rng.random((20, 4)) < np.array([0.05, 0.2, 0.5, 0.9])
        shown[0], shown[1] = False, [True, False, False, True]
        due = repeat_factors(_pictures(shown), threshold=threshold)
        answer = read_array(
            called(factors, shown, threshold), due.shape, "what it returns", hint="one for each picture"
        )
        if not np.allclose(answer, due):
            otherwise = NotYet(
                f"at a threshold of {threshold} the second picture's factor is {answer[1]:.3g}",
                "first one factor for each class; then each picture looks at the classes that it shows",
            )
            raise told_apart(close_to(answer), _factor_mistakes(shown, threshold), otherwise)
    return "the factors are those of the package at four thresholds, an empty picture among them"


def _pictures(shown: NDArray[np.bool_]) -> Dataset:
    """Return a dataset whose pictures show these classes, once each."""
    records = []
    for number, row in enumerate(shown, 1):
        ids = np.flatnonzero(row) + 1
        records.append(ImageRecord(number, f"{number}.png", (10, 10), np.tile([0.0, 0, 5, 5], (len(ids), 1)), ids))
    return Dataset("made", Path(), tuple("abcd"), tuple(records))


def _factor_mistakes(shown: NDArray[np.bool_], threshold: float) -> list[Mistake]:
    part, of_boxes = (np.maximum(one, 1e-9) for one in (shown.mean(axis=0), shown.sum(axis=0) / shown.sum()))
    of_class, some = np.tile(np.maximum(1, np.sqrt(threshold / part)), (len(shown), 1)), shown.any(axis=1)

    def largest(values: Any) -> Any:
        return np.where(some, np.max(values * shown, axis=1), 1.0)

    which = "which of its classes decides about a picture?"
    return [
        Mistake(
            lambda: largest(np.maximum(1, threshold / part)),
            "the factors grow too fast",
            "repeat factors are gentle: the lesson says by what",
        ),
        Mistake(
            lambda: largest(np.sqrt(threshold / part)),
            "some factors are below 1",
            "may a picture come less often than it does now?",
        ),
        Mistake(
            lambda: np.where(some, (shown * of_class).sum(axis=1) / np.maximum(shown.sum(axis=1), 1), 1.0),
            "a frequent class pulls the factor down",
            which,
        ),
        Mistake(
            lambda: np.where(some, np.min(of_class, axis=1, initial=np.inf, where=shown), 1.0),
            "the most frequent class decides",
            which,
        ),
        Mistake(
            lambda: largest(np.maximum(1, np.sqrt(threshold / of_boxes))),
            "the parts are parts of all boxes",
            "in what part of the *pictures* is a class shown?",
        ),
    ]


EXERCISES = (
    Exercise(
        "04.1",
        "weigh classes so that each counts the same",
        "a class of half the boxes should weigh how much less than one of a quarter?",
        judge_balanced_weights,
    ),
    Exercise(
        "04.2",
        "work out repeat factors",
        "in what part of the pictures is each class shown? `shown.mean(axis=0)` says so",
        judge_repeat_factors,
    ),
)
