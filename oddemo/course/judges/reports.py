"""Notebook 00: reading what an audit says, judged on the stored audits of notebook 14 and on made-up ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from oddemo.audit.stages import STAGES
from oddemo.course.answers import Mistake, called, equal_to, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import data_folder
from oddemo.files import read_json

Stages = list[dict[str, str]]


def _stored() -> dict[str, Any]:
    audits: dict[str, Any] = read_json(data_folder().parent / "results" / "odapi_story.json")["audits"]
    return audits


def _first(stages: Stages, *statuses: str) -> str | None:
    return next((one["stage"] for one in stages if one["status"] in statuses), None)


def judge_first_stage(first_stage: Any) -> str:
    """Judge `first_stage(stages)`, which returns the name of a stage, or None."""
    rng = np.random.default_rng(1)
    made = [
        [{"stage": stage, "status": str(rng.choice(["equal", "differs", "not_compared"]))} for stage in STAGES]
        for _ in range(20)
    ]
    reports: dict[str, Stages] = {name: audit["stages"] for name, audit in _stored().items()}
    reports |= {f"a made-up audit, number {number}": stages for number, stages in enumerate(made, 1)}
    for name, stages in reports.items():
        answer, due = called(first_stage, [dict(one) for one in stages], may_be_none=True), _first(stages, "differs")
        if answer is None and due is not None:
            raise NotYet(f"for {name} it finds nothing")
        if answer != due:
            otherwise = NotYet(f"for {name} it says {answer!r}", "print the status of its stages, one a line")
            raise told_apart(equal_to(answer), _stage_mistakes(stages), otherwise)
    return f"the first stage of {len(reports)} audits, and None for those without a difference"


def _stage_mistakes(stages: Stages) -> list[Mistake]:
    differing = [one["stage"] for one in stages if one["status"] == "differs"]
    return [
        Mistake(
            lambda: _first(stages, "differs", "not_compared"),
            "a stage is named that was not compared",
            "`not_compared` means that one side could not be seen there: nothing is said about it",
        ),
        Mistake(
            lambda: differing[-1] if differing else "",
            "the last stage that differs is named",
            "a difference is handed on; where does it begin?",
        ),
        Mistake(
            lambda: _first(stages, "equal"),
            "a stage that is equal is named",
            "which of the three statuses is asked for?",
        ),
        Mistake(
            lambda: STAGES.index(differing[0]) if differing else "",
            "a number came instead of a name",
            "which key of the entry holds the name?",
        ),
    ]


def judge_cost(told: Any) -> str:
    """Judge `told(delta_map)`, which returns "loss", "gain" or "cannot tell"."""
    rng = np.random.default_rng(2)
    made = []
    for shift in (-0.2, -0.05, 0.0, 0.05, 0.2):
        low, point, high = np.sort(rng.normal(shift, 0.1, 3)).tolist()
        made.append({"low": low, "point": point, "high": high, "images": 24})
    made += [{"low": -0.1, "point": -0.04, "high": 0.0, "images": 24}, {"low": 0.0, "point": 0.02, "high": 0.1}]
    made += [{"low": -0.09, "point": -0.04, "high": 0.01}, {"low": -0.3, "point": -0.2, "high": -0.1}]
    made += [{"low": 0.1, "point": 0.2, "high": 0.3}, {"low": -0.02, "point": 0.04, "high": 0.09}]
    changes = [audit["delta_map"] for audit in _stored().values()] + made
    for change in changes:
        answer = called(told, dict(change))
        due = "loss" if change["high"] < 0 else "gain" if change["low"] > 0 else "cannot tell"
        if answer == due:
            continue
        span = f"{change['point']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]"
        if answer not in ("loss", "gain", "cannot tell"):
            raise NotYet(f"for {span} it says {answer!r}", "three words are asked for, spelt as in the text")
        if due == "cannot tell":
            hint = "the point alone proves nothing: which value of the change must the interval leave out?"
        else:
            hint = (
                "candidate minus reference: what is the sign of a change for the worse, and does the interval hold 0?"
            )
        raise NotYet(f"{span} is called {answer!r}", hint)
    return f"{len(changes)} intervals read rightly, those that touch 0 included"


EXERCISES = (
    Exercise(
        "00.1",
        "name the first stage that differs",
        "print `stages` of one audit: which keys has an entry, and in which order do the stages come?",
        judge_first_stage,
    ),
    Exercise(
        "00.2",
        "say whether a change in mAP is proved",
        "where must an interval lie so that even its best end is a loss?",
        judge_cost,
    ),
)
