"""What viewers show of an audit: pictures, and what was found on them."""

from __future__ import annotations

from oddemo.audit.verdict import Audit, Material
from oddemo.errors import OddemoError


def material_of(audit: Audit) -> Material:
    """Return what an audit was made from.

    Raises:
        OddemoError: If it is not there any more, or one side shows no detections.
    """
    if audit.material is None:
        raise OddemoError("This audit was read from a file, without its pictures.", do="run the audit again")
    for source, trace in ((audit.reference, audit.material.reference), (audit.candidate, audit.material.candidate)):
        if not trace.detections:
            raise OddemoError(
                f"{source} shows no detections, so there are no boxes to look at.",
                expected="detections of both sides",
                found=", ".join(trace.stages),
            )
    return audit.material
