"""Links between the repository's pages and notebooks: each leads to a file that is there, and to a heading in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors.index import slugify

_FOREIGN = re.compile(r"^[a-z][a-z+.-]*:|^//", re.IGNORECASE)


def prose(path: Path) -> str:
    """Return a page's Markdown, or that of a notebook's cells one after the other."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def targets(text: str) -> list[str]:
    """Return where a Markdown text's links and pictures lead, in order; code is no text."""
    return [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in _links(_parsed(text))]


def local_targets(text: str) -> list[str]:
    """Return those of `targets` that lead to this repository."""
    return [unquote(target) for target in targets(text) if not _FOREIGN.match(target)]


def headings(text: str) -> set[str]:
    """Return the anchors of a Markdown text's headings, named as GitHub and MyST do."""
    tokens = _parsed(text)
    found: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(part.content for part in inline.children or [] if part.type in ("text", "code_inline"))
            found[slugify(words)] = found.get(slugify(words), 0) + 1
    return {name if nth == 0 else f"{name}-{nth}" for name, count in found.items() for nth in range(count)}


def broken(root: Path, pages: list[Path]) -> list[str]:
    """Return `page: target` for every link that leads nowhere.

    Args:
        root: The repository's top.
        pages: Markdown files and notebooks, below it.
    """
    return [
        f"{page}: {target}"
        for page in pages
        for target in local_targets(prose(root / page))
        if not _leads_somewhere(root / page, target)
    ]


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    place = (page.parent / path).resolve() if path else page.resolve()
    if not place.exists():
        return False
    if not anchor or place.suffix not in (".md", ".ipynb"):
        return True
    return anchor in _headings_of(place)


@cache
def _headings_of(place: Path) -> set[str]:
    return headings(prose(place))


def _parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def _links(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in ("link_open", "image"):
            yield token
        yield from _links(token.children or [])
