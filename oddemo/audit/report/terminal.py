"""The report of an audit in lines for a terminal, a log or a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from oddemo.audit.compare import StageResult
from oddemo.audit.diagnose import Cause
from oddemo.audit.faults.registry import fault
from oddemo.audit.report import words
from oddemo.audit.report.visible import visible
from oddemo.audit.stages import STAGES
from oddemo.audit.verdict import Audit

if TYPE_CHECKING:
    from rich.console import Console

_VERDICT_STYLE = {
    "faithful": "bold green",
    "benign": "bold blue",
    "diverges": "bold red",
    "unexplained": "bold magenta",
}
_STATUS_STYLE = {"equal": "green", "differs": "bold red", "not_compared": "dim"}
#: For consoles that cannot show the signs on the left.
_PLAIN: Mapping[str, str] = {
    "✓": "+",
    "✗": "x",
    "–": "-",
    "≈": "~",
    "−": "-",
    "←": "<-",
    "→": "->",
    "Δ": "change in ",
    "…": "...",
}
_WIDEST = max(map(len, STAGES))


def print_report(audit: Audit, console: Console, *, html: Path | None = None) -> None:
    """Print verdict, stages, causes with their fixes, and the change in mAP.

    Nothing hangs on colour. In a pipe no line is broken, and a fix is never broken or cut, so that it can be copied.

    Args:
        audit: What was found.
        console: Where to print; rich leaves out colours where they cannot be shown.
        html: Where the HTML report lies, if there is one.
    """
    printer = _Printer(console)
    verdict = words.verdict_words(audit)
    printer.line((f"{verdict.sign} {audit.verdict.upper()}", _VERDICT_STYLE[audit.verdict]), f"  {verdict.line}")
    printer.line(f"  reference  {audit.reference}")
    printer.line(f"  candidate  {audit.candidate}")
    printer.line()
    for result in audit.comparison.stages:
        _print_stage(printer, result, audit)
    for number, cause in enumerate(audit.causes, 1):
        printer.line()
        _print_cause(printer, cause, number)
    printer.line()
    if audit.delta_map is not None:
        short, meaning = words.delta_words(audit.delta_map)
        printer.line((f"ΔmAP {short}", "bold"), f"  {meaning}")
    for pointer in audit.weak_spots.pointers() if audit.weak_spots is not None else ():
        printer.line(("Weak  ", "bold"), pointer)
    if audit.errors is not None:
        for line in str(audit.errors).splitlines():
            printer.line("  ", line)
    printer.line(verdict.meaning)
    printer.line(("What to do  ", "bold"), verdict.action)
    for note in audit.notes:
        printer.line(("Note  ", "bold"), note)
    if html is not None:
        printer.line(("Report  ", "bold"), str(html), whole=True)


def _print_stage(printer: _Printer, result: StageResult, audit: Audit) -> None:
    sign, word = words.status_words(result)
    told = [word]
    if result.stage == audit.comparison.first_divergence:
        told.append("← first difference")
    if result.status == "differs":
        told += [words.pictures_differing(result, audit.comparison.images), result.detail]
    text = "  ".join(part for part in told if part)
    printer.line("  ", (sign, _STATUS_STYLE[result.status]), f" {result.stage:{_WIDEST}}  {text}")


def _print_cause(printer: _Printer, cause: Cause, number: int) -> None:
    known = fault(cause.id)
    printer.line((f"Cause {number}: {cause.id}", "bold"), f" ({known.title}), {words.certainty(cause)}")
    printer.line(f"  {words.cause_sentence(cause)}")
    printer.line(f"  evidence  {cause.evidence}")
    for claim in cause.also:
        printer.line(f"  fits as well  {claim}")
    for line in cause.fix.splitlines():
        printer.line(("  fix  ", "bold"), line, whole=True)
    printer.line(f"  taught in notebooks/{known.notebook}.ipynb")


class _Printer:
    """Prints lines made of parts, some of them styled, in letters that the console can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not (console.encoding or "ascii").lower().startswith("utf")

    def line(self, *parts: str | tuple[str, str], whole: bool = False) -> None:
        """Print one line; on a terminal it is wrapped between words, unless it has to stay whole."""
        from rich.text import Text

        shown = [self._shown(part) if isinstance(part, str) else (self._shown(part[0]), part[1]) for part in parts]
        keep = whole or not self._console.is_terminal
        self._console.print(Text.assemble(*shown), soft_wrap=keep, highlight=False)

    def _shown(self, text: str) -> str:
        seen = visible(text)
        if not self._plain:
            return seen
        for sign, plain in _PLAIN.items():
            seen = seen.replace(sign, plain)
        encoding = self._console.encoding or "ascii"
        return seen.encode(encoding, "backslashreplace").decode(encoding)
