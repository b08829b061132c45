"""What the rules for notebooks look at, and what a rule is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import nbformat

#: Position of a cell from 1, or None for the whole notebook; and what was expected and found there.
Found = Iterator[tuple[int | None, str]]
Rule = Callable[[nbformat.NotebookNode], Found]


def code_cells(notebook: nbformat.NotebookNode) -> list[tuple[int, Any]]:
    """Return (position from 1, cell) of every code cell."""
    return [(place, cell) for place, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]


def prose_cells(notebook: nbformat.NotebookNode) -> list[tuple[int, str]]:
    """Return (position from 1, text) of every Markdown cell."""
    return [(place, cell.source) for place, cell in enumerate(notebook.cells, 1) if cell.cell_type == "markdown"]


def without_magic(source: str) -> str:
    """Return a cell's source with its `%magic` and `!shell` lines blanked."""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())


def parsed(source: str) -> ast.Module:
    """Parse a cell, its `%magic` and `!shell` lines blanked."""
    return ast.parse(without_magic(source))
