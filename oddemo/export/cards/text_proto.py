"""Reads the text form of a protobuf (pipeline.config) into plain dictionaries, without its schema."""

from __future__ import annotations

import re
from typing import Any

from oddemo.errors import OddemoError

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<sign>[{}:<>\[\],;])"""
    r"""|(?P<word>[^\s{}:<>\[\],;"'\#]+)"""
)

#: What follows a name, and what follows a value in a list: `[1, 2]`.
_NAMES, _GOES_ON = re.compile(r"[ \t]*[:{<]"), re.compile(r"\s*,")

#: How deep blocks may nest.
MAX_DEPTH = 100


def _damaged(found: str) -> OddemoError:
    return OddemoError("The configuration is not a text protobuf.", expected="name: value, or name { … }", found=found)


def parse_text_proto(text: str) -> dict[str, list[Any]]:
    """Return field name → values in order; a value is a string, a number, a word (enum, true, false) or a dictionary.

    Raises:
        OddemoError: If brackets do not fit or blocks nest too deeply.
    """
    root: dict[str, list[Any]] = {}
    stack: list[tuple[dict[str, list[Any]], str]] = [(root, "")]
    name: str | None = None
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _damaged(f"{text[position : position + 20]!r}")
        position = match.end()
        token = match["text"] or match["sign"] or match["word"]
        if token is None or token in ":,;[]":
            continue
        block = stack[-1][0]
        if token in "{<":
            if name is None or len(stack) > MAX_DEPTH:
                raise _damaged(f"a block without a name, or more than {MAX_DEPTH} deep")
            inner: dict[str, list[Any]] = {}
            block.setdefault(name, []).append(inner)
            stack.append((inner, token))
            name = None
        elif token in "}>":
            if len(stack) == 1 or name is not None or (stack[-1][1] == "{") != (token == "}"):
                raise _damaged(f"{token!r} that closes nothing")
            stack.pop()
        elif match["word"] and name is None and _NAMES.match(text, position):
            name = token
        elif name is not None:
            block.setdefault(name, []).append(_value(token))
            name = name if _GOES_ON.match(text, position) else None
        else:
            raise _damaged(f"{token[:40]!r}")
    if len(stack) > 1 or name is not None:
        raise _damaged("the end inside a block")
    return root


def _value(token: str) -> Any:
    if token[0] in "\"'":
        return token[1:-1]
    try:
        return int(token) if re.fullmatch(r"[+-]?\d{1,18}", token) else float(token)
    except ValueError:
        return token
