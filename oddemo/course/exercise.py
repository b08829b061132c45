"""The records of an exercise and of what came of an answer to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oddemo.errors import OddemoError


class NotYet(Exception):  # noqa: N818 (an answer that is not right yet is no error)
    """Raised by a judge whose exercise is not solved by the answer.

    Args:
        found: What the answer does, in a clause.
        hint: Where to look; it never holds the answer. None: the exercise's first step.
    """

    def __init__(self, found: str, hint: str | None = None) -> None:
        self.found, self.hint = found, hint
        super().__init__(found)


#: Takes an answer and says what is right about it, or raises `NotYet`.
Judge = Callable[[Any], str]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: Number of the notebook, a point, number of the exercise in it: `06.1`.
        asks: What the learner does, as `to …` would go on.
        first_step: The hint for somebody who has no answer yet.
        judge: Works the right answer out by itself and compares.
    """

    id: str
    asks: str
    first_step: str
    judge: Judge

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d\.[1-9]", self.id):
            raise OddemoError("The id of an exercise is not possible.", expected="such as 06.1", found=repr(self.id))
        if not self.asks or not self.first_step:
            raise OddemoError(f"Exercise {self.id} says too little.", expected="what it asks, and a first step")

    @property
    def lesson(self) -> str:
        """The number of the notebook that it belongs to, such as `06`."""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Outcome:
    """What came of one answer.

    Attributes:
        exercise: Id of the exercise.
        right: Whether it is solved.
        found: What the answer does.
        hint: Where to look next; empty if it is right.
    """

    exercise: str
    right: bool
    found: str
    hint: str = ""

    def __post_init__(self) -> None:
        if self.right == bool(self.hint):
            raise OddemoError("A wrong answer has a hint, and a right one has none.", found=repr(self.hint))

    def __str__(self) -> str:
        return f"right: {self.found}" if self.right else f"not yet: {self.found} – hint: {self.hint}"
