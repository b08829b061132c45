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
#: Weight decay and L1 weight. With the weights of the shipped inspection detector both add about 11 to the loss.
DECAY, L1 = 1e-2, 5e-4
STOP_EVERY, PATIENCE = 60, 2
QUARTER = {"steps": 0.25, "warmup_steps": 0.25}
FOURFOLD = {"steps": 4.0, "warmup_steps": 4.0}


def trial(
    also_on: str = "", stop_every: int = 0, scale: Mapping[str, float] | None = None, **entry: Any
) -> DetectorTrial:
    """Return the trial of one condition.

    Args:
        also_on: Another split to measure on.
        stop_every: Steps between two measurements of early stopping; 0 for none.
        scale: Entry of the recipe → factor on it.
        **entry: Entry of the recipe → value.
    """
    recipe = {**BASE, **entry}
    how: dict[str, Any] = {"also_on": also_on, "stop_every": stop_every, "patience": PATIENCE}
    return DetectorTrial(changes=(TakeFew(PICTURES),), recipe=recipe, scale=dict(scale or {}), **how)


def condition(name: str, words: str, one: DetectorTrial) -> Condition:
    """Return a condition that is compared with the reference."""
    return Condition(name, words, one, against=REFERENCE)


STUDY = Study(
    name="hyperparameters",
    question="What do learning rate, batch size, weight decay and the number of steps change, each by itself?",
    conditions=(
        Condition(REFERENCE, "reference", trial(also_on="val")),
        condition("rate_tenth", "learning rate / 10", trial(scale={"learning_rate": 0.1})),
        condition("rate_tenfold", "learning rate × 10", trial(scale={"learning_rate": 10.0})),
        condition("constant_rate", "constant learning rate", trial(schedule="constant")),
        condition("batch_fourfold", "batch size × 4, steps / 4", trial(scale={"batch_size": 4.0, **QUARTER})),
        condition("decay", f"weight decay {DECAY}", trial(weight_decay=DECAY)),
        condition("l1", f"L1 weight {L1}", trial(l1_weight=L1)),
        condition("steps_quarter", "steps / 4", trial(also_on="val", scale=QUARTER)),
        condition("steps_fourfold", "steps × 4", trial(also_on="val", scale=FOURFOLD)),
        Condition(
            "stopped_early",
            "steps × 4, stopped early",
            trial(also_on="val", stop_every=STOP_EVERY, scale=FOURFOLD),
            against="steps_fourfold",
        ),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how=f"{PICTURES} training pictures, drawn by the seed; reference: {BASE['steps']} steps of {BASE['batch_size']} "
    "pictures, Adam at 0.003 with a cosine down to 0. The larger batch sees as many pictures as the reference. A "
    "learning rate that is told stays as it is when the batch changes. Early stopping measures on validation pictures "
    f"every {STOP_EVERY} steps and ends after {PATIENCE} measurements without a new best, whose weights are kept. "
    "val_ap: the same detector on validation pictures, where the number of steps is chosen.",
)
