"""Exercises are what their solutions give; solutions pass every check, what is handed out passes none."""

from __future__ import annotations

import linecache
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import exercises as tool
from oddemo.course import outcomes
from oddemo.course.exercise import Outcome
from oddemo.course.registry import EXERCISES

SOLUTIONS = sorted(tool.SOLUTIONS.glob("*.ipynb"))
NAMES = [path.name for path in SOLUTIONS]


def run(path: Path) -> dict[str, Outcome]:
    """Execute the code of a notebook in one fresh namespace, as a kernel does, and return what came of its checks."""
    lesson, namespace = path.name[:2], {"__name__": "__main__"}
    notebook, here = nbformat.read(path, as_version=4), Path.cwd()
    before = outcomes()
    try:
        os.chdir(path.parent)
        for place, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
            magic, _, rest = cell.source.partition("\n")
            if magic.startswith("%%writefile "):
                Path(magic.split()[1]).write_text(rest, encoding="utf-8")
                continue
            name = f"<{path.parent.name} {lesson}, cell {place}>"
            linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(keepends=True), name)
            exec(compile(cell.source, name, "exec"), namespace)
    finally:
        os.chdir(here)
    return {one: outcome for one, outcome in outcomes().items() if before.get(one) is not outcome}


def ids_of(name: str) -> set[str]:
    return {one for one in EXERCISES if one.startswith(name[:2])}


def test_every_exercise_is_in_a_notebook_and_every_notebook_has_one() -> None:
    asked = [one for path in SOLUTIONS for one, _ in tool.checks_of(nbformat.read(path, as_version=4))]
    assert asked == list(EXERCISES)
    assert len(NAMES) > 2
    assert all(ids_of(name) for name in NAMES)


def test_the_stored_exercises_are_what_the_solutions_give() -> None:
    assert sorted(path.name for path in tool.EXERCISES.glob("*")) == NAMES
    assert [str(finding) for path in SOLUTIONS for finding in tool.findings(path)] == []


def test_links_lead_somewhere() -> None:
    links = []
    for path in (*SOLUTIONS, *tool.EXERCISES.glob("*.ipynb")):
        texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
        links += [path.parent / target for text in texts for target in re.findall(r"\]\((\.[^)\s]+)\)", text)]
    assert len(links) >= 4 * len(NAMES)
    assert [str(link) for link in links if not link.is_file()] == []


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(tool.SOLUTIONS / name)
    assert {one: str(outcome) for one, outcome in found.items() if not outcome.right} == {}
    assert set(found) == ids_of(name)
    printed = capsys.readouterr().out
    assert printed.count("right: ") == len(found)
    assert f"{len(found)} of {len(found)} right" in printed


@pytest.mark.parametrize("name", NAMES)
def test_what_is_handed_out_is_not_right_yet_and_says_where_to_begin(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(tool.EXERCISES / name)
    assert set(found) == ids_of(name)
    assert not any(outcome.right for outcome in found.values())
    assert {one: outcome.hint for one, outcome in found.items()} == {one: EXERCISES[one].first_step for one in found}
    printed = capsys.readouterr().out
    assert "Traceback" not in printed
    assert f"0 of {len(found)} right" in printed


@pytest.mark.parametrize(
    ("folder", "lesson", "said"),
    [(tool.SOLUTIONS, "00", "right: "), (tool.EXERCISES, "00", "not yet: "), (tool.EXERCISES, "15", "not yet: ")],
)
def test_a_real_kernel_says_the_same(folder: Path, lesson: str, said: str) -> None:
    """Notebook 15 writes a file by a magic, which only a kernel knows."""
    (path,) = folder.glob(f"{lesson}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    told = "".join(output.get("text", "") for output in outputs)
    assert told.count(said) == len(ids_of(path.name))
    assert not list(folder.glob("serve.py"))
