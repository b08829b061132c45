"""Which pictures a report shows: those on which the two sides are least alike."""

from __future__ import annotations

import numpy as np

from oddemo.audit.match import likeness
from oddemo.audit.verdict import Material


def choose_pictures(material: Material, count: int) -> list[tuple[int, float | None]]:
    """Return (index, likeness) of the pictures that differ most, the worst first; equal ones in their order.

    Args:
        material: What the audit was made from.
        count: How many pictures at the most.
    """
    reference, candidate = material.reference, material.candidate
    if not (reference.detections and candidate.detections):
        return [(index, None) for index in range(min(count, len(reference.image_names)))]
    alike = [likeness(one, two) for one, two in zip(reference.detections, candidate.detections, strict=True)]
    order = np.argsort(np.round(alike, 3), kind="stable")[:count]
    return [(int(index), alike[index]) for index in order]
