"""Causes in size, aspect and padding of the network's input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from oddemo.audit.faults.parameters import parameter
from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.settings import KERNELS, Settings

_NOTEBOOK = "10_preprocessing_faults"
#: Grey values that frameworks pad with: black, YOLO's grey, middle grey, white.
_GREYS = (0.0, 114.0, 127.0, 128.0, 255.0)
#: Sides of the squares that well-known model families take, and the resizers in front of them.
_SQUARES = (224, 256, 300, 320, 384, 416, 448, 512, 640, 800, 1024)
#: Libraries that resize, as they write their own names.
_LIBRARIES = {"opencv": "OpenCV", "pillow": "Pillow", "tensorflow": "TensorFlow"}
_STRETCHERS = ("opencv/linear", "pillow/bilinear", "pillow/bicubic", "tensorflow/bilinear_truncated", "opencv/area")


def _pre(settings: Settings, **changes: Any) -> Settings:
    return replace(settings, pre=replace(settings.pre, **changes))


def _kernel(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    for kernel in KERNELS:
        if kernel != settings.pre.kernel:
            yield Hypothesis(
                "resize_kernel",
                _pre(settings, kernel=kernel),
                f"resizes with {_name(kernel)}, the reference with {_name(settings.pre.kernel)}",
                f"resize with {_call(settings.pre.kernel)}",
            )


def _name(kernel: str) -> str:
    library, _, method = kernel.partition("/")
    return f"{_LIBRARIES[library]}'s {method.replace('_', ' ')}"


def _call(kernel: str) -> str:
    library, _, method = kernel.partition("/")
    if library == "tensorflow":
        return (
            f'tf.image.resize(image, size, method="{method.split("_")[0]}", antialias={method.endswith("antialias")})'
        )
    return _name(kernel)


def _aspect(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    keep = not settings.pre.keep_aspect_ratio
    does = "keeps the aspect ratio and pads" if keep else "stretches the picture to the input size"
    yield Hypothesis(
        "aspect_ratio",
        _pre(settings, keep_aspect_ratio=keep),
        does,
        "resize by one factor for both sides and pad at the bottom and on the right"
        if not keep
        else "stretch to the input size as in training",
    )


def _aspects(evidence: Evidence) -> Iterator[Hypothesis]:
    yield from _aspect(evidence)
    yield from _square_first(evidence)


def _square_first(evidence: Evidence) -> Iterator[Hypothesis]:
    """Serving code from elsewhere often makes pictures square, in the sizes that model families take."""
    settings = evidence.settings
    sides = dict.fromkeys([*settings.pre.input_size_hw, *_SQUARES])
    for kernel, side in itertools.product(_STRETCHERS, sides if not settings.pre.stretched_first else ()):
        yield Hypothesis(
            "aspect_ratio",
            _pre(settings, stretched_first=side, stretch_kernel=kernel),
            f"stretches the picture to {side} x {side} with {_name(kernel)} before the export sees it",
            "hand the picture to the export as it is: the export resizes by one factor for both sides, and pads",
            rank=2,
        )


def _size(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    seen = evidence.candidate.dense.get("pixels", {}).get("pixels")
    height, width = settings.pre.input_size_hw
    if seen is not None:
        sizes = [(int(seen.shape[1]), int(seen.shape[2]))]
    else:
        sizes = [(round(height * f / 32) * 32, round(width * f / 32) * 32) for f in (0.5, 0.75, 0.8, 1.25, 1.5, 2.0)]
    for size in dict.fromkeys(sizes):
        if size != (height, width) and min(size) >= 32:
            yield Hypothesis(
                "input_size",
                _pre(settings, input_size_hw=size),
                f"runs the network on {size[0]} x {size[1]} pixels instead of {height} x {width}",
                f"export with {parameter(settings, 'input_size', f'{height},{width}')}",
                rank=2,
            )


def _padding(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    if not settings.pre.keep_aspect_ratio:
        return
    kernels = dict.fromkeys([settings.pre.kernel, "tensorflow/bilinear_truncated"])
    ways: list[tuple[str, float | None, str]] = [("centre", None, settings.pre.kernel)]
    ways += [(place, grey, k) for k in kernels for place in ("bottom_right", "centre") for grey in _greys(evidence)]
    for place, grey, kernel in ways:
        what = "the mean colour" if grey is None else f"grey value {grey:g}"
        before = " and cuts to whole grey levels, before the export sees the picture" if "truncated" in kernel else ""
        yield Hypothesis(
            "padding_value",
            _pre(settings, padding_position=place, padding_grey=grey, kernel=kernel),
            f"pads with {what}, picture {'in the centre' if place == 'centre' else 'at the top left'}{before}",
            "pad with zeros after normalisation, at the bottom and on the right; do not letterbox before an export "
            "that does it itself",
        )


def _greys(evidence: Evidence) -> list[float]:
    """Known greys, and the one that the candidate's own tensor shows in its last corner."""
    greys = list(_GREYS)
    seen = evidence.candidate.dense.get("pixels", {}).get("pixels")
    if seen is not None and evidence.settings.pre.normalizations:
        corner = seen[0, -1, -1].astype(np.float64)
        for step in reversed(evidence.settings.pre.normalizations):
            corner = corner * np.array(step.scale) + np.array(step.offset)
        if np.ptp(corner) < 0.5 and -0.5 <= corner[0] <= 255.5:
            greys.insert(0, float(np.round(corner.mean(), 3)) + 0.0)  # -0.0 becomes 0.0
    return list(dict.fromkeys(greys))


FAULTS = (
    Fault(
        id="aspect_ratio",
        stage="pixels",
        shows_at="pixels",
        title="stretched instead of letterboxed",
        symptom="Boxes are squeezed or shifted along one side, the more so the less square the picture.",
        cure="Use the same rule on both sides: keep_aspect_ratio in params.yaml, image_resizer in pipeline.config.",
        notebook=_NOTEBOOK,
        propose=_aspects,
    ),
    Fault(
        id="input_size",
        stage="pixels",
        shows_at="pixels",
        title="another input size",
        symptom="Small objects are lost or boxes become coarse; speed differs from what was expected.",
        cure="Export with the input size of training.",
        notebook=_NOTEBOOK,
        propose=_size,
    ),
    Fault(
        id="padding_value",
        stage="pixels",
        shows_at="pixels",
        title="other padding",
        symptom="Only pictures that are not square differ, near the padding most.",
        cure="Pad with the same value on the same sides; letterbox once.",
        notebook=_NOTEBOOK,
        propose=_padding,
    ),
    Fault(
        id="resize_kernel",
        stage="pixels",
        shows_at="pixels",
        title="another resize kernel",
        symptom="Scores shift a little everywhere; small objects suffer most.",
        cure="Resize with the same library, method and antialiasing on both sides.",
        notebook=_NOTEBOOK,
        propose=_kernel,
    ),
)
