"""Faults of configuration: TF-Vision's own exporter, called with the wrong values."""

from __future__ import annotations

from oddemo.audit.plant.record import Parts, Plant

_GENERATOR = "task.model.detection_generator"
_TFLITE = f"{_GENERATOR}.tflite_post_processing"
#: TFLite's own suppression with the thresholds of the reference, within each class.
TFLITE_REGULAR = {
    f"{_GENERATOR}.nms_version": "tflite",
    f"{_TFLITE}.use_regular_nms": True,
    f"{_TFLITE}.nms_score_threshold": 0.05,
    f"{_TFLITE}.max_detections": 100,
    f"{_TFLITE}.detections_per_class": 100,
    f"{_TFLITE}.max_classes_per_detection": 1,
}
#: The same over all classes, as the converter's flags leave it if nobody sets them.
TFLITE_FAST = TFLITE_REGULAR | {f"{_TFLITE}.use_regular_nms": False}


PLANTS = (
    Plant(
        "score_threshold",
        "0.5_baked_in",
        "The threshold meant for display was set in the configuration before the export.",
        Parts({f"{_GENERATOR}.pre_nms_score_threshold": 0.5}),
    ),
    Plant(
        "score_threshold",
        "0.3_baked_in",
        "The threshold meant for display was set in the configuration before the export.",
        Parts({f"{_GENERATOR}.pre_nms_score_threshold": 0.3}),
    ),
    Plant(
        "nms_iou",
        "0.8",
        "The export was made with another overlap threshold than the evaluation.",
        Parts({f"{_GENERATOR}.nms_iou_threshold": 0.8}),
    ),
    Plant(
        "nms_iou",
        "0.3",
        "The export was made with another overlap threshold than the evaluation.",
        Parts({f"{_GENERATOR}.nms_iou_threshold": 0.3}),
    ),
    Plant(
        "nms_iou",
        "0.42",
        "The export was made with an overlap threshold that nobody else uses.",
        Parts({f"{_GENERATOR}.nms_iou_threshold": 0.42}),
    ),
    Plant(
        "nms_kind",
        "class_agnostic",
        "The export suppresses over all classes, as fast NMS on a device does.",
        Parts({f"{_GENERATOR}.use_class_agnostic_nms": True}),
    ),
    Plant(
        "nms_kind",
        "soft",
        "Soft suppression was switched on in the configuration of the export.",
        Parts({f"{_GENERATOR}.nms_version": "v1", f"{_GENERATOR}.soft_nms_sigma": 0.5}),
    ),
    Plant(
        "nms_kind",
        "tflite_fast",
        "The TFLite file suppresses with its own operation, which is fast because it looks at no classes.",
        Parts(TFLITE_FAST, tflite="none"),
    ),
    Plant(
        "max_detections",
        "5",
        "The export keeps so few detections that crowded pictures lose some.",
        Parts({f"{_GENERATOR}.max_num_detections": 5}),
    ),
    Plant(
        "aspect_ratio",
        "stretched_by_export",
        "keep_aspect_ratio was switched off in the configuration of the export.",
        Parts({"task.train_data.parser.keep_aspect_ratio": False}),
    ),
    Plant(
        "anchors",
        "size_4",
        "The export was built with the default anchor size instead of the one of training.",
        Parts({"task.model.anchor.anchor_size": 4.0}),
    ),
    Plant(
        "box_coder",
        "faster_rcnn_weights",
        "Box coder weights of another model family were set in the configuration of the export.",
        Parts({f"{_GENERATOR}.box_coder_weights": [10.0, 10.0, 5.0, 5.0]}),
    ),
)
