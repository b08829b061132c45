"""The short course is an hour, and none of its notebooks needs one that is not in it."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

import notebook_policy as policy
from notebook_cells import code_cells, parsed, prose_cells
from slides import SHORT_COURSE
from website.course import course_page

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHORT = [path for path in LESSONS if path.name.startswith(SHORT_COURSE)]
MINUTES = 60
#: How fast people read prose and look over code, without writing anything down.
WORDS_A_MINUTE, SECONDS_A_LINE = 200, 2
LINK = re.compile(r"\[[^\]]*\]\([^)]*\)")
#: Words that point at another notebook without a way to it.
POINTER = re.compile(
    r"\b(?:[Nn]otebook|[Ll]esson)s? \d\d\b"
    r"|\b(?:we saw|we have seen|(?:last|previous|earlier) (?:notebook|lesson))\b"
)
#: Code that takes something which only a study or another notebook leaves behind.
LEFT_BEHIND = re.compile(r"(?<![\w.])(results|runs)/|\.\./|%run\b|%store\b|\.ipynb\b")


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def minutes(notebook: nbformat.NotebookNode) -> float:
    """How long it takes to read a notebook once and to run it by its budget."""
    prose = "\n".join(text for _, text in prose_cells(notebook))
    words = len(re.findall(r"\w+", re.sub(r"\]\([^)]*\)", "]", prose)))
    lines = sum(bool(line.strip()) for _, cell in code_cells(notebook) for line in cell.source.splitlines())
    budget = policy.BUDGET.search(prose)
    assert budget
    return words / WORDS_A_MINUTE + (SECONDS_A_LINE * lines + int(budget[1])) / 60


@cache
def titles() -> set[str]:
    """The titles of the lessons up to their colon, as other lessons put them in italics."""
    first = [read(path).cells[0].source.splitlines()[0] for path in LESSONS]
    return {f"*{line.removeprefix('# ').partition(':')[0]}*" for line in first}


def leans_on(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield what a notebook takes from another: words without a link, or what another one's code left behind."""
    for place, text in prose_cells(notebook):
        bare = LINK.sub("", text)
        found = POINTER.findall(bare) + [title for title in titles() if title in bare]
        yield from (f"cell {place}: {words!r} without a link" for words in found)
    for place, cell in code_cells(notebook):
        match = LEFT_BEHIND.search(cell.source)
        if match:
            yield f"cell {place}: takes {match.group()!r}"
        for node in ast.walk(parsed(cell.source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("oddemo.study"):
                yield f"cell {place}: reads a study by {node.module}"


def test_readme_slides_and_site_name_the_same_notebooks() -> None:
    words = f"Short of time, an hour of reading and running: {', '.join(SHORT_COURSE)}."
    assert len(SHORT) == len(SHORT_COURSE) == 5
    assert words in (ROOT / "README.md").read_text(encoding="utf-8")
    assert words in course_page(ROOT)


def test_it_is_read_and_run_within_an_hour() -> None:
    taken = {path.name: minutes(read(path)) for path in SHORT}
    assert sum(taken.values()) <= MINUTES, taken
    # On a machine a third as fast, running them still leaves half of the hour.
    running = [int(policy.BUDGET.findall(read(path).cells[0].source)[0][0]) for path in SHORT]
    assert 3 * sum(running) <= 60 * MINUTES / 2


def test_a_longer_one_is_seen() -> None:
    longer = [read(path) for path in SHORT]
    longer[1].cells[0].source = re.sub(r"Budget: \d+ s", "Budget: 1800 s", longer[1].cells[0].source)
    assert sum(map(minutes, longer)) > MINUTES
    longer = [read(path) for path in SHORT]
    longer[1].cells.append(new_markdown_cell("word " * 200 * 20))
    assert sum(map(minutes, longer)) > MINUTES


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.stem)
def test_none_of_them_needs_another(path: Path) -> None:
    assert list(leans_on(read(path))) == []


PLANTED: tuple[Callable[[], nbformat.NotebookNode], ...] = (
    lambda: new_markdown_cell("The rest is in notebook 04."),
    lambda: new_markdown_cell("Two detectors differ, as we saw."),
    lambda: new_markdown_cell("With another seed it moves by points (see *Train and measure*)."),
    lambda: new_code_cell("study = Path('results/study_label_noise.json')"),
    lambda: new_code_cell("model = '../runs/mine'"),
    lambda: new_code_cell("from oddemo.study.results import stored_study"),
    lambda: new_code_cell("%run 02_train_and_measure.ipynb"),
)


@pytest.mark.parametrize("cell", PLANTED, ids=lambda cell: cell().source)
def test_what_leans_on_another_is_seen(cell: Callable[[], nbformat.NotebookNode]) -> None:
    harmed = copy.deepcopy(read(SHORT[0]))
    harmed.cells.insert(3, cell())
    assert len(list(leans_on(harmed))) == 1
    linked = new_markdown_cell("More in [notebook 04](04_class_imbalance.ipynb).")
    harmed.cells[3] = linked
    assert list(leans_on(harmed)) == []


def test_the_first_lesson_leads_to_every_other() -> None:
    text = "\n".join(words for _, words in prose_cells(read(LESSONS[0])))
    table = text.partition("## The way from here")[2].partition("An hour")[0]
    assert re.findall(r"^\| \**(\d\d) ", table, re.MULTILINE) == [path.name[:2] for path in LESSONS]
