"""Causes in how boxes are decoded and handed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oddemo.audit.faults.parameters import parameter
from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.settings import Settings

_NOTEBOOK = "12_output_handling"


def _anchors(evidence: Evidence) -> Iterator[Hypothesis]:
    for size in (2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0):
        if size != evidence.settings.post.anchor_size:
            yield Hypothesis(
                "anchors",
                _post(evidence.settings, anchor_size=size),
                f"decodes with anchors of size {size:g}",
                f"use the anchors of training: {parameter(evidence.settings, 'anchor_size')}",
            )


def _coder(evidence: Evidence) -> Iterator[Hypothesis]:
    ways = ((10.0, 10.0, 5.0, 5.0), (0.1, 0.1, 0.2, 0.2), (1.0, 1.0, 1.0, 1.0))
    for weights in ways:
        if weights != evidence.settings.post.box_coder_weights:
            yield Hypothesis(
                "box_coder",
                _post(evidence.settings, box_coder_weights=weights),
                f"decodes box encodings with the scale {[round(1 / w, 2) for w in weights]}",
                f"decode with {parameter(evidence.settings, 'box_coder')}",
            )


def _order(evidence: Evidence) -> Iterator[Hypothesis]:
    order = "xyxy" if evidence.settings.post.box_order == "yxyx" else "yxyx"
    yield Hypothesis(
        "box_order",
        _post(evidence.settings, box_order=order),
        "hands out boxes as x_min, y_min, x_max, y_max where y_min, x_min, y_max, x_max is expected",
        "reorder once: boxes = boxes[:, [1, 0, 3, 2]]",
    )


def _scale(evidence: Evidence) -> Iterator[Hypothesis]:
    ways = {
        "network": (
            "hands out boxes in pixels of the network's input",
            "divide by image_info[:, 2] before drawing or scoring",
        ),
        "normalized": ("hands out boxes in [0, 1]", "multiply by the height and width of the picture"),
        "stretched": (
            "scales boxes to the picture as if its input had no padding",
            "divide by the one letterbox factor, image_info[:, 2], not by a factor of its own for each side",
        ),
    }
    for frame, (claim, fix) in ways.items():
        if frame != evidence.settings.post.box_frame:
            yield Hypothesis("box_scale", _post(evidence.settings, box_frame=frame), claim, fix)


def _post(settings: Settings, **changes: object) -> Settings:
    return replace(settings, post=replace(settings.post, **changes))  # type: ignore[arg-type]


FAULTS = (
    Fault(
        id="anchors",
        stage="decoded",
        shows_at="decoded",
        title="other anchors",
        symptom="Boxes sit in the right place with the wrong size or shape.",
        cure="Export with the anchor settings of training.",
        notebook=_NOTEBOOK,
        propose=_anchors,
    ),
    Fault(
        id="box_coder",
        stage="decoded",
        shows_at="decoded",
        title="another box coder",
        symptom="Boxes look like raw anchors, or explode.",
        cure="Decode with the scale factors of training.",
        notebook=_NOTEBOOK,
        propose=_coder,
    ),
    Fault(
        id="box_order",
        stage="decoded",
        shows_at="detections",
        title="xyxy taken for yxyx",
        symptom="Boxes are mirrored along the diagonal; squares in the middle look right.",
        cure="Reorder the coordinates once.",
        notebook=_NOTEBOOK,
        propose=_order,
    ),
    Fault(
        id="box_scale",
        stage="decoded",
        shows_at="detections",
        title="boxes in another frame",
        symptom="Boxes are too small, crowd the top left corner, or drift along one side.",
        cure="Go back through the resize and the padding, with the record the export hands out.",
        notebook=_NOTEBOOK,
        propose=_scale,
    ),
)
