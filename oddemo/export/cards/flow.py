"""What an artefact computes as one flat flow of operations, the same for a SavedModel's graph and a TFLite model.

Operations carry TensorFlow's names in both, so that one reader of facts serves both.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from oddemo.errors import OddemoError
from oddemo.export.cards.tensors import Value

#: Operations in one expanded signature, and how deep calls may nest.
MAX_STEPS, MAX_CALLS = 100_000, 64

LOOPS = ("While", "StatelessWhile")

#: `(index of a step, which of its outputs)`; the index is -1 where nothing is known.
Source = tuple[int, int]
Shape = tuple[int | None, ...]

#: Where a value is made, as a kind of artefact tells it.
Place = TypeVar("Place")


class Attributes(Protocol):
    """What is set on one operation when the graph is built."""

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes or no."""
        ...

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        ...

    def number(self, name: str) -> float | None:
        """Return a number, None if it is not set."""
        ...

    def text(self, name: str) -> str:
        """Return a string, empty if it is not set."""
        ...

    def dtype(self, name: str) -> str:
        """Return the name of a dtype."""
        ...

    def constant(self) -> Value | None:
        """Return the value of a Const, None if it is large or of strings."""
        ...

    def largest_centre(self) -> float | None:
        """Return the largest centre among constant anchors (y, x, height, width), None for anything else."""
        ...

    def shape(self, output: int) -> Shape | None:
        """Return the static shape of an output, None if none is noted."""
        ...


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of the flow.

    Attributes:
        op: Type of the operation, as TensorFlow names it.
        name: Where it stands, for people.
        node: Its own name, which holds the name scopes.
        scope: The function body or subgraph that it lies in.
        output: For a loop or a condition, which of its outputs this is; else 0.
        inputs: Where each input comes from, in order.
        attributes: What is set on it.
    """

    op: str
    name: str
    node: str
    scope: object
    output: int
    inputs: tuple[Source, ...]
    attributes: Attributes

    def shape(self, output: int = 0) -> Shape | None:
        """Return the static shape of an output, None if none is noted."""
        return self.attributes.shape(self.output or output)


class Flow(Generic[Place]):
    """Steps in an order in which inputs come first.

    Attributes:
        steps: All of them.
        outputs: Output name → where it comes from.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.outputs: dict[str, Source] = {}
        self._index: dict[Hashable, int] = {}
        self._places: dict[int, Place] = {}

    def _key(self, place: Place) -> Hashable:
        """Return what tells places apart."""
        raise NotImplementedError

    def _port(self, place: Place) -> int:
        """Return which output of its operation a place is."""
        raise NotImplementedError

    def _sources(self, place: Place) -> list[Place | None]:
        """Return where an operation's inputs come from; a loop's: what its body returns, and what it starts from."""
        raise NotImplementedError

    def _step(self, place: Place, inputs: tuple[Source, ...]) -> Step:
        """Return the step at a place."""
        raise NotImplementedError

    def _place(self, step: Step) -> Place:
        return self._places[id(step)]

    def _expand(self, goal: Place) -> Source:
        """Add the step at `goal` and everything that it depends on; return where it is."""
        stack: list[tuple[Place, list[Place | None] | None]] = [(goal, None)]
        opened: set[Hashable] = set()
        while stack:
            place, sources = stack.pop()
            key = self._key(place)
            if key in self._index:
                continue
            if sources is not None:
                step = self._step(place, tuple(self._source(source) for source in sources))
                self._index[key] = len(self.steps)  # only now: an operation that feeds itself has no source
                self._places[id(step)] = place
                self.steps.append(step)
                continue
            sources = self._sources(place)
            opened.add(key)
            stack.append((place, sources))
            for source in sources:
                if source is not None:
                    inner = self._key(source)
                    if inner not in self._index and inner not in opened:
                        stack.append((source, None))
            if len(self.steps) + len(stack) > MAX_STEPS:
                raise _too_large()
        return self._source(goal)

    def _source(self, place: Place | None) -> Source:
        return (-1, 0) if place is None else (self._index.get(self._key(place), -1), self._port(place))

    def reachable(self, start: int) -> list[int]:
        """Return the steps that `start` depends on, nearest first, itself included."""
        seen, order = {start}, [start]
        for index in order:
            for source, _ in self.steps[index].inputs:
                if source >= 0 and source not in seen:
                    seen.add(source)
                    order.append(source)
        return order

    def inner_loops(self, step: Step) -> int:
        """Return how many loops stand in a loop's body."""
        raise NotImplementedError

    def loop_limit(self, step: Step) -> int | None:
        """Return the constant that a loop's condition compares a minimum with, None if there is not exactly one."""
        raise NotImplementedError

    def loop_threshold(self, step: Step) -> float | None:
        """Return the constant that a loop's body compares by "at least", None if there is not exactly one."""
        raise NotImplementedError

    def implementation(self, step: Step) -> Attributes:
        """Return the attributes of the operation that a step stands for."""
        return step.attributes


def _too_large() -> OddemoError:
    """Return the error for a graph that grows without end."""
    return OddemoError(
        "The graph grows too large when its functions are followed.",
        expected=f"at most {MAX_STEPS} operations",
        do="check where the file comes from",
    )


def nested_too_deep(name: str) -> OddemoError:
    """Return the error for functions that call each other without end."""
    return OddemoError(
        "The graph's functions call each other without end.",
        expected=f"at most {MAX_CALLS} nested calls",
        found=f"function {name!r}",
        do="check where the file comes from",
    )


#: A flow of any kind of artefact.
AnyFlow = Flow[Any]
