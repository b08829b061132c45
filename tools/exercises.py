"""Make the exercises out of their solutions, and check both.

    python tools/exercises.py write [SOLUTION …]    make notebooks/exercises from notebooks/solutions
    python tools/exercises.py check [SOLUTION …]    are the rules kept, and is each exercise what its solution gives?

In a solution, a code cell tagged `solution` holds a line `# solution`: that line becomes `# your code here`, and what
follows it in the cell is left out of the exercise. Text tagged `solution` is left out whole. Neither stores outputs;
`tests/test_exercises.py` runs them.
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

import notebook_policy as policy
from notebook_cells import Found, code_cells
from oddemo.files import write_text

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "notebooks"
SOLUTIONS, EXERCISES = LESSONS / "solutions", LESSONS / "exercises"
MARKER = re.compile(r"^([ ]*)# solution$", re.MULTILINE)
STUB = "# your code here"
CHECK = re.compile(r'^check\("(\d\d\.\d)", (\S.*)\)$', re.MULTILINE)


def is_solution(cell: Any) -> bool:
    """Tell whether a cell is tagged `solution`."""
    return "solution" in cell.metadata.get("tags", [])


def stub_of(source: str) -> str:
    """Return a solution's source down to its marker, which becomes the place to write."""
    found = MARKER.search(source)
    return source[: found.start()] + found[1] + STUB if found else source


def exercise_of(solution: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook that is handed out; the solution stays as it is."""
    made = copy.deepcopy(solution)
    made.cells = [cell for cell in made.cells if cell.cell_type == "code" or not is_solution(cell)]
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if is_solution(cell):
            cell.source, cell.metadata = stub_of(cell.source), nbformat.from_dict({})
    return made


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as it is stored."""
    return str(nbformat.writes(notebook)) + "\n"


def checks_of(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Return (id, answer) of every `check("06.1", answer)` of a notebook."""
    return [pair for _, cell in code_cells(notebook) for pair in CHECK.findall(cell.source)]


def opening(notebook: nbformat.NotebookNode, name: str) -> Found:
    """The first cell has a title, says what is practised, and links back to the lesson and to the solutions."""
    first = notebook.cells[0].source if notebook.cells and notebook.cells[0].cell_type == "markdown" else ""
    if not first.startswith(f"# Exercises {name[:2]}: "):
        yield 1, f"expected to start with `# Exercises {name[:2]}: …`"
    if not re.search(r"^\*\*You will practise\*\*\n\n- \S", first, re.MULTILINE):
        yield 1, "expected `**You will practise**` and bullets after it"
    for link in (f"(../{name})", f"(../solutions/{name})"):
        if link not in first:
            yield 1, f"expected the link {link}"
    if not (LESSONS / name).is_file():
        yield None, "there is no lesson of this name"


def markers(notebook: nbformat.NotebookNode, name: str) -> Found:  # noqa: ARG001 (rules share a signature)
    """Each code cell tagged `solution` has one marker, each other none, and what is handed out is Python."""
    for place, cell in code_cells(notebook):
        if len(MARKER.findall(cell.source)) != is_solution(cell):
            yield place, "expected one line `# solution` in a code cell tagged solution, and none elsewhere"
        try:
            ast.parse(stub_of(re.sub(r"^%%.*$", "", cell.source, flags=re.MULTILINE)))
        except SyntaxError as error:
            yield place, f"what is left of it is not Python: {error}"


def checked(notebook: nbformat.NotebookNode, name: str) -> Found:
    """There are exercises, each is checked once, in order, and the last cell counts them."""
    ids = [one for one, _ in checks_of(notebook)]
    due = [f"{name[:2]}.{number}" for number in range(1, len(ids) + 1)]
    if not ids or ids != due:
        yield None, f"expected checks {', '.join(due) or f'{name[:2]}.1'}, each in its place, found {', '.join(ids)}"
    cells = code_cells(notebook)
    if not cells or f'tally("{name[:2]}")' not in cells[-1][1].source:
        yield None, f'expected the last code cell to end in tally("{name[:2]}")'


def no_outputs(notebook: nbformat.NotebookNode, name: str) -> Found:  # noqa: ARG001 (rules share a signature)
    """Nothing that was run is stored."""
    for place, cell in code_cells(notebook):
        if cell.outputs or cell.execution_count is not None:
            yield place, "expected no output and no execution count"


OWN_RULES = (opening, markers, checked, no_outputs)
#: Rules of the lessons that hold here as well.
SHARED_RULES = (
    policy.doctor_first,
    policy.nothing_skipped,
    policy.definitions,
    policy.small_cells,
    policy.lean_metadata,
)


def findings(path: Path) -> Iterator[policy.Finding]:
    """Yield every place where a solution breaks a rule, and say whether its exercise is in step."""
    notebook = nbformat.read(path, as_version=4)
    for own in OWN_RULES:
        for place, text in own(notebook, path.name):
            yield policy.Finding(path.name, place, own.__name__, text)
    for shared in SHARED_RULES:
        for place, text in shared(notebook):
            yield policy.Finding(path.name, place, shared.__name__, text)
    exercise = EXERCISES / path.name
    if not exercise.is_file() or exercise.read_text(encoding="utf-8") != text_of(exercise_of(notebook)):
        yield policy.Finding(path.name, None, "in_step", "expected the exercise that it gives: make exercises")


def main() -> int:
    """Read the command line and do what it says; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("write", "check"))
    parser.add_argument("solutions", nargs="*", type=Path, metavar="SOLUTION")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.solutions] or sorted(SOLUTIONS.glob("*.ipynb"))
    if arguments.verb == "write":
        for path in paths:
            write_text(EXERCISES / path.name, text_of(exercise_of(nbformat.read(path, as_version=4))))
    found = [finding for path in paths for finding in findings(path)]
    for finding in found:
        print(finding)
    print(f"{len(paths)} solutions, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
