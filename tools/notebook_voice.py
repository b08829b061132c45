"""How the lessons speak: a question before an answer, words for every figure, and one ending.

Every rule is a function from a notebook to the places that break it, as in `notebook_policy`, which applies them.
"""

from __future__ import annotations

import re
from itertools import takewhile

import nbformat

from notebook_cells import Found, Rule, code_cells, prose_cells
from oddemo.plots.alt import SHORTEST_ALT

AIMS = "**You will be able to**"
PREDICT = "**Predict:**"
PEOPLE = "## Where people met this"
LIMITS = "**What this does not show.**"
EXERCISE = "**Exercise.**"
REACHED = "**You can now**"
#: How an exercise ends where there is a file with more; filled with its path.
MORE = "More to do: [{0}]({0})."
#: The parts of the ending, in their order.
ENDING = (PEOPLE, LIMITS, EXERCISE, REACHED)
#: So many words of an aim come again, in the same order, where it has been reached.
MIRRORED_WORDS = 3

#: A question to the reader that looks otherwise than `PREDICT`.
OTHER_QUESTION = re.compile(
    r"\*\*(Predict\b(?!:\*\*)|Before you (run|go) on|Before you run)[^*\n]*|\*\*[^*\s][^*\n]*\?\*\*"
)
THREAD = re.compile(r"\]\(https://github\.com/[\w.-]+/[\w.-]+/(issues|pull|discussions)/\d+\)")
EXERCISE_LINK = re.compile(r"\]\((exercises/[^)\s]+\.ipynb)\)")


def _prose(notebook: nbformat.NotebookNode) -> str:
    return "\n\n".join(text for _, text in prose_cells(notebook))


def _part(notebook: nbformat.NotebookNode, start: str) -> str | None:
    """Return what follows a line's beginning, up to the next heading or paragraph that begins in bold."""
    found = re.split(rf"^{re.escape(start)}", _prose(notebook), flags=re.MULTILINE)
    return None if len(found) == 1 else re.split(r"^(?:#+ |\*\*)", found[1], flags=re.MULTILINE)[0]


def _bullets(notebook: nbformat.NotebookNode, start: str) -> list[str]:
    lines = (_part(notebook, start) or "").strip().splitlines()
    return [line[2:] for line in takewhile(lambda line: line.startswith("- "), lines)]


def figures_in_words(notebook: nbformat.NotebookNode) -> Found:
    """Every picture says in words what it shows, as `oddemo.plots.show(alt=…)` stores it."""
    for place, cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in output.get("data", {}):
                alt = str(output.get("metadata", {}).get(kind, {}).get("alt", ""))
                if kind.startswith("image/") and len(alt.strip()) < SHORTEST_ALT:
                    yield place, f"expected {kind} with an alternative text (oddemo.plots.show), found {alt!r}"


def asks_first(notebook: nbformat.NotebookNode) -> Found:
    """A reader is asked to predict before a result is shown, and always in the same form."""
    asked = []
    for place, text in prose_cells(notebook):
        for other in OTHER_QUESTION.finditer(text):
            yield place, f"expected a question to begin with {PREDICT}, found {other.group()!r}"
        for question in text.split(PREDICT)[1:]:
            asked.append(place)
            if "?" not in question:
                yield place, f"expected a question after {PREDICT}"
    answers = [place for place, cell in code_cells(notebook) if cell.outputs]
    if not asked or not any(place > asked[0] for place in answers):
        yield None, f"expected {PREDICT} and a question before a result"


def people_met_it(notebook: nbformat.NotebookNode) -> Found:
    """A section names public threads in which people met what the notebook shows."""
    part = _part(notebook, PEOPLE)
    if part is None:
        yield None, f"expected a section `{PEOPLE}`"
    elif not THREAD.search(part):
        yield None, f"expected a link to a public thread under `{PEOPLE}`"


def says_its_limits(notebook: nbformat.NotebookNode) -> Found:
    """A paragraph says what the notebook does not show, once and at the end."""
    if not (_part(notebook, LIMITS) or "").strip():
        yield None, f"expected a paragraph that begins with {LIMITS}"
    for place, text in prose_cells(notebook):
        if re.search(r"what this does not show", text.replace(LIMITS, ""), re.IGNORECASE):
            yield place, f"expected limits to be told once, after {LIMITS}"


def gives_an_exercise(notebook: nbformat.NotebookNode) -> Found:
    """A paragraph sets an exercise."""
    if not (_part(notebook, EXERCISE) or "").strip():
        yield None, f"expected a paragraph that begins with {EXERCISE}"


def ends_as_it_began(notebook: nbformat.NotebookNode) -> Found:
    """What the reader can do now is what was promised: as many points, in the same order, begun in the same words."""
    aims, reached = _bullets(notebook, AIMS), _bullets(notebook, REACHED)
    if len(aims) != len(reached):
        yield None, f"expected {len(aims)} points after {REACHED}, as after {AIMS}, found {len(reached)}"
    for aim, found in zip(aims, reached, strict=False):
        first, second = (re.findall(r"\w+", text.lower())[:MIRRORED_WORDS] for text in (aim, found))
        if first != second:
            yield (
                None,
                f"expected a point after {REACHED} to begin with {' '.join(first)!r}, found {' '.join(second)!r}",
            )


def ends_in_order(notebook: nbformat.NotebookNode) -> Found:
    """People, limits, exercise and what was reached come one after another."""
    text = _prose(notebook)
    there = [part for part in ENDING if part in text]
    order = sorted(there, key=text.rindex)
    if there != order:
        yield None, f"expected the ending in the order {there}, found {order}"


def exercise_paragraph(notebook: nbformat.NotebookNode) -> str:
    """Return the paragraph that sets the exercise, without its first word; empty if there is none."""
    return (_part(notebook, EXERCISE) or "").strip().partition("\n\n")[0]


def exercise_of(notebook: nbformat.NotebookNode) -> str | None:
    """Return the file to which the exercise leads, relative to the notebook, or None."""
    link = EXERCISE_LINK.search(_part(notebook, EXERCISE) or "")
    return link.group(1) if link else None


VOICE: tuple[Rule, ...] = (
    figures_in_words,
    asks_first,
    people_met_it,
    says_its_limits,
    gives_an_exercise,
    ends_as_it_began,
    ends_in_order,
)
