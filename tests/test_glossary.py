"""The glossary: in order, short, and each word is met in the notebook that it names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^## ([^\n]+)\n\n(.+?)(?=\n\n|\n*\Z)", TEXT, re.MULTILINE | re.DOTALL))


def everything(notebook: Path) -> str:
    """All text of a notebook: words, code, and what it printed."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = ["".join(cell["source"]) for cell in cells]
    parts += ["".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(parts).lower()


def roots(term: str, words: str) -> list[str]:
    """The term's names, and those in italics, as they may stand in a sentence: long words without their endings."""
    names = [part.strip(" )") for part in term.lower().split("(")] + re.findall(r"\*([^*]+)\*", words.lower())
    return [" ".join(word[:6] for word in name.split()[:1]) if len(name) > 6 else name for name in names]


def test_there_are_enough_and_in_order() -> None:
    assert len(ENTRIES) >= 35
    assert len(ENTRIES) == len(re.findall(r"^## ", TEXT, re.MULTILINE))
    assert list(ENTRIES) == sorted(ENTRIES, key=str.lower)


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_is_short_and_its_notebook_speaks_of_it(term: str) -> None:
    words = ENTRIES[term]
    assert 1 <= len(re.findall(r"[.?!](?=\s)", words)) <= 3
    assert len(words) < 450
    targets = [ROOT / "docs" / target for target in re.findall(r"\]\((\S+\.ipynb)\)", words)]
    assert targets
    for notebook in targets:
        assert any(root in everything(notebook) for root in roots(term, words)), roots(term, words)
