"""The study of label noise: what each kind of faulty label costs, and what cleaning wins back."""

from __future__ import annotations

from dataclasses import replace

from oddemo.study.design import Condition, Study
from oddemo.study.noisy_labels import NoisyTrial

#: Part of the labels that have a fault of one kind, and of each kind where all come together.
ONE_KIND, EACH_KIND = 0.4, 0.15

MIXED = NoisyTrial(shifted=EACH_KIND, dropped=EACH_KIND, swapped=EACH_KIND, added=EACH_KIND)

STUDY = Study(
    name="label_noise",
    question="What do shifted, forgotten and swapped labels cost, and how much of it does cleaning win back?",
    conditions=(
        Condition("clean", "labels as they are", NoisyTrial()),
        Condition("shifted", "40 % of the boxes shifted", NoisyTrial(shifted=ONE_KIND), against="clean"),
        Condition("dropped", "40 % of the boxes forgotten", NoisyTrial(dropped=ONE_KIND), against="clean"),
        Condition("swapped", "40 % of the boxes of another class", NoisyTrial(swapped=ONE_KIND), against="clean"),
        Condition("mixed", "15 % of every kind", MIXED, against="clean"),
        Condition("cleaned", "15 % of every kind, then cleaned", replace(MIXED, clean_folds=2), against="mixed"),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how="A shifted box moves by 35 % of its sides. Cleaning: detectors trained on one half of the faulty set judge the "
    "other half; cleanlab's scores and labels in which the detector sees nothing give the suspects, which are repaired "
    "as the detector says. precision, recall: of the planted faults among the suspects; cleanlab_alone: its scores "
    "from the detector's own, with its own limits of probability.",
)
