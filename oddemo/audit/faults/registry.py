"""All causes, in pipeline order; within a stage, the more common ones first (CAUSES: 149 public threads)."""

from __future__ import annotations

from oddemo.audit.faults import boxes, geometry, image, labels, network, normalization, selection
from oddemo.audit.faults.record import Fault
from oddemo.audit.stages import stage_index
from oddemo.errors import OddemoError

#: Every registered cause.
FAULTS: tuple[Fault, ...] = tuple(
    sorted(
        image.FAULTS
        + normalization.FAULTS
        + geometry.FAULTS
        + network.FAULTS
        + boxes.FAULTS
        + selection.FAULTS
        + labels.FAULTS,
        key=lambda fault: stage_index(fault.shows_at),
    )
)


def fault(fault_id: str) -> Fault:
    """Return a cause by its id.

    Raises:
        OddemoError: If no cause has this id.
    """
    for entry in FAULTS:
        if entry.id == fault_id:
            return entry
    raise OddemoError(f"There is no fault {fault_id!r}.", expected=", ".join(sorted(entry.id for entry in FAULTS)))
