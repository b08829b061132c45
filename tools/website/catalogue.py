"""The fault catalogue: one page a fault, made of the registry, the benchmark's result and drawn examples."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddemo.audit.faults.record import Fault
from oddemo.audit.faults.registry import FAULTS
from oddemo.audit.stages import STAGES
from website.costs import DETECTORS, Trial, story_of, trials_of, worst
from website.examples import Example, as_jpeg, found_on_picture, seen_by_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Detectors whose greatest loss stands in the overview.
IN_OVERVIEW = ("inspection", "wildlife", "bccd")
RESULT = "results/fault_benchmark.json"
#: Tables of figures need the room in which other pages list their headings.
_WIDE = "---\nhtml_theme.sidebar_secondary.remove: true\n---\n\n"


def write_catalogue(site: Path, results: dict[str, Any]) -> list[Path]:
    """Write the pages of the catalogue and their pictures.

    Args:
        site: Folder of the site's source, laid out as the repository; `faults` is made in it.
        results: `results/fault_benchmark.json`.

    Returns:
        The pages.
    """
    import matplotlib.pyplot as plt

    from oddemo.plots.appearance import style

    folder = site / "faults"
    folder.mkdir(parents=True)
    pages = [folder / "index.md"]
    pages[0].write_text(_WIDE + overview(results), encoding="utf-8")
    with plt.rc_context():
        style()
        for fault in FAULTS:
            pages.append(folder / f"{fault.id}.md")
            pages[-1].write_text(_WIDE + _page(fault, results, folder), encoding="utf-8")
    return pages


def overview(results: dict[str, Any]) -> str:
    """Return the page with the table of all faults."""
    images = next(trial["delta_map"]["images"] for trial in results["trials"] if trial["delta_map"])
    lines = [
        "# Fault catalogue",
        "",
        f"{len(FAULTS)} causes, in the order of the pipeline. Each has a page: how it is planted, what it costs, how "
        "it is cured, and where it is taught.",
        "",
        "| fault | what people see | shows first at | " + " | ".join(IN_OVERVIEW) + " |",
        "|---|---|---|" + "---|" * len(IN_OVERVIEW),
    ]
    for fault in FAULTS:
        trials = trials_of(results, fault.id)
        costs = [worst(trials, detector) for detector in IN_OVERVIEW]
        cells = " | ".join("–" if cost is None else cost.change for cost in costs)
        lines.append(f"| [`{fault.id}`]({fault.id}.md) | {fault.symptom} | {_shows(fault)} | {cells} |")
    what = "; ".join(f"`{name}`: {DETECTORS[name]}" for name in IN_OVERVIEW)
    lines += [
        "",
        "The last three columns are the change in mAP with its 95 % interval, of the planted form that cost this "
        f"detector most, on {images} pictures. {what}. All numbers come from [{RESULT}](../{RESULT}).",
        "",
        "```{toctree}",
        ":hidden:",
        "",
        *(fault.id for fault in FAULTS),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _page(fault: Fault, results: dict[str, Any], folder: Path) -> str:
    trials = trials_of(results, fault.id)
    parts = [
        f"# {fault.id}",
        _facts(fault),
        "## What to do\n\n" + fault.cure + _said(trials),
    ]
    drawn = (("seen", seen_by_network), ("found", found_on_picture))
    examples = [(name, example) for name, draw in drawn if (example := draw(fault.id)) is not None]
    if examples:
        parts.append("## What it looks like\n\n" + "\n\n".join(_shown(fault, folder, *one) for one in examples))
    parts.append(_costs(fault, trials, folder) if trials else _not_planted(results))
    return "\n\n".join(parts) + "\n"


def _facts(fault: Fault) -> str:
    lesson = f"[{fault.notebook}](../notebooks/{fault.notebook}.ipynb)"
    rows = {
        "what people see": fault.symptom,
        "acts at": f"`{fault.stage}`",
        "shows first at": _shows(fault),
        "taught in": lesson,
    }
    lines = [f"| | {fault.title} |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return "\n".join(lines) + "\n\nStages in order: " + ", ".join(f"`{stage}`" for stage in STAGES) + "."


def _shows(fault: Fault) -> str:
    until = "" if fault.shows_until == fault.shows_at else f" to `{fault.shows_until}`, by its form"
    return f"`{fault.shows_at}`{until}"


def _said(trials: Sequence[Trial]) -> str:
    """What the audit says of planted forms, in its own words."""
    claims = dict.fromkeys(trial.claim for trial in trials if trial.claim and trial.named == trial.fault)
    if not claims:
        return ""
    said = "\n".join(f"- The candidate {claim}." for claim in list(claims)[:4])
    return (
        f"\n\nA diagnosis gives the exact line to change. What it said of exports in which this was planted:\n\n{said}"
    )


def _shown(fault: Fault, folder: Path, name: str, example: Example) -> str:
    picture = folder / f"{fault.id}-{name}.jpg"
    picture.write_bytes(as_jpeg(example.figure))
    return f"![{example.words}]({picture.name})\n\n{example.caption}"


def _costs(fault: Fault, trials: Sequence[Trial], folder: Path) -> str:
    planted = []
    for variant in dict.fromkeys(trial.variant for trial in trials):
        planted.append(f"- `{fault.id}/{variant}`: {story_of(fault.id, variant)}")
    measured = [trial for trial in trials if trial.point == trial.point]
    place = folder / f"{fault.id}-cost.svg"
    place.write_bytes(_as_svg(_cost_figure(measured)))
    least, most = (pick(measured, key=lambda trial: trial.point) for pick in (max, min))
    words = (
        f"Change in mAP with its interval for {len(measured)} planted exports, a line each. The lowest is "
        f"{most.change} ({most.detector}, {most.variant}), the highest {least.change} "
        f"({least.detector}, {least.variant})."
    )
    lines = [
        "| detector | planted | change in mAP [95 % interval] | first stage that differs | the audit's first cause |"
    ]
    lines.append("|---|---|---|---|---|")
    for one in trials:
        row = (f"`{one.detector}`", f"`{one.variant}`", one.change, f"`{one.first_stage}`", f"`{one.named}`")
        lines.append("| " + " | ".join(row) + " |")
    used = [name for name in DETECTORS if any(trial.detector == name for trial in trials)]
    what = "; ".join(f"`{name}`: {DETECTORS[name]}" for name in used)
    right = sum(trial.named == fault.id for trial in trials)
    return "\n\n".join(
        [
            "## How it is planted\n\n" + "\n".join(planted),
            f"## What it costs\n\n![{words}]({place.name})",
            "\n".join(lines),
            f"The audit named this fault first in {right} of {len(trials)} planted exports. {what}. "
            f"From [{RESULT}](../{RESULT}).",
        ]
    )


def _not_planted(results: dict[str, Any]) -> str:
    summary = results["summary"]
    return (
        "## What it costs\n\nIt is not planted: it is what is left between a detector and a faithful export of it. Of "
        f"{summary['faithful_variations']} faithful variations in the benchmark, {summary['false_alarms']} were called "
        f"faulty ([{RESULT}](../{RESULT}))."
    )


def _cost_figure(trials: Sequence[Trial]) -> Figure:
    import matplotlib.pyplot as plt

    from oddemo.plots.intervals import plot_intervals

    figure, ax = plt.subplots(figsize=(9, 1.0 + 0.42 * len(trials)), layout="constrained")
    plot_intervals({f"{one.detector}: {one.variant}": one for one in trials}, ax)
    return figure


def _as_svg(figure: Figure) -> bytes:
    import matplotlib.pyplot as plt

    data = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": "oddemo"}):
        figure.savefig(data, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return data.getvalue()


def read_results(root: Path) -> dict[str, Any]:
    """Read the fault benchmark's result."""
    results: dict[str, Any] = json.loads((root / RESULT).read_text(encoding="utf-8"))
    return results
