"""The lessons, rules applied to them, and copies of a lesson in which something has been planted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from notebook_cells import Rule

LESSONS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@cache
def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def found(*rules: Rule, among: Iterable[Path] = LESSONS) -> list[str]:
    """Where the course breaks a rule."""
    return [f"{path.name}: {text}" for path in among for rule in rules for _, text in rule(notebook(path))]


def planted(rule: Rule, harm: Callable[[list[nbformat.NotebookNode]], object]) -> bool:
    """Whether a rule sees what was planted in the cells of a copy of the first lesson."""
    harmed = copy.deepcopy(notebook(LESSONS[0]))
    harm(harmed.cells)
    return bool(list(rule(harmed)))


def with_code(source: str) -> Callable[[list[nbformat.NotebookNode]], None]:
    return lambda cells: cells.insert(2, new_code_cell(source))


def reworded(old: str, new: str) -> Callable[[list[nbformat.NotebookNode]], None]:
    def harm(cells: list[nbformat.NotebookNode]) -> None:
        assert old in cells[0].source
        cells[0].source = cells[0].source.replace(old, new)

    return harm
