"""What the site says above exercises and their solutions, which are one notebook each and begin with the same words."""

from __future__ import annotations

import json
from pathlib import Path

#: Folders of the notebooks that are handed out, and of those with the answers.
EXERCISES, SOLUTIONS = "exercises", "solutions"


def opening_of(path: Path, first: str) -> str:
    """Return the first cell of a notebook as the site shows it.

    Solutions have their exercises' title, as these are made of them: on the site, which lists both, they get their own.
    An exercise says how it is run, which a page cannot.

    Args:
        path: Of the notebook.
        first: Its first cell.
    """
    if path.parent.name == SOLUTIONS:
        title, _, rest = first.partition("\n")
        told = f"One way to answer the [exercises](../{EXERCISES}/{path.name})."
        return f"{title.replace('# Exercises', '# Solutions', 1)}\n\n{told}\n{rest}"
    if path.parent.name == EXERCISES:
        return (
            f"{first}\n\nTo write and run your lines, type `make lab` in a clone of the repository and open "
            f"`{EXERCISES}/{path.name}`; without make, see [ways in](../../docs/ways_in.md)."
        )
    return first


def with_opening(path: Path, text: str) -> str:
    """Return a notebook as it is stored, with the opening that the site shows.

    Args:
        path: Of the notebook.
        text: The notebook.
    """
    if path.parent.name not in (EXERCISES, SOLUTIONS):
        return text
    notebook = json.loads(text)
    first = notebook["cells"][0]
    first["source"] = opening_of(path, "".join(first["source"]))
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
