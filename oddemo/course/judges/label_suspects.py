"""Notebook 07: what a list of suspicious labels is worth, judged by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, read_array, read_number, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.clean.early import checked_suspects
from oddemo.data.damage.labels import DamagedLabels, damage_labels
from oddemo.data.damage.slips import plant_slips
from oddemo.data.sample import sample_dataset

#: A picture's id and a box's place in it; None for a label that was forgotten and so is in no list.
Label = tuple[int, int | None]


def damaged_sample(seed: int) -> DamagedLabels:
    """Return the built-in sample of metal with planted label faults."""
    faulty = damage_labels(sample_dataset("inspection"), shifted=0.1, dropped=0.15, added=0.1, seed=seed)
    return plant_slips(faulty, part=0.1, seed=seed)


def _case(seed: int) -> tuple[list[Label], list[Label], int]:
    """Return suspects, faults and the number of labels; some sound labels are suspected and some slips are missed."""
    damaged, rng = damaged_sample(seed), np.random.default_rng(seed)
    labels = [(one.image_id, box) for one in damaged.dataset.records for box in range(len(one.class_ids))]
    suspects: list[Label] = [(one.image_id, one.box) for one in checked_suspects(damaged.dataset)]
    extra = [labels[k] for k in rng.choice(len(labels), 12, replace=False)]
    kept = [*suspects[1:], *(one for one in extra if one not in suspects)]
    return kept, [(fault.image_id, fault.box) for fault in damaged.faults], len(labels)


def judge_how_good(how_good: Any) -> str:
    """Judge `how_good(suspects, faults)`, which returns precision and recall."""
    from sklearn.metrics import precision_score, recall_score

    cases = [_case(seed) for seed in (71, 72, 73)]
    cases.append(([], cases[0][1], cases[0][2]))
    for suspects, faults, _ in cases:
        labels = sorted({one for one in [*suspects, *faults] if one[1] is not None})
        forgotten = sum(box is None for _, box in faults)
        # A forgotten label is a fault that nobody suspects.
        true = [*(one in faults for one in labels), *[True] * forgotten]
        said = [*(one in suspects for one in labels), *[False] * forgotten]
        due = np.array([precision_score(true, said, zero_division=0), recall_score(true, said)])
        answer = read_array(called(how_good, list(suspects), list(faults)), (2,), "the answer")
        if not np.allclose(answer, due):
            otherwise = NotYet(
                f"of {len(suspects)} suspects and {len(faults)} faults it says {answer[0]:.2f} and {answer[1]:.2f}",
                "how many are in both lists? What part of the one list is that, and what part of the other?",
            )
            raise told_apart(close_to(answer), _rate_mistakes(suspects, faults), otherwise)
    return f"it agrees with scikit-learn on {len(cases)} lists, one of them empty, forgotten labels counted"


def _rate_mistakes(suspects: list[Label], faults: list[Label]) -> list[Mistake]:
    hits = len(set(suspects) & set(faults))
    precision, recall = hits / max(len(suspects), 1), hits / len(faults)
    seen = [one for one in faults if one[1] is not None]
    return [
        Mistake(lambda: (recall, precision), "the two have changed places", "precision comes first"),
        Mistake(
            lambda: (precision, hits / len(set(faults))),
            "labels forgotten in one picture are counted once",
            "they all read (picture, None): what does a set make of them?",
        ),
        Mistake(
            lambda: (precision, hits / len(seen)),
            "forgotten labels are left out of the faults",
            "that no list of labels can hold them is what recall has to say",
        ),
    ]


def judge_first_looked_at(first_looked_at: Any) -> str:
    """Judge `first_looked_at(scores, faulty, count)`: the precision of the most suspicious labels."""
    rng = np.random.default_rng(75)
    for count in (5, 10, 20, 40):
        faulty = rng.random(30) < 0.4
        scores = rng.permutation(np.linspace(0, 1, 30)) * np.where(faulty, 0.6, 1.0)
        limit = np.sort(scores)[min(count, 30) - 1]
        due = float(faulty[scores <= limit].mean())
        answer = read_number(called(first_looked_at, scores, faulty, count), "what it returns")
        if not np.isclose(answer, due):
            otherwise = NotYet(f"for the first {count} of 30 it says {answer:.2f}", "print the labels in your order")
            raise told_apart(close_to(np.array(answer)), _order_mistakes(scores, faulty, count), otherwise)
    return "the first 5, 10, 20 and 40 of 30 labels are judged rightly"


def _order_mistakes(scores: NDArray[np.float64], faulty: NDArray[np.bool_], count: int) -> list[Mistake]:
    order = np.argsort(scores)
    worst = faulty[order][:count]
    return [
        Mistake(
            faulty[order[::-1]][:count].mean,
            "the least suspicious labels are looked at",
            "what does a score of 0 mean here?",
        ),
        Mistake(faulty[:count].mean, "the labels are in no order", "by what is the list to be sorted?"),
        Mistake(
            lambda: worst.sum() / faulty.sum(),
            "that is the part of the faults that is found",
            "a part of the labels looked at is asked for",
        ),
        Mistake(
            lambda: worst.sum() / count,
            "it counts labels that are not there",
            "how many labels are looked at if the list is shorter than your patience?",
        ),
    ]


EXERCISES = (
    Exercise(
        "07.1",
        "say by precision and recall what a list of suspects is worth",
        "count the labels that are in both lists",
        judge_how_good,
    ),
    Exercise(
        "07.2",
        "say how many of the first labels you look at are faulty",
        "put the labels in order, the most suspicious first",
        judge_first_looked_at,
    ),
)
