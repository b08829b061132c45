"""Faults in the weights that get exported."""

from __future__ import annotations

from oddemo.audit.plant.record import Parts, Plant

PLANTS = (
    Plant(
        "wrong_checkpoint",
        "moved_a_little",
        "The export was made from another checkpoint of the same training.",
        Parts(weights_moved=0.02),
    ),
    Plant(
        "wrong_checkpoint",
        "moved_far",
        "The export was made from a checkpoint of another training.",
        Parts(weights_moved=0.2),
    ),
)
