"""The result of an audit: its verdict, causes, the change in mAP, and the JSON that other programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from oddemo.audit.compare import Comparison
from oddemo.audit.diagnose import Cause
from oddemo.audit.images import ImageSet
from oddemo.audit.trace import Trace
from oddemo.audit.weak_spots import WeakSpots
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError
from oddemo.metrics.errors import ErrorComparison

#: `faithful`: equal within tolerance. `benign`: differs, with no effect on mAP beyond the interval.
#: `diverges`: differs, causes named. `unexplained`: differs, and no probe removes it.
VERDICTS = ("faithful", "benign", "diverges", "unexplained")
#: A loss of mAP below this is called negligible.
NEGLIGIBLE_MAP = 0.01
#: Exit status of the command line for each verdict.
EXIT_STATUS: Mapping[str, int] = {"faithful": 0, "benign": 0, "diverges": 1, "unexplained": 1}


@dataclass(frozen=True)
class DeltaMap:
    """Change in mAP from the reference to the candidate, with its paired bootstrap interval.

    Attributes:
        point: Candidate minus reference, in [-1, 1].
        low: Lower end of the 95 % interval.
        high: Upper end.
        images: Number of pictures.
        reference: mAP of the reference.
        candidate: mAP of the candidate.
    """

    point: float
    low: float
    high: float
    images: int
    reference: float
    candidate: float


@dataclass(frozen=True, eq=False)
class Material:
    """What an audit was made from, for reports with pictures.

    Attributes:
        pictures: What both sources ran on.
        reference: Trace of the reference.
        candidate: Trace of the candidate.
        cured: Trace of the reference with the verified causes taken on; None if nothing was diagnosed.
        truth: True boxes of these pictures, in their order, if they were given.
    """

    pictures: ImageSet
    reference: Trace
    candidate: Trace
    cured: Trace | None = None
    truth: Dataset | None = None


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes:
        reference: Source, `kind:place`.
        candidate: Source, `kind:place`.
        verdict: One of `VERDICTS`.
        comparison: Stage by stage, as it is.
        causes: Verified ones in pipeline order, then at most one that is only suspected.
        after: Stage by stage, with the verified causes taken on by the reference; None if nothing differed.
        delta_map: None where no true boxes were given.
        errors: Where something differs and there are true boxes: which kinds of mistakes changed.
        weak_spots: Where nothing differs and there are true boxes: where the reference itself is weak.
        contract: Differences between the contract cards, and notes.
        notes: What could not be done, in sentences.
        provenance: Versions, command, date.
        seconds: Wall time of the parts.
        material: Pictures and traces, not part of the JSON.
    """

    reference: str
    candidate: str
    verdict: str
    comparison: Comparison
    causes: tuple[Cause, ...]
    after: Comparison | None
    delta_map: DeltaMap | None = None
    errors: ErrorComparison | None = None
    weak_spots: WeakSpots | None = None
    contract: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    material: Material | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise OddemoError(f"{self.verdict!r} is not a verdict.", expected=", ".join(VERDICTS))

    @property
    def exit_status(self) -> int:
        """0 if faithful or benign, 1 if it diverges or is unexplained."""
        return EXIT_STATUS[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; the keys are a contract with users (see `docs/audit_json.md`)."""
        return {
            "verdict": self.verdict,
            "first_divergence": self.comparison.first_divergence,
            "causes": [asdict(cause) for cause in self.causes],
            "delta_map": None if self.delta_map is None else asdict(self.delta_map),
            "errors": None if self.errors is None else self.errors.as_dict(),
            "weak_spots": None if self.weak_spots is None else self.weak_spots.to_json(),
            "stages": self.comparison.to_json(),
            "stages_after": None if self.after is None else self.after.to_json(),
            "contract": dict(self.contract),
            "notes": list(self.notes),
            "reference": self.reference,
            "candidate": self.candidate,
            "images": self.comparison.images,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "provenance": dict(self.provenance),
        }


def verdict_of(comparison: Comparison, causes: Sequence[Cause], *, explained: bool, delta_map: DeltaMap | None) -> str:
    """Return the verdict that the evidence supports.

    `benign` needs proof: an interval of the change in mAP that holds 0 and is narrow enough to rule out a loss of more
    than one point. A difference that touches no detection needs none.

    Args:
        comparison: The comparison as it is.
        causes: What was found.
        explained: Whether verified causes remove every difference.
        delta_map: The change in mAP, if true boxes were given.
    """
    if comparison.first_divergence is None:
        return "faithful"
    if all(comparison.stage(stage).status == "equal" for stage in ("detections", "labels")):
        return "benign"
    if explained and all(cause.id == "numeric_noise" for cause in causes):
        return "benign"
    if delta_map is not None and delta_map.low <= 0.0 <= delta_map.high and delta_map.low > -NEGLIGIBLE_MAP:
        return "benign"
    return "diverges" if explained else "unexplained"
