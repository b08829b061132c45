"""What a cause is: where it acts, where it shows, and which changed settings of the reference would explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from oddemo.audit.settings import Settings
from oddemo.audit.stages import STAGES, stage_index
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError

if TYPE_CHECKING:
    from oddemo.audit.networks import OtherNetwork


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a fault may look at to propose hypotheses.

    Attributes:
        settings: The reference's settings, with the causes found so far taken on.
        reference: The reference's trace under these settings.
        candidate: The candidate's trace on the same pictures.
        networks: Other networks that the bench knows, most likely first.
        files: Files of the pictures.
    """

    settings: Settings
    reference: Trace
    candidate: Trace
    networks: tuple[OtherNetwork, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Hypothesis:
    """One way in which the candidate may differ.

    Attributes:
        fault: Id of the fault.
        settings: The reference's settings changed that way.
        claim: What the candidate does, completing "the candidate …".
        fix: What to change in the candidate, exactly.
        rank: When to try it: 0 at once; 1 if the network has to run again; 2 if another network has to be built, or if
            it would fit many causes. Once a rank holds an explanation, higher ones are not tried.
    """

    fault: str
    settings: Settings
    claim: str
    fix: str
    rank: int = 0


@dataclass(frozen=True)
class Fault:
    """A cause of different behaviour.

    Attributes:
        id: As in reports; part of the contract with users.
        stage: Where it acts.
        shows_at: The first stage at which it can be seen in a trace that shows all stages.
        shows_until: The last stage at which it can be seen first, where that depends on its form; else `shows_at`.
        title: A few words.
        symptom: What people see.
        cure: What to do, in general; a diagnosis gives the exact line.
        notebook: Where it is taught.
        propose: Hypotheses that fit the evidence, most likely first.
    """

    id: str
    stage: str
    shows_at: str
    title: str
    symptom: str
    cure: str
    notebook: str
    propose: Callable[[Evidence], Iterable[Hypothesis]] = field(repr=False)
    shows_until: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shows_until", self.shows_until or self.shows_at)
        stages = (self.stage, self.shows_at, self.shows_until)
        if not set(stages) <= set(STAGES):
            raise OddemoError(f"{self.id}: unknown stage.", expected=", ".join(STAGES), found=", ".join(stages))
        if not stage_index(self.stage) <= stage_index(self.shows_at) <= stage_index(self.shows_until):
            raise OddemoError(f"{self.id} cannot show at {self.shows_at}, before it acts at {self.stage}.")
