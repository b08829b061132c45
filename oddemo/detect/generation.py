"""TF-Vision's detection generator as a function of the heads, traced once for all detectors that end alike.

The generator holds no weights, and tracing its suppression takes longer than running a network of this size: a process
that loads one detector after the other, as a study or a diagnosis does, would trace the same graph each time.

Its suppression (v2) compares candidates in tiles of 512, those below the score threshold, too, as boxes of no size that
neither suppress nor are kept. Where no class of any picture has more candidates than one tile holds, the best 512 are
all that count, and the same generator is run with that many: a third of the time, and the same detections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from oddemo.detect.runtime import load_tensorflow

Levels = Mapping[str, Any]
#: What comes out after suppression.
OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
#: Generators that are kept traced.
_KEPT = 16
#: Candidates in a tile of TF-Vision's suppression (`official.vision.ops.nms.NMS_TILE_SIZE`).
TILE = 512
#: A logit so far below that of the threshold still counts as a candidate, so that no rounding of a sigmoid matters. For
#: higher thresholds it would: there a score hardly moves with its logit.
_MARGIN, _HIGHEST_THRESHOLD = 1e-3, 0.99


def generation(model: Any, params: Any, input_size_hw: tuple[int, int], *, suppress: bool) -> Any:
    """Return class logits, box encodings and sizes of network inputs → what TF-Vision's generator returns.

    Args:
        model: TF-Vision's `RetinaNetModel`; its generator's class and configuration count.
        params: TF-Vision's `ExperimentConfig`.
        input_size_hw: Height and width of the network input in pixels.
        suppress: Whether thresholds and NMS are applied; every anchor is decoded otherwise.
    """
    generator = model.detection_generator
    config = {**generator.get_config(), "apply_nms": suppress and generator.get_config()["apply_nms"]}
    anchors = json.dumps([anchor_settings(params), list(input_size_hw)])
    kind: Any = type(generator)
    num_classes = int(params.task.model.num_classes)
    whole = _traced(kind, _as_json(config), anchors, num_classes)
    if not _has_tiles(config):
        return whole
    few = _traced(kind, _as_json({**config, "pre_nms_top_k": TILE}), anchors, num_classes)
    threshold = float(config["pre_nms_score_threshold"])

    def by_number_of_candidates(class_logits: Levels, box_encodings: Levels, network_size_hw: Any) -> Any:
        fit = most_candidates(class_logits, num_classes, threshold) <= TILE
        return (few if fit else whole)(class_logits, box_encodings, network_size_hw)

    return by_number_of_candidates


def most_candidates(class_logits: Levels, num_classes: int, threshold: float) -> int:
    """Return how many anchors of one class in one picture may score above a threshold, in the class with the most.

    Args:
        class_logits: Level → (B, h, w, A*C) with class 0 the background, which is never a candidate.
        num_classes: C.
        threshold: In (0, 1).
    """
    floor = np.log(threshold / (1 - threshold)) - _MARGIN
    anchors = [np.reshape(logits, (len(logits), -1, num_classes)) for logits in class_logits.values()]
    # Written so that what is not a number is a candidate.
    above = ~(np.concatenate(anchors, axis=1)[..., 1:] <= floor)
    return int(above.sum(axis=1).max(initial=0))


def _has_tiles(config: Mapping[str, Any]) -> bool:
    per_class = config["nms_version"] == "v2" and not config["use_class_agnostic_nms"]
    threshold_counts = 0 < config["pre_nms_score_threshold"] <= _HIGHEST_THRESHOLD
    return bool(config["apply_nms"] and per_class and config["pre_nms_top_k"] > TILE and threshold_counts)


def anchor_settings(params: Any) -> dict[str, Any]:
    """Return what TF-Vision's `build_anchor_generator` takes."""
    model = params.task.model
    return {
        "min_level": int(model.min_level),
        "max_level": int(model.max_level),
        "num_scales": int(model.anchor.num_scales),
        "aspect_ratios": [float(ratio) for ratio in model.anchor.aspect_ratios],
        "anchor_size": float(model.anchor.anchor_size),
    }


def anchor_boxes(settings: Mapping[str, Any], input_size_hw: tuple[int, int]) -> dict[str, Any]:
    """Return level → (h, w, A*4) anchor boxes, yxyx, pixels of the network input."""
    from official.vision.ops import anchor

    boxes: dict[str, Any] = anchor.build_anchor_generator(**settings)(image_size=list(input_size_hw))
    return boxes


def _as_json(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=dict)


@lru_cache(maxsize=_KEPT)
def _traced(kind: Any, config: str, anchors: str, num_classes: int) -> Any:
    tf = load_tensorflow()
    settings, input_size_hw = json.loads(anchors)
    levels = anchor_boxes(settings, input_size_hw)
    generate = kind.from_config(json.loads(config))

    def call(class_logits: Levels, box_encodings: Levels, network_size_hw: Any) -> Any:
        batch = tf.shape(network_size_hw)[0]
        tiled = {level: tf.tile(boxes[None], [batch, 1, 1, 1]) for level, boxes in levels.items()}
        return generate(box_encodings, class_logits, tiled, network_size_hw)

    # tf-models-official's suppression v1 goes through a batch in Python, and has to know its size.
    one_by_one = generate.get_config()["apply_nms"] and generate.get_config()["nms_version"] == "v1"
    batch_size = 1 if one_by_one else None
    encodings = {level: tf.TensorSpec([batch_size, *boxes.shape], tf.float32) for level, boxes in levels.items()}
    logits = {
        level: tf.TensorSpec([batch_size, *boxes.shape[:2], boxes.shape[2] // 4 * num_classes], tf.float32)
        for level, boxes in levels.items()
    }
    sizes = tf.TensorSpec([batch_size, 2], tf.float32)
    traced = tf.function(call, input_signature=[logits, encodings, sizes], autograph=False)
    return _picture_by_picture(traced) if one_by_one else traced


def _picture_by_picture(traced: Any) -> Any:
    """Return a function of a batch that calls one of a single picture, and puts the results together."""
    tf = load_tensorflow()

    def call(class_logits: Levels, box_encodings: Levels, network_size_hw: Any) -> Any:
        rows = [
            traced(_row(class_logits, row), _row(box_encodings, row), size)
            for row, size in enumerate(tf.split(network_size_hw, len(network_size_hw)))
        ]
        return {name: tf.concat([row[name] for row in rows], axis=0) for name in OUTPUTS}

    return call


def _row(levels: Levels, row: int) -> Levels:
    return {level: values[row : row + 1] for level, values in levels.items()}
