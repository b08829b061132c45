"""What a notebook of this project must look like; `tools/notebooks.py check` and the tests apply it.

Every rule is a function from a notebook to the places that break it, so that a test can show each one failing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from notebook_cells import Found, Rule, code_cells, parsed
from notebook_code import CODE
from notebook_voice import AIMS, MORE, VOICE, exercise_of, exercise_paragraph

MAX_CELLS = 40
MAX_LINES = 30
MAX_MEDIAN_LINES = 4
MAX_P95_LINES = 15
MAX_DEF_LINES = 15
MAX_FILE_BYTES = 600_000
MAX_IMAGE_BYTES = 150_000
MAX_SECONDS = 90
#: Half of the memory that the README asks for.
MAX_GB = 2.0

BUDGET = re.compile(r"^<!-- budget --> Budget: (\d+) s, (\d+\.\d) GB.*$", re.MULTILINE)
DOCTOR = "from oddemo.doctor import doctor\n\ndoctor()"
NAME = re.compile(r"^\d\d_[a-z0-9_]+\.ipynb$")
#: A home folder, a temporary folder or a drive of the machine on which the notebook was run.
MACHINE_PATH = re.compile(r"(?<![\w.])(/home/|/roo[t]/|/tm[p]/|/wor[k]/|/Users/|/var/folders/|/private/var/|[A-Z]:\\)")
OBJECT_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|<Axes")
KERNELSPEC_KEYS = {"display_name", "language", "name"}


@dataclass(frozen=True)
class Finding:
    """One place where a notebook breaks one rule.

    Args:
        notebook: File name of the notebook.
        cell: Position of the cell in the file, from 1; None where the whole file is meant.
        rule: Name of the rule's function.
        text: What was expected and what was found.
    """

    notebook: str
    cell: int | None
    rule: str
    text: str

    def __str__(self) -> str:
        place = self.notebook if self.cell is None else f"{self.notebook} cell {self.cell}"
        return f"{place}: {self.rule}: {self.text}"


def _lines(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def _text_of(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    texts = [value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    return "\n".join(str(text) for text in texts)


def opening(notebook: nbformat.NotebookNode) -> Found:
    """The first cell names the notebook, says what the reader will be able to do, and what it costs."""
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown":
        yield 1, "expected a markdown cell with title, aims and budget"
        return
    if not first.source.startswith("# "):
        yield 1, "expected to start with `# Title`"
    _, marker, after = first.source.partition(AIMS)
    if not marker or not re.search(r"^- \S", after, re.MULTILINE):
        yield 1, f"expected `{AIMS}` and bullets after it"
    budget = BUDGET.findall(first.source)
    if len(budget) != 1:
        yield 1, "expected one line `<!-- budget --> Budget: 0 s, 0.0 GB`, which `tools/notebooks.py run` fills in"
    elif not 0 < int(budget[0][0]) <= MAX_SECONDS:
        yield 1, f"expected a measured budget of 1 to {MAX_SECONDS} s, found {budget[0][0]} s"
    elif not 0 < float(budget[0][1]) <= MAX_GB:
        yield 1, f"expected a measured budget of 0.1 to {MAX_GB} GB, found {budget[0][1]} GB"


def doctor_first(notebook: nbformat.NotebookNode) -> Found:
    """The first code cell is the doctor: it silences TensorFlow before anything imports it."""
    cells = code_cells(notebook)
    if not cells or re.sub(r"\n+", "\n", cells[0][1].source.strip()) != DOCTOR.replace("\n\n", "\n"):
        yield (cells[0][0] if cells else None), f"expected the first code cell to be {DOCTOR!r}"


def closing_asserts(notebook: nbformat.NotebookNode) -> Found:
    """The last code cell asserts what the notebook found, and is hidden from readers."""
    cells = code_cells(notebook)
    if not cells:
        return
    place, cell = cells[-1]
    if not any(isinstance(node, ast.Assert) for node in ast.walk(parsed(cell.source))):
        yield place, "expected the last code cell to hold an assert"
    if "hide-cell" not in cell.metadata.get("tags", []):
        yield place, "expected the last code cell to carry the tag hide-cell"


def executed_in_order(notebook: nbformat.NotebookNode) -> Found:
    """Counts run 1, 2, … n: nbval passes a cell without a count unchecked."""
    for expected, (place, cell) in enumerate(code_cells(notebook), 1):
        if cell.execution_count != expected:
            yield place, f"expected execution count {expected}, found {cell.execution_count}"


def nothing_skipped(notebook: nbformat.NotebookNode) -> Found:
    """No cell asks nbval to leave it out, or is allowed to fail."""
    for place, cell in code_cells(notebook):
        tags = {str(tag).lower() for tag in cell.metadata.get("tags", [])}
        if re.search(r"NBVAL[_-]SKIP|NBVAL[_-]RAISES[_-]EXCEPTION", cell.source, re.IGNORECASE):
            yield place, "an nbval comment leaves the cell unchecked"
        for tag in sorted(tags & {"nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution"}):
            yield place, f"the tag {tag} leaves the cell unchecked"


def clean_outputs(notebook: nbformat.NotebookNode) -> Found:
    """No error, nothing on standard error, no object address and no path of a machine."""
    for place, cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield place, f"stores an error: {output.ename}"
                continue
            if output.output_type == "stream" and output.name == "stderr":
                yield place, f"stores text on standard error: {output.text[:80]!r}"
            for pattern, meaning in ((MACHINE_PATH, "a path of a machine"), (OBJECT_ADDRESS, "an object's address")):
                match = pattern.search(_text_of(output))
                if match:
                    yield place, f"prints {meaning}: {match.group()!r}"


def figures_with_numbers(notebook: nbformat.NotebookNode) -> Found:
    """A cell that shows a picture prints what it claims: nbval compares text, not pictures."""
    for place, cell in code_cells(notebook):
        pictures = [kind for output in cell.outputs for kind in output.get("data", {}) if kind.startswith("image/")]
        printed = any(output.output_type == "stream" and output.name == "stdout" for output in cell.outputs)
        if pictures and not printed:
            yield place, "shows a picture and prints nothing"


def repeatable_outputs(notebook: nbformat.NotebookNode) -> Found:
    """No output is hidden by a semicolon: nbval runs cells without history, where IPython shows it all the same."""
    for place, cell in code_cells(notebook):
        if cell.source.rstrip().endswith(";"):
            yield place, "ends in a semicolon, which hides nothing from nbval; give the value a name"


def small_cells(notebook: nbformat.NotebookNode) -> Found:
    """Cells are sentences: few lines each, and not too many of them."""
    if len(notebook.cells) > MAX_CELLS:
        yield None, f"expected at most {MAX_CELLS} cells, found {len(notebook.cells)}"
    counts = []
    for place, cell in code_cells(notebook):
        counts.append(_lines(cell))
        if counts[-1] > MAX_LINES:
            yield place, f"expected at most {MAX_LINES} lines, found {counts[-1]}"
        if counts[-1] == 0:
            yield place, "the code cell is empty"
    for name, share, limit in (("median", 50, MAX_MEDIAN_LINES), ("95th percentile", 95, MAX_P95_LINES)):
        found = float(np.percentile(counts, share)) if counts else 0.0
        if found > limit:
            yield None, f"expected a {name} of at most {limit} lines a code cell, found {found:g}"


def definitions(notebook: nbformat.NotebookNode) -> Found:
    """No class, and no function that is longer than a glance."""
    for place, cell in code_cells(notebook):
        for node in ast.walk(parsed(cell.source)):
            if isinstance(node, ast.ClassDef):
                yield place, f"defines the class {node.name}; move it into the package"
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_DEF_LINES:
                    yield place, f"{node.name} has {length} lines, {MAX_DEF_LINES} at most; move it into the package"


def small_outputs(notebook: nbformat.NotebookNode) -> Found:
    """Each stored picture stays small."""
    for place, cell in code_cells(notebook):
        for output in cell.outputs:
            for kind, value in output.get("data", {}).items():
                size = len(str(value)) * 3 // 4 if kind.startswith("image/") else 0
                if size > MAX_IMAGE_BYTES:
                    yield place, f"expected {kind} of at most {MAX_IMAGE_BYTES // 1000} KB, found {size // 1000} KB"


def lean_metadata(notebook: nbformat.NotebookNode) -> Found:
    """Only what is needed to open and run the notebook is stored beside the cells."""
    if set(notebook.metadata) != {"kernelspec", "language_info"}:
        yield None, f"expected the metadata kernelspec and language_info, found {sorted(notebook.metadata)}"
    if not set(notebook.metadata.get("kernelspec", {})) <= KERNELSPEC_KEYS:
        yield None, "the kernelspec holds more than its names"
    if dict(notebook.metadata.get("language_info", {})) != {"name": "python"}:
        yield None, "expected language_info to be the name python alone"
    for place, cell in enumerate(notebook.cells, 1):
        extra = sorted(set(cell.metadata) - {"tags"})
        if extra:
            yield place, f"expected no cell metadata but tags, found {extra}"


RULES: tuple[Rule, ...] = (
    opening,
    doctor_first,
    closing_asserts,
    executed_in_order,
    nothing_skipped,
    clean_outputs,
    figures_with_numbers,
    repeatable_outputs,
    small_cells,
    definitions,
    small_outputs,
    lean_metadata,
    *CODE,
    *VOICE,
)


def check(path: Path) -> list[Finding]:
    """Return every place where the notebook at `path` breaks a rule."""
    findings = []
    if not NAME.match(path.name):
        findings.append(Finding(path.name, None, "file", "expected a name such as 00_start_here.ipynb"))
    if path.stat().st_size > MAX_FILE_BYTES:
        size = f"{path.stat().st_size // 1000} KB"
        findings.append(Finding(path.name, None, "file", f"expected {MAX_FILE_BYTES // 1000} KB at most, found {size}"))
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        return [*findings, Finding(path.name, None, "file", f"is not a valid notebook: {str(error)[:200]}")]
    findings += [Finding(path.name, None, "exercise", text) for text in _exercise(path, notebook)]
    return findings + [
        Finding(path.name, place, rule.__name__, text) for rule in RULES for place, text in rule(notebook)
    ]


def _exercise(path: Path, notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield what is wrong with the way from a lesson to the file with more exercises."""
    link, due = exercise_of(notebook), f"exercises/{path.name}"
    there, more = (path.parent / due).is_file(), MORE.format(due)
    if link is not None and link != due:
        yield f"expected a link to {due}, found {link}"
    elif link is not None and not there:
        yield f"there is no {link}"
    elif there and not exercise_paragraph(notebook).endswith(more):
        yield f"expected the exercise to end in {more!r}"
