"""The HTML report: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddemo.audit.faults.registry import fault
from oddemo.audit.report import words
from oddemo.audit.report.drawing import drawn_boxes
from oddemo.audit.report.interval_bar import WIDTH, interval_bar
from oddemo.audit.report.pictures import Gallery, make_gallery
from oddemo.audit.report.states import MOST
from oddemo.audit.report.visible import visible
from oddemo.audit.verdict import Audit
from oddemo.errors import OddemoError
from oddemo.export.cards.card import as_text
from oddemo.files import refuse_to_overwrite, write_text

#: Pictures of which both sides are shown.
PICTURES = 6


def write_html(audit: Audit, path: Path, *, overwrite: bool = False, pictures: int = PICTURES) -> Path:
    """Write the report of an audit as one HTML file that needs no script, no network and no other file.

    Args:
        audit: What was found.
        path: The file to write.
        overwrite: Replace it if it is there.
        pictures: How many pictures to show at the most, those that differ most.

    Returns:
        The path.

    Raises:
        OddemoError: If the file exists and `overwrite` is false, or `pictures` is negative.
    """
    path = Path(path)
    refuse_to_overwrite(path, overwrite=overwrite)
    write_text(path, render_html(audit, pictures=pictures))
    return path


def render_html(audit: Audit, *, pictures: int = PICTURES) -> str:
    """Return the report as text; for the options see `write_html`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if pictures < 0:
        raise OddemoError("A report cannot show that many pictures.", expected="0 or more", found=str(pictures))

    def seen(value: Any) -> Any:
        # What a macro returns is markup, not text from outside.
        return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value

    environment = Environment(
        loader=PackageLoader("oddemo.audit.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(_content(audit, pictures))


def _content(audit: Audit, pictures: int) -> dict[str, Any]:
    material = audit.material
    cured = any(cause.verified for cause in audit.causes)
    show = material is not None and pictures > 0
    return {
        "audit": audit,
        "verdict": words.verdict_words(audit),
        "stages": _stages(audit),
        "causes": [_cause(audit, index) for index in range(len(audit.causes))],
        "delta": None if audit.delta_map is None else _delta(audit),
        "gallery": make_gallery(material, pictures, cured=cured) if show and material is not None else None,
        "draw": _draw,
        "most": MOST,
        "card_rows": _card_rows(audit.contract),
        "card_notes": {k: as_text(v) for k, v in audit.contract.items() if k != "differences"},
        "facts": _flat({"seconds": {k: round(v, 2) for k, v in audit.seconds.items()}, **audit.provenance}),
    }


def _stages(audit: Audit) -> list[dict[str, Any]]:
    rows = []
    for result in audit.comparison.stages:
        after = None if audit.after is None else audit.after.stage(result.stage)
        rows.append(
            {
                "name": result.stage,
                "words": words.STAGE_WORDS[result.stage],
                "first": result.stage == audit.comparison.first_divergence,
                "before": _status(result, audit.comparison.images),
                "after": None if after is None else _status(after, audit.comparison.images),
            }
        )
    return rows


def _status(result: Any, images: int) -> dict[str, str]:
    sign, word = words.status_words(result)
    compared = result.status != "not_compared"
    return {
        "status": result.status,
        "sign": sign,
        "word": word,
        "pictures": words.pictures_differing(result, images),
        "detail": result.detail if compared else "",
    }


def _cause(audit: Audit, index: int) -> dict[str, Any]:
    cause = audit.causes[index]
    known = fault(cause.id)
    return {
        "id": cause.id,
        "title": known.title,
        "stage": cause.stage,
        "shows": words.shows_first_at(known, audit.comparison),
        "verified": cause.verified,
        "certainty": words.certainty(cause),
        "claim": words.cause_sentence(cause),
        "evidence": cause.evidence.split("; "),
        "fix": cause.fix.splitlines(),
        "symptom": known.symptom,
        "also": cause.also,
        "notebook": f"notebooks/{known.notebook}.ipynb",
    }


def _delta(audit: Audit) -> dict[str, Any]:
    assert audit.delta_map is not None
    short, meaning = words.delta_words(audit.delta_map)
    return {"short": short, "meaning": meaning, "bar": interval_bar(audit.delta_map), "width": WIDTH}


def _draw(gallery: Gallery, side: Any) -> Any:
    return drawn_boxes(side.boxes or (), gallery.images[side.image].size_hw_px)


def _card_rows(contract: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "label": str(row["label"]),
            "stage": str(row["stage"]),
            "first": as_text(row["first"]),
            "second": as_text(row["second"]),
            "meaning": str(row["meaning"]),
        }
        for row in contract.get("differences", [])
    ]


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return nested JSON values as (dotted name, text)."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        place = f"{above}{name}"
        found += _flat(value, f"{place}.") if isinstance(value, Mapping) else [(place, as_text(value))]
    return found
