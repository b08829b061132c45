"""Notebook 16: reading the benchmark, judged on its own trials and by SciPy's interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from oddemo.course.answers import Mistake, called, close_to, equal_to, read_array, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import data_folder
from oddemo.files import read_json

Trials = list[dict[str, Any]]


def stored_trials(detector: str) -> Trials:
    """Return the stored trials of one detector with one planted fault each."""
    trials = read_json(data_folder().parent / "results" / "fault_benchmark.json")["trials"]
    return [one for one in trials if (one["detector"], one["kind"]) == (detector, "single")]


def judge_proved(proved_losses: Any) -> str:
    """Judge `proved_losses(trials)`, which returns the names with a proved loss, the dearest first."""
    rng = np.random.default_rng(161)
    cases = {name: stored_trials(name) for name in ("bccd", "inspection_odapi", "wildlife")}
    gain = dict(cases["bccd"][0], name="a made-up gain", delta_map={"point": 0.1, "low": 0.05, "high": 0.15})
    cases["bccd and a gain"] = [gain, *(cases["bccd"][k] for k in rng.permutation(len(cases["bccd"])))]
    named = 0
    for name, trials in cases.items():
        answer = called(proved_losses, [dict(one) for one in trials])
        if isinstance(answer, (str, dict)) or not hasattr(answer, "__iter__"):
            raise NotYet(f"a {type(answer).__name__} came back", "a list of names is asked for")
        given, due = list(answer), _names(trials, lambda cost: cost["high"] < 0)
        if sorted(map(str, given)) != sorted(due):
            found = f"of {len(trials)} trials on {name}, {len(given)} are named"
            otherwise = NotYet(found, "print point, low and high of one trial that should not be there, or should")
            raise told_apart(equal_to(set(given)), _list_mistakes(trials), otherwise)
        # Equal losses may stand in either order.
        points = {one["name"]: one["delta_map"]["point"] for one in trials}
        order = [points[one] for one in given]
        if order != sorted(order):
            raise _out_of_order(order)
        named += len(due)
    return f"{named} proved losses on {len(cases)} lists of trials, the dearest first"


def _names(trials: Trials, holds: Any) -> set[str]:
    return {one["name"] for one in trials if holds(one["delta_map"])}


def _list_mistakes(trials: Trials) -> list[Mistake]:
    return [
        Mistake(
            lambda: _names(trials, lambda cost: not cost["low"] <= 0 <= cost["high"]),
            "a gain is among them",
            "an interval without 0 may lie on either side of it",
        ),
        Mistake(
            lambda: _names(trials, lambda cost: cost["point"] < 0),
            "losses are among them that may be chance",
            "does the interval leave 0 out?",
        ),
        Mistake(
            lambda: _names(trials, lambda cost: cost["low"] < 0),
            "losses are among them whose best end is none",
            "which end of the interval has to be a loss, too?",
        ),
    ]


def _out_of_order(points: list[float]) -> NotYet:
    if points == sorted(points, reverse=True):
        return NotYet("the dearest one comes last", "a loss is negative: which end is the largest loss?")
    wrong = next(k for k in range(1, len(points)) if points[k] < points[k - 1])
    found = f"the right ones, out of order: {points[wrong]:+.3f} comes after {points[wrong - 1]:+.3f}"
    return NotYet(found, "by which number of `delta_map` are they sorted?")


def judge_wilson(wilson: Any) -> str:
    """Judge `wilson(right, of)`, which returns the limits of a part."""
    from scipy.stats import binomtest

    cases = ((206, 206), (51, 55), (3, 10), (0, 4), (1, 2))
    for right, of in cases:
        limits = binomtest(right, of).proportion_ci(0.95, method="wilson")
        due = np.array([limits.low, limits.high])
        answer = read_array(called(wilson, right, of), (2,), "the answer", hint="two limits are asked for")
        if not np.allclose(answer, due, atol=1e-3):
            otherwise = NotYet(
                f"for {right} of {of} it says {answer[0]:.3f} to {answer[1]:.3f}",
                "check middle and half width one after the other, with the same square of z in both",
            )
            raise told_apart(close_to(answer, absolute=1e-4), _limit_mistakes(right, of), otherwise)
    return f"the limits are SciPy's for {len(cases)} parts, all and none among them"


def _limit_mistakes(right: int, of: int, z: float = 1.959964) -> list[Mistake]:
    part = right / of
    plain = z * np.sqrt(part * (1 - part) / of)
    shrunk = 1 + z**2 / of
    middle, half = (part + z**2 / of / 2) / shrunk, z * np.sqrt(part * (1 - part) / of + z**2 / of**2 / 4) / shrunk
    return [
        Mistake(
            lambda: (part - plain, part + plain),
            "that is the plain interval, which has no width where all or none are right",
            "of 4 right out of 4, would you bet that the next one is right, too?",
        ),
        Mistake(
            lambda: (middle - half / z, middle + half / z),
            "the limits are those of one standard error",
            "how many standard errors hold 95 %?",
        ),
        Mistake(
            lambda: ((middle - half) * shrunk, (middle + half) * shrunk),
            "nothing is divided by 1 + z²/n",
            "look at the denominator once more",
        ),
        Mistake(
            lambda: (part - half, part + half),
            "the interval lies about the part itself",
            "Wilson's interval is pulled towards one half: what is its middle?",
        ),
    ]


EXERCISES = (
    Exercise(
        "16.1",
        "list the faults whose loss is proved, the dearest first",
        "look at `delta_map` of one trial: which of its numbers decides whether a loss is proved?",
        judge_proved,
    ),
    Exercise(
        "16.2",
        "say how sure a rate is",
        "work out the middle first: the part, pulled a little towards one half",
        judge_wilson,
    ),
)
