"""Exercises are cut out of solutions as the tool says, and each of its rules can fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

import exercises as tool

NAME = "06_augmentation_and_too_much_of_it.ipynb"
Cells = list[nbformat.NotebookNode]


def solution() -> nbformat.NotebookNode:
    return nbformat.read(tool.SOLUTIONS / NAME, as_version=4)


def place_of(cells: Cells, start: str) -> int:
    return next(k for k, cell in enumerate(cells) if cell.source.startswith(start))


def test_what_follows_the_marker_is_cut_and_its_indent_stays() -> None:
    source = 'def f(x):\n    """Say it."""\n    # solution\n    y = x\n    return y'
    assert tool.stub_of(source) == 'def f(x):\n    """Say it."""\n    # your code here'
    assert tool.stub_of("a = ...\n# solution\na = 3") == "a = ...\n# your code here"
    assert tool.stub_of("a = 3  # solution") == "a = 3  # solution"


def test_an_exercise_keeps_everything_but_solutions_and_outputs() -> None:
    notebook = solution()
    notebook.cells[1].outputs, notebook.cells[1].execution_count = [new_output("stream", text="ready")], 1
    made = tool.exercise_of(notebook)
    told = [cell.source for cell in notebook.cells if cell.cell_type == "markdown" and tool.is_solution(cell)]
    assert len(told) == 2
    kept = [cell.source for cell in made.cells]
    assert not set(told) & set(kept)
    assert kept == [tool.stub_of(cell.source) for cell in notebook.cells if cell.source not in told]
    assert not any("solution" in cell.metadata.get("tags", []) for cell in made.cells)
    assert (made.cells[1].outputs, made.cells[1].execution_count) == ([], None)
    assert notebook.cells[1].execution_count == 1


def drop_title(cells: Cells) -> None:
    cells[0].source = cells[0].source.replace("# Exercises 06", "# Exercise 6")


def drop_aims(cells: Cells) -> None:
    cells[0].source = cells[0].source.replace("- writing", "writing")


def drop_link(cells: Cells) -> None:
    cells[0].source = cells[0].source.replace(f"(../{NAME})", "(../other.ipynb)")


def drop_marker(cells: Cells) -> None:
    cell = cells[place_of(cells, "def flip_boxes")]
    cell.source = cell.source.replace("# solution", "# the solution")


def drop_docstring(cells: Cells) -> None:
    cell = cells[place_of(cells, "def flip_boxes")]
    cell.source = "\n".join(line for line in cell.source.splitlines() if '"""' not in line)


def mark_another(cells: Cells) -> None:
    cells[place_of(cells, "one_box")].source += "\n# solution"


def swap_checks(cells: Cells) -> None:
    first, second = (place_of(cells, f'check("06.{number}"') for number in (1, 2))
    cells[first], cells[second] = cells[second], cells[first]


def keep_output(cells: Cells) -> None:
    cells[1].outputs = [new_output("stream", text="ready")]


BROKEN: list[tuple[str, Callable[[Cells], object]]] = [
    ("opening", drop_title),
    ("opening", drop_aims),
    ("opening", drop_link),
    ("markers", drop_marker),
    ("markers", drop_docstring),
    ("markers", mark_another),
    ("checked", swap_checks),
    ("checked", lambda cells: cells.pop(place_of(cells, 'check("06.1"'))),
    ("checked", lambda cells: cells.pop()),
    ("no_outputs", keep_output),
    ("doctor_first", lambda cells: cells.pop(1)),
    ("definitions", lambda cells: cells.insert(2, new_code_cell("class Total:\n    value = 2"))),
    ("small_cells", lambda cells: cells.insert(2, new_code_cell("total = 2\n" * 31))),
    ("lean_metadata", lambda cells: cells[1].metadata.update(collapsed=True)),
    ("nothing_skipped", lambda cells: cells[1].metadata.update(tags=["raises-exception"])),
    ("in_step", lambda cells: cells[-1].update(source=cells[-1].source + "\n")),
]


@pytest.mark.parametrize(("rule", "harm"), BROKEN)
def test_a_broken_rule_is_found(rule: str, harm: Callable[[Cells], object], tmp_path: Path) -> None:
    notebook = solution()
    harm(notebook.cells)
    path = tmp_path / NAME
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    assert rule in {finding.rule for finding in tool.findings(path)}


def test_every_own_and_shared_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _ in BROKEN} == {one.__name__ for one in (*tool.OWN_RULES, *tool.SHARED_RULES)} | {"in_step"}


def test_a_lesson_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "06_other.ipynb"
    shutil.copy(tool.SOLUTIONS / NAME, path)
    assert "there is no lesson of this name" in {finding.text for finding in tool.findings(path)}
