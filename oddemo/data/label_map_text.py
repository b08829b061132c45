"""The text form of protocol buffers, as far as label maps need it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from oddemo.errors import OddemoError

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*|[,;])
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<word>[-+]?[\w.][\w.+-]*)
    |(?P<sign>[{}<>:\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_SHORT_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_OPEN, _CLOSE = ("{", "<", "["), ("}", ">", "]")
_AN_ITEM = "item { id: 1 name: '…' } for every class"


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def read_items(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield for each `item { … }` the line it starts in and its fields with a single value; others are left out.

    Raises:
        OddemoError: Naming the first line that cannot be understood.
    """
    tokens = list(_tokens(text))[::-1]
    while tokens:
        first = tokens.pop()
        if first.text != "item":
            raise malformed(first.line, repr(first.text))
        yield first.line, _fields(tokens, first.line)


def quoted(text: str) -> str:
    """Return `text` as a string of the text format, in double quotes, on one line."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\{ord(match.group()):03o}", text) + '"'


def malformed(line: int, found: str, *, expected: str = _AN_ITEM) -> OddemoError:
    """Return the error for a line that cannot be understood."""
    return OddemoError(f"The label map is malformed at line {line}.", expected=expected, found=found)


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise malformed(line, repr(text[position : position + 20]))
        if match.lastgroup != "skip":
            yield _Token(str(match.lastgroup), match.group(), line)
        line += match.group().count("\n")
        position = match.end()


def _fields(tokens: list[_Token], line: int) -> dict[str, str]:
    """Pop `{ field: value … }` from the end of `tokens`."""
    opening = _value_token(tokens, line)
    if opening.text not in ("{", "<"):
        raise malformed(opening.line, repr(opening.text))
    fields: dict[str, str] = {}
    while True:
        token = _pop(tokens, line)
        if token.text == _CLOSE[_OPEN.index(opening.text)]:
            return fields
        if token.kind != "word":
            raise malformed(token.line, repr(token.text), expected="a field, or the end of the item")
        value = _value_token(tokens, line)
        if value.text in _OPEN:
            _pop_block(tokens, value.line)
        elif value.kind == "sign":
            raise malformed(token.line, f"{token.text} {value.text}", expected="a field with a value")
        else:
            fields[token.text] = _value(tokens, value)


def _pop(tokens: list[_Token], line: int) -> _Token:
    if not tokens:
        raise malformed(line, "the end of the file inside this item")
    return tokens.pop()


def _value_token(tokens: list[_Token], line: int) -> _Token:
    token = _pop(tokens, line)
    return _pop(tokens, line) if token.text == ":" else token


def _pop_block(tokens: list[_Token], line: int) -> None:
    depth = 1
    while depth:
        token = _pop(tokens, line)
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)


def _value(tokens: list[_Token], token: _Token) -> str:
    if token.kind == "word":
        return token.text
    pieces = [token.text[1:-1]]
    while tokens and tokens[-1].kind == "text":
        pieces.append(tokens.pop().text[1:-1])
    raw = b"".join(_ESCAPE.sub(_unescaped, piece.encode()) for piece in pieces)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise malformed(token.line, repr(raw), expected="a name in UTF-8") from None


def _unescaped(match: re.Match[bytes]) -> bytes:
    code: bytes = match.group(1)
    if len(code) > 1 and code[:1] in (b"u", b"U"):
        return chr(min(int(code[1:], 16), 0x10FFFF)).encode(errors="replace")
    if len(code) > 1 and code[:1] == b"x":
        return bytes([int(code[1:], 16)])
    if re.fullmatch(rb"[0-7]+", code):
        return bytes([int(code, 8) & 0xFF])
    return _SHORT_ESCAPES.get(code, code)
