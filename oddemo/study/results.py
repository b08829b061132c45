"""The results file of a study: comparisons, levels, every run, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.study.design import Study, as_json
from oddemo.study.engine import FinishedRun
from oddemo.study.paired import MeanInterval, holm, mean_interval, paired_difference

#: A difference is told from this corrected p value down.
SIGNIFICANT = 0.05
_HOW = (
    "comparisons: mean over seeds of the condition's value minus that of `against` with the same seed, 95 % limits by "
    "Student's t; points: the same in points of a hundred; p_holm: Holm's correction over the comparisons of one world "
    "and metric. levels: mean over seeds of the value itself, with 95 % limits."
)


def study_result(study: Study, runs: Sequence[FinishedRun], provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the results file.

    Args:
        study: The study.
        runs: All its runs, in its order.
        provenance: Of the numbers.
    """
    conditions = [
        {"name": one.name, "words": one.words, "against": one.against, "trial": as_json(one.trial)}
        for one in study.conditions
    ]
    return {
        "study": study.name,
        "question": study.question,
        "how": " ".join(part for part in (study.how, _HOW) if part),
        "worlds": list(study.worlds),
        "metrics": list(study.metrics),
        "conditions": conditions,
        "comparisons": [one for world in study.worlds for one in comparisons(study, runs, world)],
        "levels": [one for world in study.worlds for one in levels(study, runs, world)],
        "runs": [
            {"world": one.run.world, "condition": one.run.condition.name, "seed": one.run.seed}
            | {"metrics": dict(one.metrics), "key": one.key}
            for one in runs
        ],
        "provenance": dict(provenance),
    }


def comparisons(study: Study, runs: Sequence[FinishedRun], world: str) -> Iterator[dict[str, Any]]:
    """Yield the paired comparisons of one world: all conditions of the first metric, then of the next."""
    seeds = list(range(1, study.seeds + 1))
    compared = [one for one in study.conditions if one.against is not None]
    for metric in study.metrics:
        found = [
            paired_difference(values(runs, world, one.name, metric), values(runs, world, str(one.against), metric))
            for one in compared
        ]
        corrected = holm([one.p_value for one in found])
        for condition, one, p_holm in zip(compared, found, corrected, strict=True):
            yield {
                "name": condition.name,
                "against": condition.against,
                "world": world,
                "metric": metric,
                **_limits(one),
                "points": round(100 * one.point, 2),
                "p": one.p_value,
                "p_holm": p_holm,
                "seeds": seeds,
            }


def levels(study: Study, runs: Sequence[FinishedRun], world: str) -> Iterator[dict[str, Any]]:
    """Yield each condition's own mean in one world, for every number that all its runs have."""
    for condition in study.conditions:
        mine = [one.metrics for one in runs if (one.run.world, one.run.condition.name) == (world, condition.name)]
        for metric in [name for name in mine[0] if all(name in one for one in mine)]:
            value = mean_interval([one[metric] for one in mine])
            yield {"condition": condition.name, "world": world, "metric": metric, **_limits(value)}


def values(runs: Sequence[FinishedRun], world: str, condition: str, metric: str) -> list[float]:
    """Return one metric of a condition's runs in one world, seed by seed."""
    return [float(one.metrics[metric]) for one in runs if (one.run.world, one.run.condition.name) == (world, condition)]


def stored_comparisons(path: Path) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Return (name, world, metric) → comparison of a results file; nothing if there is none."""
    if not Path(path).is_file():
        return {}
    content = read_json(path)
    return {(one["name"], one["world"], one["metric"]): one for one in content.get("comparisons", ())}


def stored_study(name: str) -> dict[str, Any]:
    """Return the results file of a study that comes with the repository.

    Raises:
        OddemoError: If there is none.
    """
    return dict(read_json(data_folder().parent / "results" / f"study_{name}.json"))


def intervals(stored: Mapping[str, Any], *, world: str, metric: str) -> dict[str, MeanInterval]:
    """Return what conditions change in one world, for figures: the condition's words → difference.

    Args:
        stored: Content of a results file.
        world: One of its worlds.
        metric: One of its metrics.

    Raises:
        OddemoError: If the study holds no such comparison.
    """
    words = {one["name"]: one["words"] for one in stored["conditions"]}
    found = {
        words[one["name"]]: MeanInterval(one["point"], one["low"], one["high"], one["p"], len(one["seeds"]))
        for one in stored["comparisons"]
        if (one["world"], one["metric"]) == (world, metric)
    }
    if not found:
        raise OddemoError(
            f"The study compares nothing in {world} by {metric}.",
            expected=f"worlds {', '.join(stored['worlds'])}; metrics {', '.join(stored['metrics'])}",
        )
    return found


def _limits(value: MeanInterval) -> dict[str, float]:
    return {"point": value.point, "low": value.low, "high": value.high}
