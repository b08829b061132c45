"""The study of hyperparameters: learning rate, batch size, regularisation and number of steps, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oddemo.study.changes import TakeFew
from oddemo.study.design import Condition, Study
from oddemo.study.detecting import DetectorTrial

#: Pictures of a training set: few, so that many steps can be too many.
PICTURES = 80
#: What the conditions start from. Fewer candidates before suppression halve the time of a prediction and leave the
#: average precision as it is.
BASE: Mapping[str, Any] = {"steps": 150, "batch_size": 4, "warmup_steps": 20, "pre_nms_top_k": 200}
REFERENCE = "reference"


def trial(also_on: str = "", decay: float = 0.0, **scale: float) -> DetectorTrial:
    """Return the trial of one condition.

    Args:
        also_on: Another split to measure on.
        decay: Weight decay.
        **scale: Entry of the recipe → factor on it.
    """
    recipe = {**BASE, "weight_decay": decay}
    return DetectorTrial(changes=(TakeFew(PICTURES),), recipe=recipe, scale=scale, also_on=also_on)


def condition(name: str, words: str, one: DetectorTrial) -> Condition:
    """Return a condition that is compared with the reference."""
    return Condition(name, words, one, against=REFERENCE)


STUDY = Study(
    name="hyperparameters",
    question="What do learning rate, batch size, weight decay and the number of steps change, each by itself?",
    conditions=(
        Condition(REFERENCE, "reference", trial(also_on="val")),
        condition("rate_tenth", "learning rate / 10", trial(learning_rate=0.1)),
        condition("rate_tenfold", "learning rate × 10", trial(learning_rate=10.0)),
        condition("batch_fourfold", "batch size × 4, steps / 4", trial(batch_size=4.0, steps=0.25, warmup_steps=0.25)),
        condition("decay", "weight decay 0.01", trial(decay=1e-2)),
        condition("steps_quarter", "steps / 4", trial(also_on="val", steps=0.25, warmup_steps=0.25)),
        condition("steps_fourfold", "steps × 4", trial(also_on="val", steps=4.0, warmup_steps=4.0)),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how=f"{PICTURES} training pictures, drawn by the seed; reference: {BASE['steps']} steps of {BASE['batch_size']} "
    "pictures, Adam at 0.003 with a cosine down to 0. The larger batch sees as many pictures as the reference. A "
    "learning rate that is told stays as it is when the batch changes. val_ap: the same detector on validation "
    "pictures, where the number of steps is chosen.",
)
