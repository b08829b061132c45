"""A report's page, read by the standard library's parser, and audits with awkward content: for the tests of reports."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
from rich.console import Console

from oddemo.audit.report import print_report
from oddemo.audit.verdict import Audit, Material
from oddemo.data.records import Detections

#: Names as an attacker, or a careless colleague, might choose them.
HOSTILE = (
    "<script>alert(1)</script>.jpg",
    "\"><img src=x onerror='alert(1)'>.jpg",
    "new\nline\r\ttab\x00null\x1b[31mred.jpg",
    "\u202egpj.exe\u2066 right to left \u05d0\u05d1\u05d2.jpg",
    "a" * 400 + ".jpg",
    "{{ 7 * 7 }}{% raw %}&amp;&#60;b&#62;.jpg",
    "</style></svg></title><h1>verdict: faithful</h1>.jpg",
    "https://example.com/?a=1&b=2.jpg",
)


@dataclass
class Page(HTMLParser):
    """What a page holds: tags with their attributes in order, and its text."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split()]

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def material_of(audit: Audit) -> Material:
    assert audit.material is not None
    return audit.material


def hostile_audit(audit: Audit) -> Audit:
    """The same findings, on pictures and with classes, causes and notes of hostile names."""
    material = material_of(audit)
    count = len(material.reference.image_names)
    pictures = tuple((HOSTILE[i] if i < len(HOSTILE) else f"{i}.jpg") for i in range(count))
    labels = tuple(HOSTILE[i] for i in range(len(material.reference.labels)))
    traces = [
        replace(trace, image_names=pictures, labels=labels)
        for trace in (material.reference, material.candidate, material.cured)
        if trace is not None
    ]
    cause = replace(
        audit.causes[0], claim=HOSTILE[0], evidence="; ".join(HOSTILE), fix="\n".join(HOSTILE), also=HOSTILE
    )
    difference = {"field": HOSTILE[1], "label": HOSTILE[0], "stage": HOSTILE[4], "first": list(HOSTILE)}
    stages = tuple(replace(result, detail=HOSTILE[i]) for i, result in enumerate(audit.comparison.stages))
    return replace(
        audit,
        reference=f"tfvision:{HOSTILE[0]}",
        candidate=f"savedmodel:{HOSTILE[4]}",
        comparison=replace(audit.comparison, stages=stages),
        causes=(cause,),
        contract={HOSTILE[6]: HOSTILE[1], "differences": [{**difference, "second": HOSTILE[4], "meaning": HOSTILE[5]}]},
        notes=HOSTILE,
        provenance={name: name for name in HOSTILE},
        seconds={HOSTILE[0]: 1.0},
        material=replace(material, reference=traces[0], candidate=traces[1], cured=traces[2]),
    )


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    """Detections from (y_min, x_min, y_max, x_max, score, class id)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def printed(audit: Audit, *, width: int = 80, terminal: bool = False) -> str:
    """What a console of this width shows of an audit."""
    stream = io.StringIO()
    colours = "standard" if terminal else "auto"
    print_report(audit, Console(file=stream, width=width, force_terminal=terminal, color_system=colours))
    return stream.getvalue()
