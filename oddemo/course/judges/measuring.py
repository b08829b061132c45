"""Notebook 02: precision, recall and a paired interval by hand, judged by scikit-learn and by NumPy's own quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, read_array, told_apart
from oddemo.course.exercise import Exercise, NotYet

Scores = NDArray[np.float64]
Right = NDArray[np.bool_]


def _cases() -> list[tuple[Scores, Right, int, float]]:
    """Return (scores, right, true boxes, threshold): seven of chance, and one above whose threshold nothing is left."""
    rng = np.random.default_rng(21)
    cases = []
    for threshold in (0.1, 0.3, 0.5, 0.5, 0.6, 0.8, 0.9):
        scores = rng.integers(0, 21, 30) / 20  # on the threshold itself, too
        right = rng.random(30) < scores
        cases.append((scores, right, int(right.sum() + rng.integers(3, 9)), threshold))
    return [*cases, (np.full(4, 0.2), np.ones(4, bool), 6, 0.5)]


def judge_precision_recall(precision_recall: Any) -> str:
    """Judge `precision_recall(scores, right, truths, threshold)`, which returns precision and recall."""
    from sklearn.metrics import precision_score, recall_score

    cases = _cases()
    for scores, right, truths, threshold in cases:
        # For scikit-learn, a true box that nothing has found is one that was said not to be there.
        missed = truths - int(right.sum())
        true, said = np.append(right, np.ones(missed, bool)), np.append(scores >= threshold, np.zeros(missed, bool))
        due = np.array([precision_score(true, said, zero_division=0), recall_score(true, said)])
        answer = read_array(called(precision_recall, scores, right, truths, threshold), (2,), "the answer")
        if not np.allclose(answer, due):
            otherwise = NotYet(
                f"at {threshold} it says precision {answer[0]:.2f} and recall {answer[1]:.2f}",
                "count by hand: how many are kept, how many of these are right, how many true boxes are there?",
            )
            raise told_apart(close_to(answer), _rate_mistakes(scores, right, truths, threshold), otherwise)
    return f"it agrees with scikit-learn at {len(cases)} thresholds, with nothing left at one of them"


def _rate_mistakes(scores: Scores, right: Right, truths: int, threshold: float) -> list[Mistake]:
    def rates(kept: Right, of: float) -> tuple[float, float]:
        hits = int((right & kept).sum())
        return hits / max(int(kept.sum()), 1), hits / of

    kept = scores >= threshold
    precision, recall = rates(kept, truths)
    return [
        Mistake(lambda: (recall, precision), "the two have changed places", "precision comes first"),
        Mistake(
            lambda: rates(scores > threshold, truths),
            "detections on the threshold itself are left out",
            "the task says from where on a detection is kept",
        ),
        Mistake(
            lambda: (precision, rates(kept, max(int(right.sum()), 1))[1]),
            "true boxes that nothing has found are forgotten",
            "recall is a part of something: of the found ones, or of all there are?",
        ),
        Mistake(
            lambda: (int((right & kept).sum()) / len(scores), recall),
            "precision is a part of all detections",
            "which detections would a user see at this threshold?",
        ),
        Mistake(
            lambda: (precision, right.sum() / truths),
            "recall counts detections below the threshold",
            "would a user see those?",
        ),
    ]


def judge_paired_interval(paired_interval: Any) -> str:
    """Judge `paired_interval(reference, candidate, draws)`, which returns the limits of the mean change."""
    rng = np.random.default_rng(22)
    for pictures in (12, 24, 48):
        hard = rng.uniform(0.1, 0.9, pictures)
        reference, candidate = hard + rng.normal(0, 0.03, pictures), hard + rng.normal(-0.02, 0.03, pictures)
        draws = rng.integers(0, pictures, (1000, pictures))
        changes = [float(np.mean(candidate[draw] - reference[draw])) for draw in draws]
        due = np.quantile(changes, [0.025, 0.975])
        answer = read_array(
            called(paired_interval, reference, candidate, draws), (2,), "the answer", hint="two limits are asked for"
        )
        if not np.allclose(answer, due, atol=1e-9):
            otherwise = NotYet(
                f"on {pictures} pictures it says [{answer[0]:+.3f}, {answer[1]:+.3f}]",
                "take one draw alone: which pictures are in it, and what is the mean change over them?",
            )
            raise told_apart(close_to(answer), _interval_mistakes(reference, candidate, draws, changes), otherwise)
    return "the limits are those of the resampled changes, on 12, 24 and 48 pictures"


def _interval_mistakes(
    reference: Scores, candidate: Scores, draws: NDArray[np.int64], changes: list[float]
) -> list[Mistake]:
    limits = [0.025, 0.975]
    first, second = (np.quantile(values[draws].mean(axis=1), limits) for values in (reference, candidate))
    deviation, mean = float(np.std(changes)), float(np.mean(candidate - reference))
    return [
        Mistake(
            lambda: -np.quantile(changes, limits)[::-1],
            "the sign is that of reference minus candidate",
            "a loss has to come out negative",
        ),
        Mistake(
            lambda: (second[0] - first[1], second[1] - first[0]),
            "two single intervals are subtracted",
            "a hard picture is hard for both: subtract before anything is resampled",
        ),
        Mistake(
            lambda: second,
            "that is the candidate's own interval",
            "the change is asked for: what has to be subtracted, picture by picture?",
        ),
        Mistake(
            lambda: (min(changes), max(changes)),
            "the limits hold all resampled values",
            "95 % of them are asked for: how much is left out at each end?",
        ),
        Mistake(
            lambda: np.quantile(changes, [0.05, 0.95]),
            "the limits hold 90 % of the resampled values",
            "how much is left out at each end, so that both together are 5 %?",
        ),
        Mistake(
            lambda: np.quantile(candidate - reference, limits),
            "the limits are those of single pictures",
            "how far the *mean* may move is asked for: one mean a draw",
        ),
        Mistake(
            lambda: (mean - 1.96 * deviation, mean + 1.96 * deviation),
            "the limits lie evenly about the mean change",
            "the resampled values need not: read the limits off them",
        ),
    ]


EXERCISES = (
    Exercise(
        "02.1",
        "work out precision and recall at a threshold",
        "mark the detections that are kept, and count how many of them are right",
        judge_precision_recall,
    ),
    Exercise(
        "02.2",
        "take the paired interval of a change",
        "what is the change on each single picture? That is one array, and it is what is drawn from",
        judge_paired_interval,
    ),
)
