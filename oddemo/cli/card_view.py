"""Contract cards and their differences as tables on a terminal; names from files lose their control signs."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oddemo.export.cards.card import FACTS, ContractCard, Fact, as_text
from oddemo.export.cards.compare_weights import WeightComparison
from oddemo.export.cards.diff import Difference, only_in_one


def plain(text: str, style: str = "") -> Text:
    """Return text that a terminal shows as it is: no markup, no escape sequences."""
    return Text(
        "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text), style
    )


def _table(*columns: str) -> Table:
    return Table(*columns, show_edge=False, pad_edge=False)


def print_card(card: ContractCard) -> None:
    """Print one card."""
    console = Console(highlight=False)
    console.print(plain(f"{card.kind}  {card.path}", "bold"))
    for signature in card.signatures:
        console.print(plain(f"\nsignature {signature.name}"))
        for side, specs in (("in ", signature.inputs), ("out", signature.outputs)):
            for spec in specs:
                console.print(plain(f"  {side}  {_spec(spec.to_json())}"))
    table = _table("fact", "value", "found at")
    for name, (label, _) in FACTS.items():
        fact = card.facts[name]
        if fact.known:
            table.add_row(plain(label), plain(as_text(fact.value)), plain(_where(fact), "dim"))
    if table.row_count:
        console.print()
        console.print(table)
    lacking = [FACTS[name][0] for name in FACTS if not card.facts[name].known]
    if lacking:
        console.print(plain(f"\nNot found: {', '.join(lacking)}", "dim"))
    _print_dangers(console, card)
    if card.weights is not None:
        weights = card.weights
        told = f"\nweights  {weights.fingerprint}: {weights.tensors} tensors, {weights.parameters:,} numbers"
        console.print(plain(told))
        if weights.average_fingerprint is not None:
            console.print(plain(f"averaged {weights.average_fingerprint}: {weights.average_tensors} tensors"))
    for note in card.notes:
        console.print(plain(f"\nnote: {note}"))


def _where(fact: Fact) -> str:
    """Return where a fact was found, without the long name of the function that was traced."""
    place = (fact.found_at or "").partition(" in __inference")[0]
    return " · ".join(part for part in (place, fact.note) if part)


def _print_dangers(console: Console, card: ContractCard) -> None:
    if not card.dangers:
        console.print(plain("\nNo operation that touches files or the network, runs Python or needs foreign code."))
        return
    console.print(plain("\nNot safe to load without knowing where it comes from:", "bold red"))
    for danger in card.dangers:
        times = f" ({danger.count} times)" if danger.count > 1 else ""
        console.print(plain(f"  {danger.op} {danger.risk}{times}: {danger.found_at}"))


def _spec(spec: dict[str, Any]) -> str:
    shape = "any rank" if spec["shape"] is None else as_text(spec["shape"])
    return f"{spec['name']}: {spec['dtype']} {shape}"


def _cell(field: str, value: Any) -> str:
    """Return a value for a table; the inputs or outputs of a signature one a line."""
    return "\n".join(map(_spec, value)) if field.startswith("signature.") else as_text(value)


def print_differences(
    first: ContractCard, second: ContractCard, differences: list[Difference], weights: WeightComparison | None
) -> None:
    """Print in which fields two cards differ, what only one of them tells, and how their weights are related."""
    console = Console(highlight=False)
    console.print(plain(f"A  {first.kind}  {first.path}\nB  {second.kind}  {second.path}\n", "bold"))
    if not differences:
        console.print(plain("No difference in what both cards tell."))
    else:
        table = _table("stage", "field", "A", "B", "what it means")
        for item in differences:
            values = (_cell(item.field, item.first), _cell(item.field, item.second))
            table.add_row(*(plain(cell) for cell in (item.stage, item.label, *values, item.meaning)))
        console.print(table)
    lone = only_in_one(first, second)
    if lone:
        listed = ", ".join(f"{FACTS[name][0]} (only {side})" for name, side in lone)
        console.print(plain(f"\nTold by one card only, so not compared: {listed}", "dim"))
    if weights is not None:
        console.print(plain(f"\nWeights: {weights.meaning}"))
