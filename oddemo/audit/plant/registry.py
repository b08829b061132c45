"""All planted deployments."""

from __future__ import annotations

from pathlib import Path

from oddemo.audit.plant import client, configured, graph, held_out
from oddemo.audit.plant.record import Plant
from oddemo.audit.plant.weights import PLANTS as WEIGHT_PLANTS
from oddemo.errors import OddemoError

PLANTS: tuple[Plant, ...] = (
    *graph.PLANTS,
    *WEIGHT_PLANTS,
    *configured.PLANTS,
    *client.PLANTS,
    *held_out.PLANTS,
)
#: Names of those on which no probe was tuned.
HELD_OUT = frozenset(plant.name for plant in held_out.PLANTS)


def plants_of(fault: str) -> tuple[Plant, ...]:
    """Return every way of planting a fault.

    Raises:
        OddemoError: If there is none.
    """
    found = tuple(plant for plant in PLANTS if plant.fault == fault)
    if not found:
        raise OddemoError(
            f"There is no way to plant {fault!r}.", expected=", ".join(sorted({plant.fault for plant in PLANTS}))
        )
    return found


def find_plant(name: str) -> Plant:
    """Return a planted fault by `fault` (its first variant) or `fault/variant`.

    Raises:
        OddemoError: If there is none.
    """
    fault, _, variant = name.partition("/")
    known = plants_of(fault)
    for one in known:
        if one.variant == (variant or known[0].variant):
            return one
    raise OddemoError(f"There is no variant {variant!r} of {fault}.", expected=", ".join(one.variant for one in known))


def plant(name: str, detector: Path, folder: Path) -> str:
    """Make a broken deployment of a detector.

    Args:
        name: `fault` for its first variant, or `fault/variant`.
        detector: Detector folder.
        folder: Where the deployment is written.

    Returns:
        Its source, `kind:place`.

    Raises:
        OddemoError: If there is no such plant, or the folder is taken.
    """
    return find_plant(name).make(Path(detector), Path(folder))
