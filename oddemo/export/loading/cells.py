"""Predictions in the words of the version matrix, so that they can be held against what happened."""

from __future__ import annotations

from pathlib import Path

from oddemo.export.loading.checkpoint_rules import ASSERTED
from oddemo.export.loading.predict import predict
from oddemo.export.loading.record import CHANGES, FAILS, LOADS, UNKNOWN
from oddemo.export.loading.target import parse_target

_OUTCOMES = {LOADS: "same", CHANGES: "changed", FAILS: "fails", UNKNOWN: "unknown"}


def foresee(form: str, path: Path, versions: dict[str, str]) -> tuple[str, str | None]:
    """Return the outcome that is predicted for a cell, and the first reason for it.

    Args:
        form: Format of the matrix; of a checkpoint it says whether the restoring is asserted.
        path: The file or folder that the producer wrote.
        versions: Of the lane that will read it.
    """
    found = predict(path, parse_target(f"tensorflow=={versions['tensorflow']},keras=={versions['keras']}"))
    asserted = [reading for reading in found.readings if reading.how == ASSERTED]
    reading = asserted[0] if form == "checkpoint_asserted" else found.readings[0]
    because = next((one.text for one in reading.reasons if one.outcome == reading.outcome), None)
    return _OUTCOMES[reading.outcome], because
