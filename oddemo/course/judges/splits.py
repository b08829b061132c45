"""Notebook 08: parts for cross-validation, judged by what parts must be, and their spread in the stored study."""

from __future__ import annotations

from statistics import stdev
from typing import Any

import numpy as np

from oddemo.course.answers import Mistake, called, read_array, read_number, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import data_folder
from oddemo.files import read_json


def judge_parts(parts_of: Any) -> str:
    """Judge `parts_of(has_crack, count)`, which returns the part of each picture, from 0."""
    rng = np.random.default_rng(81)
    every_fifth = np.arange(48) % 5 == 0
    first_ones = np.arange(48) < 12
    cases = [(every_fifth, 5), (first_ones, 4), *((rng.random(n) < 0.25, k) for n, k in ((48, 5), (31, 3), (20, 2)))]
    for has_crack, count in cases:
        pictures = len(has_crack)
        answer = read_array(
            called(parts_of, has_crack, count),
            (pictures,),
            "the answer",
            hint="one number for each picture is asked for",
        )
        if set(answer.tolist()) != set(range(count)):
            raise NotYet(
                f"the numbers of the parts are {sorted(set(answer.tolist()))[:6]}",
                f"there are {count} parts, the first has the number 0, and none is empty",
            )
        sizes, cracks = (np.bincount(answer.astype(int), weights=one) for one in (np.ones(pictures), has_crack))
        if np.ptp(cracks) > 1:
            raise NotYet(
                f"{int(has_crack.sum())} pictures with a crack are spread {_listed(cracks)} over {count} parts",
                "deal the pictures like cards: which ones do you deal first?",
            )
        if np.ptp(sizes) > 1:
            raise NotYet(
                f"the parts have {_listed(sizes)} pictures",
                "when the pictures with a crack are dealt, with which part do you go on?",
            )
    return f"in {len(cases)} sets every part has its share of cracks, and parts differ by one picture at most"


def _listed(values: Any) -> str:
    return ", ".join(str(int(value)) for value in values)


def judge_times(times: Any) -> str:
    """Judge the number: deviation over five parts, divided by the deviation over five seeds, on BCCD."""
    runs = read_json(data_folder().parent / "results" / "study_cross_validation.json")["runs"]

    def values(world: str, condition: str, metric: str = "held_ap") -> list[float]:
        chosen = [one for one in runs if (one["world"], one["condition"]) == (world, condition)]
        return [one["metrics"][metric] for one in chosen]

    def ratio(world: str, metric: str = "held_ap", power: float = 1.0) -> float:
        return float((stdev(values(world, "every_part", metric)) / stdev(values(world, "one_part", metric))) ** power)

    answer, due = read_number(times, "the answer"), ratio("bccd")
    if abs(answer - due) > 0.02 * due:
        about_due = [
            Mistake(lambda: ratio("bccd", power=-1.0), "it is the wrong way round", "which of the two is asked for?"),
            Mistake(
                lambda: ratio("bccd", power=2.0),
                "variances are compared",
                "a spread in points of AP is the root of that",
            ),
            Mistake(lambda: ratio("inspection"), "that is so in the drawn world", "real pictures are asked for"),
            Mistake(
                lambda: ratio("bccd", "ap"),
                "that is the spread on the test pictures",
                "the detectors hardly differ there; what of the pictures that were held back?",
            ),
            Mistake(
                lambda: np.ptp(values("bccd", "every_part")) / np.ptp(values("bccd", "one_part")),
                "largest minus smallest is compared",
                "the standard deviation uses all five values",
            ),
        ]
        otherwise = NotYet(f"{answer:.3g} it is not", "print the five values of each, then their deviations")
        raise told_apart(lambda made: abs(made - answer) < 0.02 * abs(made), about_due, otherwise)
    return f"{answer:.1f}: what was held back moves the number more than the seed does"


EXERCISES = (
    Exercise(
        "08.1",
        "cut a set into parts that share a rare class",
        "think of dealing cards to so many players: picture after picture, round and round",
        judge_parts,
    ),
    Exercise(
        "08.2",
        "compare the spread over parts with the spread over seeds",
        "`seed_values` gives five values for each condition; `statistics.stdev` their deviation",
        judge_times,
    ),
)
