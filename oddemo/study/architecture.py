"""The study of architectures: a light detector and a powerful one, with few pictures and many, for short and long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oddemo.study.changes import TakeFew
from oddemo.study.design import Condition, Study
from oddemo.study.pretrained import PretrainedTrial

FEW, MANY = 20, 200
#: Steps of the trainings. The light detector does `LONG` in about the time that the powerful one needs for `USUAL`:
#: each run tells the processor time that it took.
SHORT, USUAL, LONG = 75, 300, 1200
LIGHT: Mapping[str, Any] = {"resnet_depth": 10, "width": 0.25}
MOBILE: Mapping[str, Any] = {"backbone": "mobilenet", "width": 0.35}
POWERFUL: Mapping[str, Any] = {"resnet_depth": 18, "width": 1.0}
FIRST = {"steps": 600, "batch_size": 4, "pre_nms_top_k": 200}
RECIPE = {"batch_size": 4, "warmup_steps": 20, "pre_nms_top_k": 200}


def trial(model: Mapping[str, Any], steps: int, pictures: int = MANY) -> PretrainedTrial:
    """Return the trial of an architecture, a number of steps, and a number of training pictures."""
    return PretrainedTrial(model=model, first=FIRST, recipe={**RECIPE, "steps": steps}, changes=(TakeFew(pictures),))


STUDY = Study(
    name="architecture",
    question="Is the powerful detector better than the light one: with few pictures, with many, at equal steps, in "
    "equal time?",
    conditions=(
        Condition("light", f"light, {USUAL} steps", trial(LIGHT, USUAL)),
        Condition("powerful", f"powerful, {USUAL} steps", trial(POWERFUL, USUAL), against="light"),
        Condition("mobile", f"MobileNetV2, {USUAL} steps", trial(MOBILE, USUAL), against="light"),
        Condition("light_few", f"light, {FEW} pictures", trial(LIGHT, USUAL, FEW), against="light"),
        Condition("powerful_few", f"powerful, {FEW} pictures", trial(POWERFUL, USUAL, FEW), against="light_few"),
        Condition("light_short", f"light, {SHORT} steps", trial(LIGHT, SHORT), against="light"),
        Condition("powerful_short", f"powerful, {SHORT} steps", trial(POWERFUL, SHORT), against="light_short"),
        Condition("light_long", f"light, {LONG} steps", trial(LIGHT, LONG), against="powerful"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how=f"light: ResNet-10 of a quarter of its width; powerful: ResNet-18 of its whole width; MobileNetV2 of 0.35 of "
    f"its width. Each starts from a detector of its own, trained from drawn weights on the world wildlife with "
    f"{FIRST['steps']} steps of {FIRST['batch_size']}; then steps of {RECIPE['batch_size']} on {MANY} pictures where "
    f"nothing else is said. Equal steps are not equal computing time: the light one with {LONG} steps is compared with "
    f"the powerful one with {USUAL}, and the processor time of each training is told.",
)
