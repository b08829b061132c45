"""What a study is: conditions that differ in one thing, worlds, seeds, and which condition is compared with which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from oddemo.errors import OddemoError

#: Names that become file names and keys.
_PLAIN = "letters, digits and underscores"
FEWEST_SEEDS = 2


class Trial(Protocol):
    """What one run does: a frozen dataclass of JSON values and of records like itself.

    Its fields, its code and what `prepare` returns must decide every number that `measure` returns.
    """

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Make what all runs in a world share, and return what decides their outcome beside fields and code."""
        ...

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Run once in a folder of its own, and return name → number."""
        ...


@dataclass(frozen=True)
class Condition:
    """One way of doing it.

    Attributes:
        name: Short name for files and keys.
        words: The same for people, for figures.
        trial: What is run.
        against: The condition that it is compared with, seed by seed; None for a reference.
    """

    name: str
    words: str
    trial: Trial
    against: str | None = None

    def __post_init__(self) -> None:
        _check_name("The condition's name", self.name)
        if not is_dataclass(self.trial):
            raise OddemoError(
                f"The trial of {self.name} cannot be kept by its content.",
                expected="a frozen dataclass",
                found=type(self.trial).__name__,
            )


@dataclass(frozen=True)
class Study:
    """A question and the runs that answer it.

    Attributes:
        name: Of its results file, `study_<name>.json`.
        question: What it asks, in one sentence.
        conditions: What is compared.
        worlds: Where.
        metrics: Numbers of every run that are compared, in the order of telling.
        seeds: How many runs of each condition in each world; seed 1 is the first.
        how: What a reader has to know of the set-up.
    """

    name: str
    question: str
    conditions: tuple[Condition, ...]
    worlds: tuple[str, ...]
    metrics: tuple[str, ...]
    seeds: int = 5
    how: str = ""

    def __post_init__(self) -> None:
        _check_name("The study's name", self.name)
        names = [condition.name for condition in self.conditions]
        if len(set(names)) < len(names) or not names or not self.worlds or not self.metrics:
            raise OddemoError(
                f"The study {self.name} is not possible.",
                expected="conditions of different names, at least one world and one metric",
                found=f"conditions {', '.join(names)}; {len(self.worlds)} worlds, {len(self.metrics)} metrics",
            )
        unknown = sorted({one.against for one in self.conditions if one.against is not None} - set(names))
        if unknown:
            raise OddemoError(
                f"The study {self.name} compares with a condition that it does not have.",
                expected=", ".join(names),
                found=", ".join(unknown),
            )
        if self.seeds < FEWEST_SEEDS:
            raise OddemoError(
                f"The study {self.name} has too few seeds.",
                expected=f"at least {FEWEST_SEEDS}: one run of each says nothing about chance",
                found=str(self.seeds),
            )


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a study.

    Attributes:
        world: Where.
        condition: What.
        seed: Which of the repetitions.
    """

    world: str
    condition: Condition
    seed: int

    def __str__(self) -> str:
        return f"{self.world}, {self.condition.name}, seed {self.seed}"


def runs_of(study: Study) -> tuple[Run, ...]:
    """Return every run, all conditions of the first seed first: what is there early can be compared already."""
    return tuple(
        Run(world, condition, seed)
        for seed in range(1, study.seeds + 1)
        for world in study.worlds
        for condition in study.conditions
    )


def as_json(value: Any) -> Any:
    """Return a record of records as JSON values, each with its type's name.

    Raises:
        OddemoError: If something in it is neither a record nor a JSON value.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"is": type(value).__name__}
        return kind | {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise OddemoError("A trial holds something without content.", expected="JSON values and records", found=repr(value))


def records_in(value: Any) -> tuple[Any, ...]:
    """Return a record and every record inside it."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = [record for field in fields(value) for record in records_in(getattr(value, field.name))]
        return (value, *inner)
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        return tuple(record for one in value for record in records_in(one))
    return ()


def _check_name(what: str, name: str) -> None:
    if not name.replace("_", "a").isalnum() or not name.isascii():
        raise OddemoError(f"{what} is not possible.", expected=_PLAIN, found=repr(name))
