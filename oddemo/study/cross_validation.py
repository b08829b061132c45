"""The study of cross-validation: what one split of a small set into learning and measuring hides."""

from __future__ import annotations

from oddemo.study.design import Condition, Study
from oddemo.study.held_out_parts import HeldOutTrial

PICTURES, PARTS = 100, 5
RECIPE = {"steps": 150, "batch_size": 4, "warmup_steps": 20, "pre_nms_top_k": 200}


def trial(*, another_part: bool) -> HeldOutTrial:
    """Return the trial of runs that differ in the part held back, or in the seed of the training."""
    return HeldOutTrial(another_part=another_part, pictures=PICTURES, parts=PARTS, recipe=RECIPE)


STUDY = Study(
    name="cross_validation",
    question="How far does a number from one held-out part move with the part, and how far with the training's seed?",
    conditions=(
        Condition("one_part", "one part, five seeds", trial(another_part=False)),
        Condition("every_part", "five parts, one seed", trial(another_part=True), against="one_part"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("held_ap", "ap"),
    seeds=PARTS,
    how=f"The same {PICTURES} pictures in all runs of a world, cut into {PARTS} parts; one is held back. held_ap: on "
    "that part. ap: the same detector on the world's test pictures. The comparison says how far the first part alone "
    "lies from all parts.",
)
