"""From the fault benchmark's result to what one fault cost, form by form and detector by detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oddemo.audit.plant.odapi import ODAPI_PLANTS
from oddemo.audit.plant.registry import PLANTS

#: Detectors of the benchmark, in the order in which they are shown, and what they are.
DETECTORS = {
    "inspection": "ResNet-10 RetinaNet, drawn defects on metal",
    "wildlife": "ResNet-10 RetinaNet, drawn camera trap",
    "inspection_mobilenet": "MobileNetV2 RetinaNet, drawn defects on metal",
    "inspection_odapi": "SSD MobileNetV2 FPN of the Object Detection API, drawn defects on metal",
    "bccd": "ResNet-10 RetinaNet, BCCD: real microscope pictures",
}


@dataclass(frozen=True)
class Trial:
    """One planted fault in an export of one detector, and what came of it.

    Attributes:
        fault: Id of the fault.
        variant: Which form of it.
        detector: Name in `DETECTORS`.
        point: Change in mAP; nan where none was measured.
        low: Lower limit of the 95 % interval.
        high: Upper limit.
        first_stage: The first stage that differed, or a dash.
        named: Id of the first verified cause, or the verdict.
        claim: What the audit said that the candidate does; empty if it named nothing.
    """

    fault: str
    variant: str
    detector: str
    point: float
    low: float
    high: float
    first_stage: str
    named: str
    claim: str

    @property
    def change(self) -> str:
        """The change in mAP with its interval, in figures; neither of the two is broken by the end of a line."""
        if self.point != self.point:
            return "not measured"
        figures = f"{self.point:+.3f} [{self.low:+.3f},\N{NO-BREAK SPACE}{self.high:+.3f}]"
        return figures.replace("-", "\N{MINUS SIGN}")


def trials_of(results: dict[str, Any], fault_id: str) -> list[Trial]:
    """Return the trials in which a fault was planted alone, by detector and cost, the highest loss first.

    Args:
        results: `results/fault_benchmark.json`.
        fault_id: Id of the fault.
    """
    found = [
        _trial(trial) for trial in results["trials"] if trial["kind"] == "single" and trial["planted"] == [fault_id]
    ]
    order = list(DETECTORS)
    return sorted(found, key=lambda trial: (order.index(trial.detector), trial.point))


def worst(trials: Sequence[Trial], detector: str) -> Trial | None:
    """Return the trial that cost a detector most, or None if there is none with a measured change."""
    measured = [trial for trial in trials if trial.detector == detector and trial.point == trial.point]
    return min(measured, key=lambda trial: trial.point, default=None)


def story_of(fault_id: str, variant: str) -> str:
    """Return how a form of a fault is planted, in one sentence."""
    stories = {plant.name: plant.story for plant in PLANTS}
    stories.update({plant.name: plant.story for plant in ODAPI_PLANTS if plant.name not in stories})
    return stories.get(f"{fault_id}/{variant}", "")


def _trial(trial: dict[str, Any]) -> Trial:
    delta = trial["delta_map"] or dict.fromkeys(("point", "low", "high"), float("nan"))
    verified = [cause for cause in trial["causes"] if cause["verified"]]
    fault, _, variant = trial["name"].partition(" ")[2].partition("/")
    return Trial(
        fault=fault,
        variant=variant,
        detector=trial["detector"],
        point=delta["point"],
        low=delta["low"],
        high=delta["high"],
        first_stage=trial["first_divergence"] or "–",
        named=verified[0]["id"] if verified else trial["verdict"],
        claim=verified[0]["claim"] if verified else "",
    )
