"""The page that lists the notebooks, made of their own first cells."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from website.practice import EXERCISES, SOLUTIONS, opening_of

#: Folders in which lessons are looked for, and the heading above them.
LESSONS = (
    ("notebooks", "Notebooks", "*.ipynb"),
    ("notebooks/exercises", "Exercises", "*.ipynb"),
    ("notebooks/solutions", "Solutions", "*.ipynb"),
    ("workshop", "Workshop", "*.*"),
)
SUFFIXES = (".ipynb", ".md")
_BUDGET = re.compile(r"Budget: (\d+ s, \d+\.\d GB)")


@dataclass(frozen=True)
class Lesson:
    """What the list says of a notebook or a page.

    Attributes:
        path: Below the repository's top.
        title: Its first heading.
        aims: What the reader will be able to do; empty for pages that say no such thing.
        budget: What running it takes; empty if it says nothing of that.
    """

    path: Path
    title: str
    aims: tuple[str, ...]
    budget: str


def read_lesson(root: Path, path: Path) -> Lesson:
    """Read the opening of a notebook or a page.

    Args:
        root: The repository's top.
        path: Below it.
    """
    text = (root / path).read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = opening_of(path, "".join(cells[0]["source"])) if cells else ""
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    _, _, after = text.partition("**You will be able to**")
    aims = re.match(r"\s*((?:- .+(?:\n|$))*)", after)
    budget = _BUDGET.search(text)
    return Lesson(
        path,
        title[1] if title else path.stem,
        tuple(line[2:] for line in aims[1].splitlines()) if aims else (),
        budget[1] if budget else "",
    )


def lessons(root: Path) -> dict[str, list[Lesson]]:
    """Return heading → lessons, for every folder of lessons that is there."""
    found = {}
    for folder, heading, pattern in LESSONS:
        paths = [path for path in sorted((root / folder).glob(pattern)) if path.suffix in SUFFIXES]
        if paths:
            found[heading] = [read_lesson(root, path.relative_to(root)) for path in paths]
    return found


def course_page(root: Path) -> str:
    """Return the page that lists all lessons."""
    parts = [
        "# The course",
        "Executed notebooks with the outputs that they were stored with; `make test` runs every one of them again and "
        "compares. Short of time, an hour of reading and running: 00, 03, 10, 12, 15. To run them yourself: "
        "[ways in](docs/ways_in.md); words that are new: [glossary](docs/glossary.md).",
    ]
    for heading, found in lessons(root).items():
        parts.append(f"## {heading}\n\n" + "\n\n".join(_entry(lesson) for lesson in found))
        parts.append(_toctree(heading, found))
    return "\n\n".join(parts) + "\n"


def _entry(lesson: Lesson) -> str:
    lines = [f"**[{lesson.path.stem[:2]} {lesson.title}]({lesson.path.as_posix()})**"]
    if lesson.path.suffix != ".ipynb" or lesson.path.parent.name in (EXERCISES, SOLUTIONS):  # which say their number
        lines = [f"**[{lesson.title}]({lesson.path.as_posix()})**"]
    lines[0] += f" ({lesson.budget})" if lesson.budget else ""
    if lesson.aims:
        lines += ["", "After it you can", "", *(f"- {aim}" for aim in lesson.aims)]
    return "\n".join(lines)


def _toctree(heading: str, found: Sequence[Lesson]) -> str:
    names = [lesson.path.with_suffix("").as_posix() for lesson in found]
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {heading}", "", *names, "```"])
