"""The study of augmentation: how much of it helps a small training set, and from where on it hurts."""

from __future__ import annotations

from oddemo.study.changes import TakeFew
from oddemo.study.design import Condition, Study
from oddemo.study.detecting import DetectorTrial

#: Pictures of a training set: few, so that there is something to gain.
PICTURES = 100
#: Strengths of distortion on top of mirroring and zooming.
STRENGTHS = (0.5, 1.0, 2.0, 4.0)
_NONE = {"flip_horizontal": False, "scale_min": 1.0, "scale_max": 1.0}


def trial(**recipe: float | bool) -> DetectorTrial:
    """Return the trial of one strength."""
    return DetectorTrial(changes=(TakeFew(PICTURES),), recipe=recipe)


STUDY = Study(
    name="augmentation",
    question="How much augmentation helps a training set of 100 pictures, and from which strength on does it hurt?",
    conditions=(
        Condition("none", "no augmentation", trial(**_NONE)),
        Condition("mirror_zoom", "mirrored and zoomed", trial(), against="none"),
        *(
            Condition(
                f"strength_{strength:g}".replace(".", "_"),
                f"and distorted, strength {strength:g}",
                trial(distortion=strength),
                against="none",
            )
            for strength in STRENGTHS
        ),
    ),
    worlds=("inspection", "bccd"),
    metrics=("ap", "ap50"),
    how="Distortion: turning, shifting, recolouring, blur and noise, see oddemo.detect.distort; mirroring and zooming "
    "by 0.8 to 1.25 go with it. The number of training steps is the same for all conditions.",
)
