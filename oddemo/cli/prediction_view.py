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


#: Of a call that is for other files: that it refuses this one says nothing about it.
_NOT_MEANT = ("–", "not for this", "dim")


def said(outcome: str) -> str:
    """Return an outcome with its sign, in words."""
    return " ".join(_LOOK[outcome][:2])


def print_predictions(found: Sequence[Prediction]) -> None:
    """Print what each runtime makes of one artefact."""
    console = Console(highlight=False)
    console.print(plain(f"{found[0].kind}  {found[0].path}", "bold"))
    if len(found) > 1:
        table = Table(show_edge=False, pad_edge=False)
        for name in ("TensorFlow", "Keras"):
            table.add_column(name, no_wrap=True)
        for reading in found[0].readings:
            table.add_column(escape(reading.how), overflow="fold")
        for one in found:
            table.add_row(*map(plain, one.target.versions), *(_cell(reading) for reading in one.readings))
        console.print(table)
    # Reason → whether a call that is for such a file has it.
    reasons: dict[tuple[str, str, str], bool] = {}
    for one in found:
        if len(found) == 1:
            for reading in one.readings:
                console.print(plain(f"{one.target.asked}: "), _cell(reading), plain(f"with {reading.how}"))
        for reading in one.readings:
            for reason in reading.reasons:
                key = (reason.outcome, reason.text, reason.found_at or "")
                reasons[key] = reasons.get(key, False) or reading.meant
    if reasons:
        console.print()
    for (outcome, text, where), meant in reasons.items():
        sign = _LOOK[outcome][0] if meant else _NOT_MEANT[0]
        console.print(plain(f"{sign} {text}" + (f"  (at {where})" if where else "")))
    for note in dict.fromkeys(note for one in found for note in one.notes):
        console.print(plain(f"\nnote: {note}"))


def _cell(reading: Reading) -> Text:
    if not reading.meant:
        return plain(" ".join(_NOT_MEANT[:2]), _NOT_MEANT[2])
    return plain(said(reading.outcome), _LOOK[reading.outcome][2])
