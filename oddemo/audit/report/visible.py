"""Text from outside, such as the names of files and classes, made safe to show: what cannot be seen is spelt out."""

from __future__ import annotations

import unicodedata

#: Unicode categories without a glyph: control, format (such as a change of the writing direction), unassigned and
#: surrogate characters, separators of lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Return the text with every character that has no glyph as an escape, such as `\n`, `\x1b` or `\u202e`.

    A name can then neither move the cursor of a terminal nor turn the direction of the text around it.
    """
    return "".join(_spelt(letter) if unicodedata.category(letter) in _UNSEEN else letter for letter in text)


def _spelt(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def shortened(text: str, length: int) -> str:
    """Return at most `length` letters of the visible text, the last of them `…` if something is left out."""
    seen = visible(text)
    return seen if len(seen) <= length else seen[: length - 1] + "…"
