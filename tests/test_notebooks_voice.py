"""Each rule of the lessons' voice fires on a lesson that breaks it, and on none that keeps it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import notebook_voice as voice

LESSON = next((Path(__file__).resolve().parents[1] / "notebooks").glob("01_*.ipynb"))


def lesson() -> nbformat.NotebookNode:
    return nbformat.read(LESSON, as_version=4)


def without(words: str, instead: str = "") -> nbformat.NotebookNode:
    notebook = lesson()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(words, instead)
    return notebook


def without_words() -> nbformat.NotebookNode:
    notebook = lesson()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.metadata = {}
    return notebook


def swapped() -> nbformat.NotebookNode:
    notebook = without(voice.REACHED, "@")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(voice.LIMITS, voice.REACHED).replace("@", voice.LIMITS)
    return notebook


BROKEN = {
    voice.figures_in_words: without_words,
    voice.asks_first: lambda: without(voice.PREDICT, "**Predict** that"),
    voice.people_met_it: lambda: without(voice.PEOPLE, "## Elsewhere"),
    voice.says_its_limits: lambda: without(voice.LIMITS),
    voice.gives_an_exercise: lambda: without(voice.EXERCISE),
    voice.ends_as_it_began: lambda: without(voice.REACHED + "\n\n- ", voice.REACHED + "\n\n- not any more "),
    voice.ends_in_order: swapped,
}


@pytest.mark.parametrize("rule", voice.VOICE, ids=lambda rule: rule.__name__)
def test_a_rule_fires_where_it_is_broken_and_only_there(rule):
    assert list(rule(lesson())) == []
    assert list(rule(BROKEN[rule]()))
