"""Notebook 09: steps in equal time, judged by lines through generated trainings, and gains by class, by the package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.answers import Mistake, called, close_to, equal_to, read_array, read_number, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.study.reading import difference_of, seed_values
from oddemo.study.results import stored_study

Numbers = NDArray[np.float64]


def _mistake(gives: Any, found: str, hint: str) -> Mistake:
    return Mistake(lambda: gives, found, hint)


def _trainings() -> list[tuple[Numbers, Numbers, int]]:
    """Return (steps, seconds) of two trainings of each of two detectors, and how many steps the second one does."""
    rng, cases = np.random.default_rng(91), []
    for steps in (250, 400, 90, 1000, 640, 333):
        pair = []
        for _ in range(2):
            counts = np.array([rng.integers(40, 120), rng.integers(200, 800)], np.float64)
            seconds = rng.uniform(2, 9) + rng.uniform(0.02, 0.25) * counts
            pair.append(np.stack([counts, seconds], axis=1)[:: rng.choice([-1, 1])])
        cases.append((pair[0], pair[1], steps))
    return cases


def judge_steps_in_time(steps_in_time: Any) -> str:
    """Judge `steps_in_time(mine, other, other_steps)`: whole steps in the time of the other's, without starting up."""
    cases = _trainings()
    for mine, other, other_steps in cases:
        times = [float(np.polyfit(one[:, 0], one[:, 1], 1)[0]) for one in (mine, other)]
        due = np.floor(other_steps * times[1] / times[0])
        answer = read_number(called(steps_in_time, mine, other, other_steps), "what it returns")
        if answer != due:
            otherwise = NotYet(
                f"for {other_steps} steps of the other it says {answer:g}",
                "how many seconds does one more step take, for each of the two?",
            )
            close = close_to(np.array(answer), absolute=1e-6)
            raise told_apart(close, _time_mistakes(mine, other, other_steps), otherwise)
    return f"it agrees with the lines through {len(cases)} pairs of trainings, in whole steps"


def _time_mistakes(mine: Numbers, other: Numbers, other_steps: int) -> list[Mistake]:
    # The shorter training first.
    ordered = [one[np.argsort(one[:, 0])] for one in (mine, other)]
    (mine_s, mine_start_s), (other_s, other_start_s) = (np.polyfit(one[:, 0], one[:, 1], 1) for one in ordered)
    exact = other_steps * other_s / mine_s
    share_s = [one[:, 1] / one[:, 0] for one in ordered]
    sums_s = [one[:, 1].sum() / one[:, 0].sum() for one in ordered]
    half_s = [np.diff(one[:, 1])[0] / one[1, 0] for one in ordered]
    begun = [share_s[1][i] / share_s[0][j] for i in (1, 0) for j in (1, 0)]
    begun += [share_s[1].mean() / share_s[0].mean(), sums_s[1] / sums_s[0]]
    started = "starting up is counted as if every step did it"
    trainings = "is a training of no steps over at once? Two trainings of one detector tell how long it takes to begin"
    known = [
        (exact, "parts of a step are counted", "a step is done or it is not"),
        (np.floor(exact) + 1, "the last step does not fit any more", "which way is it rounded?"),
        *((np.floor(other_steps * ratio), started, trainings) for ratio in begun),
        (
            np.floor((other_steps * other_s + other_start_s - mine_start_s) / mine_s),
            "each starts up within the time, once",
            "from which moment on is the time taken, for the one and for the other?",
        ),
        (
            np.floor((other_steps * other_s + other_start_s) / mine_s),
            "starting up is taken off one of the two only",
            "the time to be filled holds something that is no step",
        ),
        (
            np.floor((other_steps * other_s - mine_start_s) / mine_s),
            "starting up fills a part of the time",
            "you have left it out of the time to be filled: why does it come back?",
        ),
        (
            np.floor(other_steps * mine_s / other_s),
            "it is the wrong way round",
            "which of the two is quicker, and who does more steps in the same time?",
        ),
        (
            np.floor(other_steps * half_s[1] / half_s[0]),
            "seconds are subtracted, and steps are not",
            "the difference of two trainings in seconds belongs to how many steps?",
        ),
        (
            np.floor(other[:, 0].max() * other_s / mine_s),
            "the steps of a measured training are taken",
            "what is `other_steps` for?",
        ),
        (other_steps * other_s, "that is a time", "steps are asked for: how many fit into these seconds?"),
    ]
    return [_mistake(*one) for one in known]


def _studies() -> list[tuple[Mapping[str, Any], str, str, str]]:
    """Return a stored study, one of its worlds, and two conditions to compare: generated ones, then that of the lesson.

    What the two conditions share from seed to seed is larger than what they differ by, and runs are in any order.
    """
    rng, cases = np.random.default_rng(92), []
    # How many standard errors the means lie from zero: a gain, one that a wrong interval takes in, luck, a loss.
    for seeds, worlds in ((5, ("cells", "steel")), (8, ("steel", "cells")), (4, ("cells", "steel"))):
        runs = []
        for world, names in (("steel", "patch pit crack scratch"), ("cells", "ring disc speck blob thread")):
            errors = dict(zip(names.split(), (9.0, 3.7, 2.1, -6.0, -0.6), strict=False))
            values = {name: _pair(rng, seeds, far) for name, far in errors.items()}
            for condition in (0, 1):
                runs += [
                    _run(world, ("wide", "slim")[condition], seed, {k: v[condition][seed] for k, v in values.items()})
                    for seed in range(seeds)
                ]
        study = {"worlds": list(worlds), "conditions": [{"name": one} for one in ("slim", "wide")]}
        cases.append((study | {"runs": [runs[i] for i in rng.permutation(len(runs))]}, worlds[0], "wide", "slim"))
    stored = stored_study("architecture")
    return [
        *cases,
        *((stored, world, "powerful", one) for world in stored["worlds"] for one in ("light", "light_long")),
    ]


def _pair(rng: np.random.Generator, seeds: int, errors: float) -> tuple[Numbers, Numbers]:
    """Return values of two conditions whose paired differences have a mean of so many standard errors."""
    shared, noise = rng.uniform(0.1, 0.7, seeds), rng.normal(size=seeds)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    return shared + 0.01 * (noise + errors / np.sqrt(seeds)), shared


def _run(world: str, condition: str, seed: int, values: Mapping[str, float]) -> dict[str, Any]:
    by_class = {f"ap_{name}": float(value) for name, value in values.items()}
    also = {"ap": float(np.mean(list(values.values()))), "ap50": 0.9, "training_cpu_seconds": 10.0 + seed}
    return {"world": world, "condition": condition, "seed": seed + 1, "metrics": also | by_class}


def _classes(study: Mapping[str, Any], world: str) -> list[str]:
    metrics = next(one["metrics"] for one in study["runs"] if one["world"] == world)
    return sorted(key.removeprefix("ap_") for key in metrics if key.startswith("ap_"))


def judge_gains(gains: Any) -> str:
    """Judge `gains(study, world, condition, against)`: limits by class, and the classes whose limits lie above zero."""
    cases = _studies()
    for study, world, condition, against in cases:
        names = _classes(study, world)
        found = {
            name: difference_of(study, world=world, condition=condition, against=against, metric=f"ap_{name}")
            for name in names
        }
        limits, above = _read(called(gains, study, world, condition, against), names)
        due = np.array([(found[name].low, found[name].high) for name in names])
        where = f"in {world}, {condition} against {against}"
        if not np.allclose(limits, due, atol=1e-9):
            first = int(np.argmax(~np.isclose(limits, due, atol=1e-9).all(axis=1)))
            otherwise = NotYet(
                f"{where}, {names[first]} has [{limits[first, 0]:+.3f}, {limits[first, 1]:+.3f}]",
                "take one class alone: print its differences, their mean, and how far that mean may be off",
            )
            raise told_apart(close_to(limits), _limit_mistakes(study, world, condition, against), otherwise)
        if above != {name for name in names if found[name].low > 0}:
            otherwise = NotYet(f"{where}, {len(above)} classes are named", "which end of the interval decides?")
            raise told_apart(equal_to(above), _naming_mistakes(names, due), otherwise)
    return f"it agrees with the package in {len(cases)} comparisons, in generated studies and in the lesson's"


def _read(answer: Any, names: Sequence[str]) -> tuple[Numbers, set[str]]:
    """Return the limits in the order of the names, and the set of named classes."""
    try:
        limits, above = answer
    except (TypeError, ValueError):
        raise NotYet(
            f"a {type(answer).__name__} came back", "two things are asked for: limits by class, and a list of names"
        ) from None
    if not isinstance(limits, Mapping):
        raise NotYet(f"a {type(limits).__name__} holds the limits", "a dictionary is asked for: class, then two limits")
    if set(limits) != set(names):
        raise NotYet(
            f"the limits belong to {', '.join(sorted(map(str, limits))) or 'nothing'}",
            "one entry for each class of this world, under its name alone",
        )
    named = list(above) if isinstance(above, Iterable) and not isinstance(above, str) else [above]
    if isinstance(above, str) or any(one not in names for one in named):
        raise NotYet(f"the classes above zero are {above!r}", "a list of names of classes is asked for")
    pairs = [np.ravel(np.asarray(limits[name], dtype=object)).tolist() for name in names]
    return read_array(pairs, (len(names), 2), "the table of limits", hint="two limits for each class"), set(named)


def _limit_mistakes(study: Mapping[str, Any], world: str, condition: str, against: str) -> list[Mistake]:
    from scipy import stats

    metrics = [f"ap_{name}" for name in _classes(study, world)]

    def ordered(of: str) -> Numbers:
        return np.array([seed_values(study, world=world, condition=of, metric=one) for one in metrics])

    def as_stored(of: str) -> Numbers:
        runs = [one for one in study["runs"] if (one["world"], one["condition"]) == (world, of)]
        return np.array([[one["metrics"][metric] for one in runs] for metric in metrics])

    def t(share: float, freedom: int) -> float:
        return float(stats.t.ppf(share, freedom))

    first, second = ordered(condition), ordered(against)
    change, count, ends = first - second, first.shape[1], np.array([-1.0, 1.0])
    factor = t(0.975, count - 1)

    def about(values: Numbers, times: float = factor, *, ddof: int = 1, root: float = count**0.5) -> Numbers:
        error = values.std(axis=1, ddof=ddof, keepdims=True) / root
        return np.asarray(values.mean(axis=1, keepdims=True) + times * error * ends)

    def strangers(pooled: bool) -> Numbers:
        return np.stack(stats.ttest_ind(first, second, axis=1, equal_var=pooled).confidence_interval(0.95), axis=1)

    apart = about(first) - about(second)[:, ::-1]
    middle = change.mean(axis=1, keepdims=True)
    rough = np.sqrt((first.var(axis=1, ddof=1) + second.var(axis=1, ddof=1)) / count)[:, None]
    strange = "the runs are compared as if they were strangers"
    share = "what do two runs with the same seed share?"
    known = [
        *((limits, strange, share) for limits in (strangers(False), strangers(True), middle + factor * rough * ends)),
        (apart, "two single intervals are subtracted", f"subtract before anything is averaged: {share}"),
        (about(first), "that is an interval of one condition alone", "a difference is asked for"),
        (
            about(as_stored(condition) - as_stored(against)),
            "runs of different seeds are subtracted",
            "in which order do runs stand in the file, and which two are a pair?",
        ),
        (about(-change), "the sign is that of `against` minus `condition`", "a gain has to be positive"),
        (
            about(change, ddof=0),
            "the deviation is that of a whole population",
            "a few seeds stand for all others: what does `ddof` say?",
        ),
        (
            about(change, root=1.0),
            "the limits are those of single seeds",
            "a mean of several spreads less than one of them",
        ),
        (
            about(change, root=count),
            "the limits shrink too fast with the number of seeds",
            "is a mean over four times as many seeds four times as sure, or twice?",
        ),
        (about(change, 1.96), "the factor is that of many seeds", "how well do a few values know their own spread?"),
        (about(change, t(0.975, count)), "there is one degree of freedom too many", "the mean came from these values"),
        (
            about(change, t(0.975, 2 * count - 2)),
            "degrees of freedom are counted for both sides",
            "how many differences are there, and what was taken from them already?",
        ),
        (about(change, t(0.95, count - 1)), "the limits hold 90 %", "how much is left out at each end?"),
        (about(change, 1.0), "the limits are one standard error away", "in how many of 100 cases would that do?"),
        (100 * about(change), "the limits are in points of a hundred", "AP is from 0 to 1 here"),
    ]
    return [_mistake(*one) for one in known]


def _naming_mistakes(names: Sequence[str], limits: Numbers) -> list[Mistake]:
    low, high = limits.T
    known = [
        (low + high > 0, "a mean above zero is enough to be named", "may it be chance? What do the limits say?"),
        (
            (low > 0) | (high < 0),
            "losses are named as well",
            "an interval without zero has two sides on which it may lie",
        ),
        (high > 0, "classes whose best end is a gain are named", "and their worst end?"),
        (high < 0, "the losses are named", "gains are asked for"),
    ]
    return [_mistake({names[int(i)] for i in np.flatnonzero(chosen)}, *words) for chosen, *words in known]


EXERCISES = (
    Exercise(
        "09.1",
        "say how many steps fit into the time of another detector's",
        "two trainings of one detector differ by some steps and some seconds; what did each of them do once?",
        judge_steps_in_time,
    ),
    Exercise(
        "09.2",
        "compare two conditions by class, seed by seed",
        "take one class: its values of both conditions, seed by seed, and what is left when they are subtracted",
        judge_gains,
    ),
)
