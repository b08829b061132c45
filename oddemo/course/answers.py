"""Taking a learner's answer: calling functions, reading numbers and arrays, recognising a mistake by what it gives."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.course.exercise import NotYet


def called(function: Any, *arguments: Any, may_be_none: bool = False) -> Any:
    """Return what a learner's function gives; what goes wrong in it is told, not raised.

    Args:
        function: The answer.
        *arguments: What it is called with; arrays are copied first.
        may_be_none: None is an answer like any other.

    Raises:
        NotYet: If it is no function, raises, returns nothing, or changes an array that it was given.
    """
    if not callable(function):
        raise NotYet(f"a {type(function).__name__} came instead of a function", "hand over its name, without ()")
    name = getattr(function, "__name__", "the function")
    given = [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
    try:
        answer = function(*given)
    except Exception as error:  # whatever a learner's code raises is told in one line
        said = f"{name} raised {type(error).__name__}: {str(error).strip() or 'no message'}{_line_of(error)}"
        raise NotYet(said, "call it by yourself with something small, and print what it holds there") from error
    if answer is ... or (answer is None and not may_be_none):
        raise NotYet(f"{name} returns nothing yet")
    for before, after in zip(arguments, given, strict=True):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
            raise NotYet(f"{name} changes the array that it is given", "work on a copy: the caller still needs it")
    return answer


def _line_of(error: Exception) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return f" (line {frames[0].lineno} of its cell)" if frames and frames[0].lineno else ""


def read_number(answer: Any, what: str) -> float:
    """Return an answer as a float.

    Raises:
        NotYet: If it is not one finite number.
    """
    value = answer.item() if isinstance(answer, (np.ndarray, np.generic)) and np.size(answer) == 1 else answer
    if isinstance(value, bool) or not isinstance(value, Real):
        raise NotYet(f"{what} is a {type(answer).__name__}", "one plain number is asked for")
    if not math.isfinite(value):
        raise NotYet(f"{what} is {float(value)}", "what was divided, and was there anything to divide by?")
    return float(value)


def read_array(answer: Any, shape: tuple[int, ...], what: str, *, hint: str | None = None) -> NDArray[np.float64]:
    """Return an answer as an array of floats.

    Args:
        answer: Anything.
        shape: The shape that is due.
        what: What it is called in the message.
        hint: For another shape.

    Raises:
        NotYet: If it cannot be read, has another shape, or holds something that is no finite number.
    """
    try:
        array = np.asarray(answer, np.float64)
    except (TypeError, ValueError):
        raise NotYet(f"{what} is a {type(answer).__name__}", "an array of numbers is asked for") from None
    if array.shape != shape:
        found = " × ".join(map(str, array.shape)) or "a single number"
        raise NotYet(f"{what} has the shape {found}", hint or f"{' × '.join(map(str, shape))} are asked for")
    if not np.isfinite(array).all():
        raise NotYet(f"{what} holds numbers that are not finite", "what was divided by 0?")
    return array


def equal_to(answer: Any) -> Callable[[Any], bool]:
    """Return what tells whether a mistake gives exactly this answer."""
    return lambda made: bool(made == answer)


def close_to(answer: NDArray[np.float64], *, absolute: float = 1e-8) -> Callable[[Any], bool]:
    """Return what tells whether a mistake gives this answer, up to rounding."""
    return lambda made: np.shape(made) == answer.shape and bool(np.allclose(answer, made, atol=absolute))


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make here, known by what it gives.

    Attributes:
        gives: Makes the wrong answer, for comparison.
        found: What the answer does, in a clause.
        hint: Where to look; it never holds the answer.
    """

    gives: Callable[[], Any]
    found: str
    hint: str


def told_apart(is_it: Callable[[Any], bool], mistakes: Iterable[Mistake], otherwise: NotYet) -> NotYet:
    """Return the `NotYet` of the first mistake that gives what the answer is, else the general one."""
    for mistake in mistakes:
        if is_it(mistake.gives()):
            return NotYet(mistake.found, mistake.hint)
    return otherwise
