"""TF-Vision's detection generator as a function of the heads, traced once for all detectors that end alike.

The generator holds no weights, and tracing its suppression takes longer than running a network of this size: a process
that loads one detector after the other, as a study or a diagnosis does, would trace the same graph each time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from oddemo.detect.runtime import load_tensorflow

Levels = Mapping[str, Any]
#: What comes out after suppression.
OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
#: Generators that are kept traced.
_KEPT = 16


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
    return _traced(kind, _as_json(config), anchors, int(params.task.model.num_classes))


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
    traced = tf.function(call, input_signature=[logits, encodings, sizes])
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
