"""The study of training pictures that are few, that are bright, or whose objects lie in the middle."""

from __future__ import annotations

from oddemo.study.changes import Change, LeanToLight, LeanToMiddle, MixedWithFresh, TakeFew
from oddemo.study.design import Condition, Study
from oddemo.study.detecting import DetectorTrial

#: Pictures of a training set, and where they are scarce.
PICTURES, SCARCE = 60, 15
#: How many of them are replaced by pictures that do not lean, as a cure.
FRESH = 12
RECIPE = {"steps": 150, "batch_size": 4, "warmup_steps": 20, "pre_nms_top_k": 200}
BRIGHT, MIDDLE = LeanToLight(part=1 / 3), LeanToMiddle(part=1 / 3)


def trial(*changes: Change) -> DetectorTrial:
    """Return the trial of one way to come by training pictures."""
    return DetectorTrial(changes=changes, recipe=RECIPE, weak_spots=True)


def leaning(change: Change) -> DetectorTrial:
    """Return the trial of pictures drawn from those that a change leaves."""
    return trial(change, TakeFew(PICTURES))


STUDY = Study(
    name="bias",
    question="What do scarce, bright or centred training pictures cost, where, and does a cheap cure win it back?",
    conditions=(
        Condition("even", f"{PICTURES} pictures, drawn evenly", trial(TakeFew(PICTURES))),
        Condition("scarce", f"{SCARCE} pictures, drawn evenly", trial(TakeFew(SCARCE)), against="even"),
        Condition("bright", f"{PICTURES} of the brightest third", leaning(BRIGHT), against="even"),
        Condition(
            "bright_mixed",
            f"… and {FRESH} of them drawn evenly",
            trial(MixedWithFresh(BRIGHT, PICTURES, FRESH)),
            against="bright",
        ),
        Condition("centred", f"{PICTURES} of the most centred third", leaning(MIDDLE), against="even"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "dark_ap", "border_ap"),
    how="Leaning sets are drawn by the seed from the brightest, or the most centred, third of the training pictures. "
    "The number of steps is the same for all. dark_ap: on the darkest third of the test pictures; border_ap: on the "
    "objects whose middle lies in the outer half of a test picture's area. training_brightness, training_off_centre: "
    "how far the training pictures lean, from 0 to 1.",
)
