"""Variables of a SavedModel whose declared shape is not the stored one: such a file is written, and cannot be loaded.

The exporter of the Object Detection API leaves one when `num_classes` is not that of the training, and ends without an
error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oddemo.export.cards.bundle import object_graph, read_bundle
from oddemo.export.cards.tensors import shape_of
from oddemo.export.cards.wire import Message

#: Field of a MetaGraphDef with its objects, of an object that is a variable, of a variable's shape and name.
_OBJECTS, _VARIABLE, _SHAPE, _NAME = 7, 7, 2, 6


@dataclass(frozen=True)
class Conflict:
    """One variable.

    Attributes:
        name: Its name.
        declared: The shape with which the graph was built.
        stored: The shape in the file of weights.
    """

    name: str
    declared: tuple[int | None, ...]
    stored: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} is declared {list(self.declared)} and stored {list(self.stored)}"


def shape_conflicts(graph: Message, folder: Path) -> tuple[Conflict, ...]:
    """Return the variables that cannot take the weights that lie beside them.

    Args:
        graph: A MetaGraphDef.
        folder: Of the SavedModel.

    Raises:
        OddemoError: If the weights are not whole.
    """
    prefix = folder / "variables" / "variables"
    if not prefix.with_name("variables.index").exists():
        return ()
    bundle = read_bundle(prefix)
    # Objects of the graph and of the weights have the same numbers: a loader relies on it.
    keys = [
        next((attribute.text(3) for attribute in node.messages(2) if attribute.text(3)), "")
        for node in object_graph(bundle)
    ]
    found = []
    for key, node in zip(keys, graph.message(_OBJECTS).messages(1), strict=False):
        entry = bundle.entries.get(key)
        if entry is None or not node.has(_VARIABLE):
            continue
        variable = node.message(_VARIABLE)
        declared = shape_of(variable.message(_SHAPE))
        if declared is not None and not _fits(declared, entry.shape):
            found.append(Conflict(variable.text(_NAME) or key, declared, entry.shape))
    return tuple(found)


def in_words(conflicts: tuple[Conflict, ...]) -> str:
    """Say what does not fit, and what to ask."""
    more = f", and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
    return f"{conflicts[0]}{more}. Was it exported for another number of classes?"


def _fits(declared: tuple[int | None, ...], stored: tuple[int, ...]) -> bool:
    return len(declared) == len(stored) and all(a in (None, b) for a, b in zip(declared, stored, strict=True))
