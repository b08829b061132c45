"""What runtimes make of an artefact, as text on a terminal: the answer first, then every reason."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from oddemo.cli.card_view import plain
from oddemo.export.loading.record import CHANGES, FAILS, LOADS, UNKNOWN, Prediction, Reading

#: Outcome → sign, words, style.
_LOOK = {
    LOADS: ("✓", "loads", "bold green"),
    CHANGES: ("!", "loads, and changes", "bold yellow"),
    UNKNOWN: ("?", "cannot be told", "bold"),
    FAILS: ("✗", "fails", "bold red"),
}


def said(outcome: str) -> str:
    """Return an outcome with its sign, in words."""
    return " ".join(_LOOK[outcome][:2])


def print_predictions(found: Sequence[Prediction]) -> None:
    """Print what each runtime makes of one artefact."""
    console = Console(highlight=False)
    console.print(plain(f"{found[0].kind}  {found[0].path}", "bold"))
    if len(found) > 1:
        table = Table("runtime", *(escape(reading.how) for reading in found[0].readings), show_edge=False)
        for one in found:
            table.add_row(plain(one.target.asked), *(_cell(reading) for reading in one.readings))
        console.print(table)
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        if len(found) == 1:
            for reading in one.readings:
                console.print(plain(f"{one.target.asked}: "), _cell(reading), plain(f"with {reading.how}"))
        for reading in one.readings:
            for reason in reading.reasons:
                key = (reason.outcome, reason.text, reason.found_at or "")
                reasons.setdefault(key, []).append(one.target.asked)
    if reasons:
        console.print()
    for outcome, text, where in reasons:
        console.print(plain(f"{_LOOK[outcome][0]} {text}" + (f"  (at {where})" if where else "")))
    for note in dict.fromkeys(note for one in found for note in one.notes):
        console.print(plain(f"\nnote: {note}"))


def _cell(reading: Reading) -> Text:
    return plain(said(reading.outcome), _LOOK[reading.outcome][2])
