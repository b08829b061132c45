"""The operations that TensorFlow itself registers, and the first tested version that has each.

`known_ops.txt` holds one operation a line, `Name` or `Name version`: the oldest of the tested versions that registers
it, left out for what the oldest tested one has. It was written from each version's own `TF_GetAllOpList`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

#: Versions whose registries were read, oldest first.
TESTED = ("2.8.4", "2.12.1", "2.15.1", "2.16.2", "2.18.1", "2.20.0", "2.21.0")

#: Operations that graphs hold without any registry: arguments and results of functions, after some rewriters.
_INTERNAL = frozenset({"", "_Arg", "_Retval", "_HostSend", "_HostRecv", "_Send", "_Recv", "NoOp"})


@cache
def _registry() -> dict[str, str]:
    text = resources.files("oddemo.export.cards").joinpath("known_ops.txt").read_text(encoding="utf-8")
    return {name: version for name, _, version in (line.partition(" ") for line in text.splitlines())}


def is_known(op: str) -> bool:
    """Return whether a tested TensorFlow version registers an operation."""
    return op in _INTERNAL or op in _registry()


def oldest_with(ops: set[str]) -> tuple[str, str | None]:
    """Return the oldest tested version that registers all of TensorFlow's operations among `ops`.

    Returns:
        `(version, operation)`: the operation that came last, None if the oldest tested version has them all.
    """
    registry = _registry()
    newest = max(ops, key=lambda op: (_order(registry.get(op, "")), op), default="")
    version = registry.get(newest, "")
    return (version, newest) if version else (TESTED[0], None)


def _order(version: str) -> int:
    return TESTED.index(version) if version in TESTED else 0
