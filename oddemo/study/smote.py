"""The study of SMOTE where it can be right: between the features of objects, not between their pixels."""

from __future__ import annotations

from oddemo.data.balance.classifiers import WAYS
from oddemo.study.changes import Change, TakeAsMany
from oddemo.study.crops import CropTrial
from oddemo.study.design import Condition, Study
from oddemo.study.imbalance import PLANTED, RARE, WITH_RARE


def trial(way: str, change: Change = PLANTED) -> CropTrial:
    """Return the trial of one way of balancing."""
    return CropTrial(way, (change,), RARE)


STUDY = Study(
    name="smote",
    question="Do new vectors between neighbours help a classifier of objects, and more than repeating the old ones?",
    conditions=(
        Condition("plain", WAYS["plain"], trial("plain")),
        *(Condition(way, words, trial(way), against="plain") for way, words in WAYS.items() if way != "plain"),
        Condition("smote_not_repeated", "SMOTE, against repeating", trial("smote"), against="repeated"),
        Condition("smote_not_limit", "SMOTE, against the limit", trial("smote"), against="limit"),
        Condition("plenty", "the class is not rare", trial("plain", TakeAsMany(PLANTED)), against="plain"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("order", "balanced", "recall", "precision"),
    seeds=20,
    how=f"A logistic regression tells the rare class (inspection: crack, bccd: Platelets) from all others by the "
    f"features of boxes cut out, those of another world's detector. {WITH_RARE} training pictures show the rare class, "
    "drawn by the seed. order: average precision, which knows no limit of probability; balanced (accuracy), recall and "
    "precision: with one half as the limit, but for `limit`. Measured on all boxes of the test pictures.",
)
