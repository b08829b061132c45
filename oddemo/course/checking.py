"""Checking answers: one line for each, and a memory of the last one."""

from __future__ import annotations

from typing import Any

from oddemo.course.exercise import Exercise, NotYet, Outcome
from oddemo.course.registry import EXERCISES
from oddemo.errors import OddemoError

_REMEMBERED: dict[str, Outcome] = {}


def check(exercise_id: str, answer: Any) -> None:
    """Print whether an answer is right, and a hint if it is not; remember it for `tally`.

    Args:
        exercise_id: Such as `06.1`.
        answer: A value, or the function that was asked for, without parentheses.

    Raises:
        OddemoError: If there is no such exercise.
    """
    exercise = EXERCISES.get(exercise_id)
    if exercise is None:
        raise OddemoError("There is no such exercise.", expected=", ".join(EXERCISES), found=repr(exercise_id))
    outcome = judged(exercise, answer)
    _REMEMBERED[exercise_id] = outcome
    print(outcome)


def judged(exercise: Exercise, answer: Any) -> Outcome:
    """Return what comes of an answer; nothing is printed or remembered."""
    try:
        if answer is ... or answer is None:
            raise NotYet("there is no answer yet")
        return Outcome(exercise.id, True, exercise.judge(answer))
    except NotYet as wrong:
        return Outcome(exercise.id, False, wrong.found, wrong.hint or exercise.first_step)


def outcomes() -> dict[str, Outcome]:
    """Return the last outcome of each exercise that was checked since the start."""
    return dict(_REMEMBERED)


def tally(lesson: str) -> None:
    """Print how many exercises of a notebook are right so far, and which are open.

    Args:
        lesson: Number of the notebook, such as `06`.

    Raises:
        OddemoError: If it has no exercises.
    """
    mine = [exercise for exercise in EXERCISES.values() if exercise.lesson == lesson]
    if not mine:
        known = sorted({exercise.lesson for exercise in EXERCISES.values()})
        raise OddemoError("There are no exercises of this number.", expected=", ".join(known), found=repr(lesson))
    still = [one for one in mine if one.id not in _REMEMBERED or not _REMEMBERED[one.id].right]
    print(f"{len(mine) - len(still)} of {len(mine)} right")
    for exercise in still:
        print(f"  open: {exercise.id} {exercise.asks}")
