"""The study of class imbalance: what a rare class loses, what wins it back, and what the common ones pay for it."""

from __future__ import annotations

from typing import Any

from oddemo.study.changes import Change, MakeRare, Oversample, PasteRare, RepeatFactors, TakeAsMany, Undersample
from oddemo.study.design import Condition, Study
from oddemo.study.detecting import DetectorTrial

RARE = ("crack", "Platelets")
#: How many pictures of a training set show the rare class, and how many it has at most.
WITH_RARE, PICTURES = 12, 300
PLANTED = MakeRare(RARE, WITH_RARE, most=PICTURES)


def trial(*cure: Change, **more: Any) -> DetectorTrial:
    """Return the trial of one cure on pictures in which the class is rare."""
    return DetectorTrial(changes=(PLANTED, *cure), rare=RARE, **more)


STUDY = Study(
    name="imbalance",
    question="What does a class lose that few pictures show, what wins it back, and what do the other classes pay?",
    conditions=(
        Condition("rare", "the class is left rare", trial()),
        Condition(
            "plenty",
            "the class is not rare",
            DetectorTrial(changes=(TakeAsMany(PLANTED),), rare=RARE),
            against="rare",
        ),
        Condition("oversampled", "pictures with it repeated", trial(Oversample()), against="rare"),
        Condition("undersampled", "pictures without it left out", trial(Undersample()), against="rare"),
        Condition("repeat_factor", "repeat-factor sampling", trial(RepeatFactors(threshold=0.5)), against="rare"),
        Condition("pasted", "objects cut out and pasted", trial(PasteRare(RARE, part=0.5)), against="rare"),
        Condition("weighted", "class weights in the loss", trial(weigh_classes=0.5), against="rare"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("rare_ap", "common_ap", "rare_ap50", "common_ap50", "ap"),
    how=f"In the training sets {WITH_RARE} pictures show the rare class (inspection: crack, bccd: Platelets), drawn by "
    "the seed, but not in `plenty`, which has as many pictures in all. The number of training steps is the same for "
    "all conditions. Measured on test pictures in which the class is not rare.",
)
