"""What can be turned, and what is seen at each position; nothing here knows a widget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oddemo.errors import OddemoError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Slider:
    """A number in a range.

    Attributes:
        name: Words beside it.
        low: Lowest value.
        high: Highest value.
        step: Distance of one position to the next.
        start: Where it stands at first.
    """

    name: str
    low: float
    high: float
    step: float
    start: float

    def __post_init__(self) -> None:
        positions = (self.start - self.low) / self.step
        if not self.low <= self.start <= self.high or not math.isclose(positions, round(positions), abs_tol=1e-6):
            raise OddemoError(
                f"The slider {self.name!r} cannot start there.",
                expected=f"one of its positions from {self.low} to {self.high}",
                found=str(self.start),
            )


@dataclass(frozen=True)
class Choice:
    """One of several things, by name; the first one at first.

    Attributes:
        name: Words beside it.
        options: Name → what is chosen by it.
    """

    name: str
    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.options:
            raise OddemoError(f"There is nothing to choose for {self.name!r}.", expected="at least one option")

    @property
    def start(self) -> Any:
        """What is chosen at first."""
        return next(iter(self.options.values()))


Knob = Slider | Choice
#: Key of each knob → its value.
Positions = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class View:
    """What is seen at one position of the knobs.

    Attributes:
        text: The numbers, in lines.
        figure: The picture of them; who shows it closes it.
        alt: What a person sees in it.
    """

    text: str
    figure: Figure
    alt: str


#: Given the positions, works out what is seen.
Look = Callable[[Positions], View]


def at_start(knobs: Mapping[str, Knob]) -> dict[str, Any]:
    """Return where every knob stands at first."""
    return {key: knob.start for key, knob in knobs.items()}
