"""In which form a functional model's file names its inputs and outputs, and whether a runtime's Keras takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oddemo.export.loading.offers import Runtime, keras_table
from oddemo.export.loading.record import FAILS, UNKNOWN, Reason

FUNCTIONAL = ("Functional", "Model")
_IN_WORDS = {
    "flat": "as one flat list (LAYER, NODE, NUMBER)",
    "listed": "as a list of lists",
    "named": "under names",
}


def form_reasons(config: Any, place: str, runtime: Runtime, *, archive: bool) -> Iterator[Reason]:
    """Look at one functional model, wherever it stands in a configuration.

    Args:
        config: Its `config`.
        place: Where it stands.
        runtime: Where it is rebuilt.
        archive: Whether the file is a .keras archive, and not HDF5.
    """
    container = "archive" if archive else "h5"
    for key, taken in runtime.of_keras("forms")[container].items():
        if not isinstance(config, dict) or key not in config:
            continue
        form = form_of(config[key])
        if form in taken:
            continue
        what = f"{key} names them {_IN_WORDS[form]}" if form else f"{key} has a form of its own"
        where = f"{place}.{key}"
        if form and any(form in forms[container][key] for forms in keras_table()["forms"].values()):
            yield Reason("form_refused", FAILS, f"{what}, at which Keras {runtime.keras} stops", where)
        else:
            yield Reason("form_unknown", UNKNOWN, f"{what}, for which no Keras was asked", where)


def form_of(value: Any) -> str | None:
    """Return `flat`, `listed` or `named`, None for anything else.

    Args:
        value: The places of tensors (layer, node, number): one alone, several in a list, or under names.
    """
    if _is_place(value):
        return "flat"
    if isinstance(value, list) and all(map(_is_place, value)):
        return "listed"
    if isinstance(value, dict) and all(map(_is_place, value.values())):
        return "named"
    return None


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and all(isinstance(number, int) for number in value[1:])
    )
