"""What is predicted for an artefact in a runtime, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.loading.target import Target

LOADS, CHANGES, UNKNOWN, FAILS = "loads", "changes", "unknown", "fails"
#: From harmless to worst: several reasons together give the worst of them.
OUTCOMES = (LOADS, CHANGES, UNKNOWN, FAILS)


@dataclass(frozen=True)
class Reason:
    """One thing in an artefact that a runtime does not take as it was meant.

    Attributes:
        rule: Its name, such as `op_not_registered`.
        outcome: What follows from it: `changes`, `fails` or `unknown`.
        text: In words.
        found_at: Where in the artefact.
    """

    rule: str
    outcome: str
    text: str
    found_at: str | None = None

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES[1:]:
            raise OddemoError("A reason has no such outcome.", expected=", ".join(OUTCOMES[1:]), found=self.outcome)

    def to_json(self) -> dict[str, Any]:
        """Return the reason as JSON values."""
        return dict(self.__dict__)


def worst(outcomes: Iterable[str]) -> str:
    """Return the worst of some outcomes; `loads` if there are none."""
    return max(outcomes, key=OUTCOMES.index, default=LOADS)


@dataclass(frozen=True)
class Reading:
    """One way to read an artefact.

    Attributes:
        how: The call, as one writes it.
        reasons: Why it does not simply load; empty if it does.
        meant: Whether this call is for such a file in any runtime. That it refuses another is no fault of the file.
    """

    how: str
    reasons: tuple[Reason, ...] = ()
    meant: bool = True

    @property
    def outcome(self) -> str:
        """`loads` (and gives the same), `changes` (no error, something else comes out), `unknown`, or `fails`."""
        return worst(reason.outcome for reason in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        return {"how": self.how, "outcome": self.outcome, "reasons": [reason.to_json() for reason in self.reasons]}


@dataclass(frozen=True)
class Prediction:
    """What becomes of an artefact in a runtime.

    Attributes:
        path: Of the artefact.
        kind: Of the artefact, as on its card.
        target: The runtime.
        readings: Ways to read it, the ordinary one first.
        notes: What else a reader should know.
    """

    path: str
    kind: str
    target: Target
    readings: tuple[Reading, ...]
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """That of the ordinary way to read it."""
        return self.readings[0].outcome

    def to_json(self) -> dict[str, Any]:
        """Return the prediction as JSON values."""
        return {
            "prediction_format": 1,
            "path": self.path,
            "kind": self.kind,
            "target": self.target.to_json(),
            "outcome": self.outcome,
            "readings": [reading.to_json() for reading in self.readings],
            "notes": list(self.notes),
        }
