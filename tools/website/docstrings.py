"""A Sphinx extension: `code` in docstrings is code, also where reStructuredText would take it for something else.

Docstrings here write code in single ticks. A name then becomes a link where it is known; all else, as `kind:place`,
gets the double ticks of reStructuredText before napoleon looks for colons.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CODE = re.compile(r"(?<![`\w:])`([^`\n]+)`(?!`)")
_NAME = re.compile(r"[A-Za-z]\w*(?<!_)(\.[A-Za-z]\w*(?<!_))*")
#: Before napoleon, which has Sphinx's own 500.
_EARLY = 400


def as_rest(lines: Sequence[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText.

    Code that is no name gets double ticks, bars and stars are plain, and an indented block after a colon and an empty
    line is shown as it stands.
    """
    result: list[str] = []
    block = None
    for place, line in enumerate(lines):
        if block is not None and line.strip() and _indent(line) <= block:
            block = None
        if block is not None:
            result.append(line)
            continue
        opens = line.endswith(":") and _opens_block(line, lines[place + 1 : place + 3])
        result.append(_prose(line) + (":" if opens else ""))
        block = _indent(line) if opens else None
    return result


def _opens_block(line: str, following: Sequence[str]) -> bool:
    return len(following) == 2 and not following[0].strip() and _indent(following[1]) > _indent(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _prose(line: str) -> str:
    parts, end = [], 0
    for match in _CODE.finditer(line):
        code = match[0] if _NAME.fullmatch(match[1]) else f"`{match[0]}`"
        # reStructuredText wants a mark between code and a letter that follows at once.
        parts += [_plain(line[end : match.start()]), code, "\\ " if re.match(r"\w", line[match.end() :]) else ""]
        end = match.end()
    return "".join([*parts, _plain(line[end:])])


def _plain(words: str) -> str:
    return words if "``" in words else re.sub(r"([|*])", r"\\\1", words)


def _on_docstring(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    lines[:] = as_rest(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", _on_docstring, priority=_EARLY)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
