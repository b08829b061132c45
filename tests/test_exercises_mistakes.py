"""Wrong answers are told what is wrong about them, and never the right answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import wrong_answers_boxes
import wrong_answers_data
import wrong_answers_files
import wrong_answers_studies
from wrong_answers_boxes import columns, greedy

from oddemo.course.checking import check, judged, outcomes, tally
from oddemo.course.exercise import Exercise, Outcome
from oddemo.course.judges import suppression
from oddemo.course.registry import EXERCISES
from oddemo.errors import OddemoError

MISTAKES = [
    *wrong_answers_boxes.MISTAKES,
    *wrong_answers_data.MISTAKES,
    *wrong_answers_files.MISTAKES,
    *wrong_answers_studies.MISTAKES,
]


@pytest.mark.parametrize(("exercise", "answer", "said"), MISTAKES, ids=[f"{one[0]} {one[2]}" for one in MISTAKES])
def test_a_typical_mistake_is_recognised(exercise: str, answer: Any, said: str) -> None:
    outcome = judged(EXERCISES[exercise], answer)
    assert not outcome.right
    assert said in outcome.found
    assert len(outcome.hint) > 10


def test_no_two_mistakes_of_an_exercise_are_told_the_same() -> None:
    rows = [(exercise, said) for exercise, _, said in MISTAKES]
    assert len(set(rows)) == len(rows)


def test_every_exercise_has_mistakes_that_it_knows() -> None:
    # Those of the serving function are scripts, and stand in test_exercises_serving.py.
    assert {exercise for exercise, _, _ in MISTAKES} == set(EXERCISES) - {"15.1"}


@pytest.mark.parametrize(
    ("exercise", "words"),
    [
        ("08.2", [f"{wrong_answers_files.spread('bccd'):.1f}"]),
        ("11.1", ["birch", "dogwood"]),
        ("13.1", ["2.12.1", "2.15.1"]),
    ],
)
def test_what_is_said_about_a_wrong_value_does_not_hold_the_right_one(exercise: str, words: list[str]) -> None:
    said = [str(judged(EXERCISES[exercise], answer)) for one, answer, _ in MISTAKES if one == exercise]
    said += [EXERCISES[exercise].first_step, EXERCISES[exercise].asks]
    assert len(said) > 5
    assert [text for text in said for word in words if word in text] == []


def test_check_prints_and_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    check("06.1", columns("y0", "x0", "y1", "x1"))
    assert not outcomes()["06.1"].right
    check("06.1", columns("y0", "w-x1", "y1", "w-x0"))
    assert outcomes()["06.1"].right
    check("06.2", ...)
    tally("06")
    first, second, third, *rest = capsys.readouterr().out.splitlines()
    assert first == "not yet: the boxes have not moved – hint: the picture did; draw both on paper"
    assert second.startswith("right: 18 boxes")
    assert third.startswith("not yet: there is no answer yet – hint: ")
    assert rest == ["1 of 2 right", "  open: 06.2 turn boxes with their picture"]


def test_what_a_function_raises_is_told_with_its_line() -> None:
    def flip_boxes(boxes: Any, width: Any) -> Any:
        return boxes / {}

    outcome = judged(EXERCISES["06.1"], flip_boxes)
    assert outcome.found.startswith("flip_boxes raised TypeError: unsupported operand")
    assert f"(line {flip_boxes.__code__.co_firstlineno + 1} of its cell)" in outcome.found


def test_unknown_names_are_refused() -> None:
    with pytest.raises(OddemoError, match=r"06\.1"):
        check("99.1", 1)
    with pytest.raises(OddemoError, match="06, "):
        tally("99")
    with pytest.raises(OddemoError, match=r"06\.1"):
        Exercise("6", "asks", "begin", str)
    with pytest.raises(OddemoError, match="says too little"):
        Exercise("06.1", "", "begin", str)
    with pytest.raises(OddemoError, match="has a hint"):
        Outcome("06.1", False, "wrong")


def test_the_crowds_tell_the_ways_of_suppression_apart() -> None:
    """In the judge's kind of boxes no known mistake keeps what another one keeps, so none hides behind another."""
    rng = np.random.default_rng(3)
    crowds = [suppression.crowded(rng) for _ in range(5)]
    ways = [greedy(), greedy(classes=False), greedy(order="given"), greedy(order="weak"), greedy(gone_too=True)]
    kept = [tuple(frozenset(way(*crowd, 0.5)) for crowd in crowds) for way in ways]
    assert len(set(kept)) == len(kept)
