"""Causes in what is kept: thresholds, suppression, limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from oddemo.audit.faults.parameters import parameter
from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.settings import Settings

_NOTEBOOK = "12_output_handling"


def _threshold(evidence: Evidence) -> Iterator[Hypothesis]:
    """Any threshold between the highest score that vanished and the lowest that stayed explains the same."""
    settings = evidence.settings
    right = parameter(settings, "score_threshold", f"{settings.post.score_threshold:g}")
    lowest = min((float(d.scores[-1]) for d in evidence.candidate.detections if len(d)), default=None)
    if lowest is None:
        return
    round_values = [value for value in np.round(np.arange(0.0, 1.0, 0.01), 2) if value <= lowest + 1e-4]
    nearest = sorted(round_values, key=lambda value: (lowest - value, value))[:1]
    rounder = [
        value for value in (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9) if value <= lowest
    ]
    for value in dict.fromkeys([*rounder[-2:][::-1], *nearest, lowest - 1e-4]):
        if abs(value - settings.post.score_threshold) > 1e-6:
            way = "above" if value < settings.post.score_threshold else "only above"
            yield Hypothesis(
                "score_threshold",
                _post(settings, score_threshold=float(value)),
                f"keeps detections {way} a score of {value:.2g}, the reference above {settings.post.score_threshold:g}",
                f"export with {right} and filter for display afterwards",
            )


def _iou(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    if settings.post.nms_kind == "soft":
        return  # it does not ask for an overlap
    usual = [0.5, 0.6, 0.45, 0.4, 0.7, 0.3, 0.65, 0.55, 0.75, 0.8, 0.35, 0.9, 0.25, 0.2, 0.1, 0.85, 0.95, 0.15, 1.0]
    # Values in between are tried only if none of the usual ones explains the difference.
    between = [value / 100 for value in range(5, 100) if value / 100 not in usual]
    for rank, values in ((0, usual), (2, between)):
        for value in values:
            if abs(value - settings.post.nms_iou) > 1e-6:
                yield Hypothesis(
                    "nms_iou",
                    _post(settings, nms_iou=value),
                    f"suppresses from an overlap of about {value:g}, the reference from {settings.post.nms_iou:g}",
                    f"export with {parameter(settings, 'nms_iou', f'{settings.post.nms_iou:g}')}",
                    rank=rank,
                )


def _kind(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    words = {
        "per_class": "suppresses within each class",
        "class_agnostic": "suppresses over all classes at once (class-agnostic, as fast NMS does)",
        "none": "does not suppress overlapping boxes at all",
    }
    for kind, claim in words.items():
        if kind != settings.post.nms_kind:
            yield Hypothesis(
                "nms_kind",
                _post(settings, nms_kind=kind, soft_sigma=0.0),
                claim,
                f"export with {parameter(settings, 'nms_kind')}",
            )
    yield from _softly(settings)
    yield from _as_tflite(settings)
    if settings.post.nms_kind == "soft":
        return
    algorithm = "greedy" if settings.post.nms_algorithm != "greedy" else "tfvision_v2"
    yield Hypothesis(
        "nms_kind",
        _post(settings, nms_algorithm=algorithm),
        "suppresses by the definition, the reference with tf-models-official's v2"
        if algorithm == "greedy"
        else "suppresses with tf-models-official's v2, the reference by the definition",
        "export with the nms_version of training; below an overlap of 0.5 they differ",
    )


def _softly(settings: Settings) -> Iterator[Hypothesis]:
    """Sigmas that configurations really use; their default is no soft suppression at all."""
    own = settings.post.soft_sigma
    claim, fix = "lowers the scores of overlapping boxes", f"export with {parameter(settings, 'nms_kind')}"
    for sigma in (0.5, 0.3, 0.1, 0.25, 0.2, 1.0):
        if sigma != own:
            way = f"{claim} with sigma {sigma:g}, the reference with {own:g} (soft suppression)"
            if not own:
                way = f"{claim} instead of dropping them (soft suppression, sigma {sigma:g})"
                fix = "export with soft_nms_sigma unset, as in training"
            yield Hypothesis("nms_kind", _post(settings, nms_kind="soft", soft_sigma=sigma), way, fix)


def _as_tflite(settings: Settings) -> Iterator[Hypothesis]:
    """TFLite's own operation does not clip boxes first; its fast form suppresses over classes, some classes a box."""
    fix = (
        "export with the nms_version of training, or set tflite_post_processing.use_regular_nms=True "
        "(Object Detection API: --use_regular_nms) and accept boxes that are not clipped before suppression"
    )
    plain = {"nms_algorithm": "greedy", "clip_boxes": False}
    claim = "suppresses as TFLite_Detection_PostProcess does"
    regular = _post(settings, nms_kind="per_class", soft_sigma=0.0, **plain)
    if regular != settings:
        yield Hypothesis("nms_kind", regular, f"{claim}, within each class (regular)", fix)
    for count in range(1, 7):
        fast = _post(settings, nms_kind="class_agnostic", soft_sigma=0.0, classes_per_box=count, **plain)
        if fast != settings:
            classes = "class" if count == 1 else "classes"
            yield Hypothesis("nms_kind", fast, f"{claim}, over all classes (fast), {count} {classes} a box", fix)


def _limit(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    most = max((len(d) for d in evidence.candidate.detections), default=0)
    if 0 < most < settings.post.max_detections:
        yield Hypothesis(
            "max_detections",
            _post(settings, max_detections=most),
            f"hands out at most {most} detections a picture, the reference {settings.post.max_detections}",
            f"export with {parameter(settings, 'max_detections', settings.post.max_detections)}",
        )


def _post(settings: Settings, **changes: object) -> Settings:
    return replace(settings, post=replace(settings.post, **changes))  # type: ignore[arg-type]


def _never(evidence: Evidence) -> Iterator[Hypothesis]:
    """Numeric noise is what is left when nothing has to be changed; the diagnosis finds it without a hypothesis."""
    del evidence
    yield from ()


def _exchanged(evidence: Evidence) -> Iterator[Hypothesis]:
    if not evidence.settings.post.exchanged:
        yield Hypothesis(
            "output_order",
            _post(evidence.settings, exchanged=True),
            "takes scores for class ids and class ids for scores",
            "read outputs by name (signature runner, detection_scores), never by their place in a list",
        )


FAULTS = (
    Fault(
        id="output_order",
        stage="detections",
        shows_at="detections",
        title="outputs taken for one another",
        symptom="Scores are whole numbers above 1, and every object has the same class.",
        cure="Read outputs by name or signature, never by index.",
        notebook=_NOTEBOOK,
        propose=_exchanged,
    ),
    Fault(
        id="numeric_noise",
        stage="detections",
        shows_at="detections",
        title="float noise (threads, oneDNN, batch size)",
        symptom="A detection changes places with another of the same score; nothing else.",
        cure="Nothing: this is what counts as equal.",
        notebook="03_export_and_what_counts_as_equal",
        propose=_never,
    ),
    Fault(
        id="score_threshold",
        stage="detections",
        shows_at="detections",
        title="another score threshold baked in",
        symptom="The same boxes, fewer of them; mAP drops though every picture looks fine.",
        cure="Export with the low threshold of evaluation; filter for display afterwards.",
        notebook=_NOTEBOOK,
        propose=_threshold,
    ),
    Fault(
        id="max_detections",
        stage="detections",
        shows_at="detections",
        title="another limit on detections",
        symptom="Crowded pictures lose their weakest boxes.",
        cure="Export with the limit of evaluation.",
        notebook=_NOTEBOOK,
        propose=_limit,
    ),
    Fault(
        id="nms_iou",
        stage="detections",
        shows_at="detections",
        title="another suppression overlap",
        symptom="Doubled boxes on one object, or neighbours that vanish.",
        cure="Export with the overlap threshold of evaluation.",
        notebook=_NOTEBOOK,
        propose=_iou,
    ),
    Fault(
        id="nms_kind",
        stage="detections",
        shows_at="detections",
        title="another kind of suppression",
        symptom="Objects of two classes on one spot lose one of them, or boxes pile up.",
        cure="Use the same kind of suppression on both sides.",
        notebook=_NOTEBOOK,
        propose=_kind,
    ),
)
