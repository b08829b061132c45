"""Causes in the range and scale of the pixel values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.preprocessing import preprocess_images
from oddemo.audit.settings import Normalization, Settings

_NOTEBOOK = "10_preprocessing_faults"
_TO_UNIT = Normalization((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
_TO_SIGNED = Normalization((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
#: Conventions of well-known model families, on the scale 0-255.
CONVENTIONS = {
    "values in [0, 1] (x / 255)": _TO_UNIT,
    "values in [-1, 1] (x / 127.5 - 1)": _TO_SIGNED,
    "mean 128, deviation 128": Normalization((128.0, 128.0, 128.0), (128.0, 128.0, 128.0)),
    "ImageNet mean subtracted, no deviation": Normalization((123.675, 116.28, 103.53), (1.0, 1.0, 1.0)),
    "ImageNet mean and deviation in the order BGR": Normalization((103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
    "ImageNet mean and deviation": Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "ImageNet mean and deviation for [0, 1], on values 0-255": Normalization(
        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    ),
    "Caffe's BGR mean subtracted": Normalization((103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
}


def _with(settings: Settings, *passes: Normalization) -> Settings:
    return replace(settings, pre=replace(settings.pre, normalizations=passes))


def _missing(evidence: Evidence) -> Iterator[Hypothesis]:
    if evidence.settings.pre.normalizations:
        yield Hypothesis(
            "normalization_missing",
            _with(evidence.settings),
            "feeds raw values 0-255 into the network",
            f"normalise before the network: {_formula(evidence.settings)}",
        )


def _twice(evidence: Evidence) -> Iterator[Hypothesis]:
    passes = evidence.settings.pre.normalizations
    if not passes:
        return
    ways = {
        "divides by 255 and then normalises again": _TO_UNIT,
        "normalises twice with the same mean and deviation": passes[0],
        "scales to [-1, 1] and then normalises again": _TO_SIGNED,
    }
    for claim, extra in ways.items():
        yield Hypothesis(
            "normalization_twice",
            _with(evidence.settings, extra, *passes),
            claim,
            "hand raw 0-255 values to the export; it normalises itself. Remove the caller's own scaling",
        )


def _constants(evidence: Evidence) -> Iterator[Hypothesis]:
    passes = evidence.settings.pre.normalizations
    for words, convention in CONVENTIONS.items():
        if (convention,) != passes and not _same(passes, convention):
            yield Hypothesis(
                "normalization_constants",
                _with(evidence.settings, convention),
                f"normalises with other constants: {words}",
                f"normalise as in training: {_formula(evidence.settings)}",
            )
    fitted = _fit(evidence)
    if fitted is not None and not _same(passes, fitted):
        words = ", ".join(f"(x - {o:.4g}) / {s:.4g}" for o, s in zip(fitted.offset, fitted.scale, strict=True))
        yield Hypothesis(
            "normalization_constants",
            _with(evidence.settings, fitted),
            f"normalises with other constants: {words} for channels 0, 1, 2",
            f"normalise as in training: {_formula(evidence.settings)}",
            rank=2,
        )


def _same(passes: tuple[Normalization, ...], other: Normalization) -> bool:
    if len(passes) != 1:
        return False
    return bool(
        np.allclose(passes[0].offset, other.offset, atol=0.05) and np.allclose(passes[0].scale, other.scale, 1e-3)
    )


def _fit(evidence: Evidence) -> Normalization | None:
    """Read the constants off the candidate's own tensor, where it can be seen."""
    seen = evidence.candidate.dense.get("pixels", {}).get("pixels")
    if seen is None or not evidence.reference.images:
        return None
    raw = preprocess_images(evidence.reference.images[:4], _with(evidence.settings).pre).pixels
    if raw.shape != seen[:4].shape:
        return None
    offset, scale = [], []
    for channel in range(3):
        x, y = raw[..., channel].ravel(), seen[:4, ..., channel].ravel().astype(np.float64)
        inside = x != 0.0  # leaves out the padding
        if inside.sum() < 100 or x[inside].std() == 0.0:
            return None
        slope, intercept = np.polyfit(x[inside].astype(np.float64), y[inside], 1)
        if abs(slope) < 1e-9:
            return None
        scale.append(float(1.0 / slope))
        offset.append(float(-intercept / slope))
    return Normalization((offset[0], offset[1], offset[2]), (scale[0], scale[1], scale[2]))


def _formula(settings: Settings) -> str:
    step = settings.pre.normalizations[0] if settings.pre.normalizations else None
    if step is None:
        return "not at all"
    mean, deviation = ([round(value, 3) for value in values] for values in (step.offset, step.scale))
    return f"(image - {mean}) / {deviation}, RGB, values 0-255"


FAULTS = (
    Fault(
        id="normalization_missing",
        stage="pixels",
        shows_at="pixels",
        title="normalisation missing",
        symptom="Hardly anything is found, or the same boxes in every picture; scores saturate.",
        cure="Normalise before the network where the export does not do it itself (float and TFLite signatures).",
        notebook=_NOTEBOOK,
        propose=_missing,
    ),
    Fault(
        id="normalization_twice",
        stage="pixels",
        shows_at="pixels",
        title="normalised twice",
        symptom="Nothing is found, or weak random boxes: every picture looks flat grey to the network.",
        cure="Let the caller or the export normalise, not both.",
        notebook=_NOTEBOOK,
        propose=_twice,
    ),
    Fault(
        id="normalization_constants",
        stage="pixels",
        shows_at="pixels",
        title="other normalisation constants",
        symptom="Scores are lower or higher everywhere; some objects are lost.",
        cure="Use the mean and deviation of training, in the range and channel order in which they were meant.",
        notebook=_NOTEBOOK,
        propose=_constants,
    ),
)
