"""From the trials of the fault benchmark to its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from oddemo.audit.faults.registry import FAULTS
from oddemo.audit.plant.odapi import ODAPI_PLANTS
from oddemo.audit.plant.registry import PLANTS
from oddemo.audit.stages import STAGES, stage_index

#: Whether a pair is one of those on which the search was corrected.
BEFORE, AFTER = "before the correction", "after the correction"
#: Name of a plant → what comes with it.
_BRINGS = {plant.name: plant.brings for plant in (*PLANTS, *ODAPI_PLANTS)}


def summarise(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return summary, baselines under the same keys, confusion table and all trials."""
    by_kind = {kind: [trial for trial in trials if trial["kind"] == kind] for kind in ("single", "pair", "faithful")}
    strong = [trial for trial in by_kind["single"] if trial["detections_differ"]]
    weak = [trial for trial in by_kind["single"] if not trial["detections_differ"]]
    pairs = [trial for trial in by_kind["pair"] if trial["detections_differ"]]
    seen = [trial for trial in pairs if not masked(trial)]
    later = [trial for trial in seen if trial["ran"] == AFTER]
    summary = {
        "top1": rate([top(trial, 1) for trial in strong]),
        "top3": rate([top(trial, 3) for trial in strong]),
        "first_stage": rate([right_stage(trial) for trial in strong]),
        "pairs_whole": rate([whole(trial) for trial in seen]),
        "false_alarms": sum(trial["verdict"] in ("diverges", "unexplained") for trial in by_kind["faithful"]),
        "faithful_variations": len(by_kind["faithful"]),
        "fault_ids": len({trial["planted"][0] for trial in by_kind["single"]}),
        "registered_fault_ids": len(FAULTS),
        "detectors": len({trial["detector"] for trial in trials}),
        "singles": len(strong),
        "too_weak": len(weak),
        "too_weak_called_faithful_or_benign": sum(trial["verdict"] in ("faithful", "benign") for trial in weak),
        "pairs": len(seen),
        "pairs_after_correction": len(later),
        "pairs_whole_after_correction": rate([whole(trial) for trial in later]),
        "pairs_whole_with_what_comes_along": sum(whole(t) and proved(t) != set(t["planted"]) for t in seen),
        "pairs_masked": sum(masked(trial) for trial in pairs),
        "pairs_whole_with_masked": rate([whole(trial) for trial in pairs]),
        "held_out_singles": sum(trial["held_out"] for trial in strong),
        "held_out_top1": rate([top(trial, 1) for trial in strong if trial["held_out"]]),
        "seconds_median": median([trial["seconds"] for trial in strong]),
    }
    names = ("input_assertions", "final_outputs_allclose", "layers_allclose", "delta_map_alone")
    confusion = Counter(
        (trial["planted"][0], trial["causes"][0]["id"] if trial["causes"] else trial["verdict"]) for trial in strong
    )
    return {
        "summary": summary,
        "baselines": {name: baseline(name, strong, by_kind["faithful"]) for name in names},
        "confusion": [{"planted": a, "named": b, "count": count} for (a, b), count in sorted(confusion.items())],
        "trials": list(trials),
    }


def top(trial: dict[str, Any], count: int) -> bool:
    """Say whether the planted fault is among the first causes, the first of which must be verified."""
    named = [cause for cause in trial["causes"] if cause["verified"]][:1]
    if count > 1:
        named = trial["causes"][:count]
    return trial["planted"][0] in [cause["id"] for cause in named]


def right_stage(trial: dict[str, Any]) -> bool:
    """Say whether the first stage that differs is the first one seen at or after where the fault shows."""
    expected = stage_index(trial["shows_at"])
    seen = [stage for stage in STAGES if stage in trial["stages_seen"] and stage_index(stage) >= expected]
    return bool(seen) and trial["first_divergence"] == seen[0]


def whole(trial: dict[str, Any]) -> bool:
    """Say whether exactly the two planted faults are named and verified, and explain everything.

    What a plant cannot be without (`Plant.brings`) may be named as well: who reads with OpenCV decodes with it.
    """
    named, planted = proved(trial), set(trial["planted"])
    return planted <= named <= planted | brought(trial) and trial["verdict"] in ("diverges", "benign")


def proved(trial: dict[str, Any]) -> set[str]:
    """Return the ids of the verified causes of a trial."""
    return {cause["id"] for cause in trial["causes"] if cause["verified"]} - {"numeric_noise"}


def planted_in(trial: Mapping[str, Any]) -> list[str]:
    """Return the names of the plants of a trial, as its own name holds them."""
    return list(trial["name"].removeprefix(f"{trial['detector']} ").split(" + "))


def brought(trial: Mapping[str, Any]) -> set[str]:
    """Return the ids of faults that the plants of a trial cannot be without."""
    return {one for name in planted_in(trial) for one in _BRINGS.get(name, ())}


def masked(trial: dict[str, Any]) -> bool:
    """Say whether one of the two hides the other; see `benchmarks.masking`, which does not ask the audit.

    Where a restore in part finds nothing any more, nobody can see how boxes would have been suppressed. Such pairs are
    counted apart; a pair that was named whole has both faults proved, so none of them is hidden.
    """
    return bool(trial.get("hidden"))


def baseline(name: str, strong: Sequence[dict[str, Any]], faithful: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a baseline's figures under the same keys."""
    opinions = [(trial, trial["baselines"][name]) for trial in strong if name in trial["baselines"]]
    return {
        "detected": rate([opinion["alarm"] for _, opinion in opinions]),
        "top1": rate([t["planted"][0] in o["causes"][:1] for t, o in opinions]),
        "top3": rate([t["planted"][0] in o["causes"][:3] for t, o in opinions]),
        "first_stage": rate([t["first_divergence"] == o["stage"] and right_stage(t) for t, o in opinions]),
        "false_alarms": sum(t["baselines"][name]["alarm"] for t in faithful if name in t["baselines"]),
    }


def rate(answers: Sequence[bool]) -> float | None:
    """Return the part that is true, None of nothing."""
    return round(sum(answers) / len(answers), 4) if answers else None


def median(values: Sequence[float]) -> float | None:
    """Return the middle value, None of nothing."""
    return sorted(values)[len(values) // 2] if values else None


def as_text(summary: dict[str, Any]) -> str:
    """Return the summary, a line a figure."""
    return "\n".join(f"{name:>36}: {value}" for name, value in summary.items())
