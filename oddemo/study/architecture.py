"""The study of architectures: a light detector and a powerful one, with few training pictures and with many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oddemo.study.changes import Change, TakeFew
from oddemo.study.design import Condition, Study
from oddemo.study.pretrained import PretrainedTrial

FEW, MANY = 20, 200
#: Twice the filters: four times the weights of the backbone.
LIGHT: Mapping[str, Any] = {"resnet_depth": 10, "width": 0.25}
POWERFUL: Mapping[str, Any] = {"resnet_depth": 10, "width": 0.5}
FIRST = {"steps": 600, "batch_size": 4, "pre_nms_top_k": 200}
RECIPE = {"steps": 150, "batch_size": 4, "warmup_steps": 20, "pre_nms_top_k": 200}


def trial(model: Mapping[str, Any], *changes: Change) -> PretrainedTrial:
    """Return the trial of an architecture on changed pictures."""
    return PretrainedTrial(model=model, first=FIRST, recipe=RECIPE, changes=changes)


STUDY = Study(
    name="architecture",
    question="Is the powerful detector better than the light one, with few training pictures and with many?",
    conditions=(
        Condition("light_few", f"light, {FEW} pictures", trial(LIGHT, TakeFew(FEW))),
        Condition("powerful_few", f"powerful, {FEW} pictures", trial(POWERFUL, TakeFew(FEW)), against="light_few"),
        Condition("light_many", f"light, {MANY} pictures", trial(LIGHT, TakeFew(MANY)), against="light_few"),
        Condition("powerful_many", f"powerful, {MANY} pictures", trial(POWERFUL, TakeFew(MANY)), against="light_many"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how=f"light: ResNet-10 of a quarter of its width; powerful: of half its width. Each starts from a detector of its "
    f"own, trained from drawn weights on the world wildlife with {FIRST['steps']} steps of {FIRST['batch_size']}; then "
    f"{RECIPE['steps']} steps of {RECIPE['batch_size']} on the pictures of the condition, for both alike: equal steps, "
    "not equal computing time.",
)
