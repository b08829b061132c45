"""How a knob is called where the user sets it: in params.yaml of tf-models-official, in pipeline.config of the API."""

from __future__ import annotations

from oddemo.audit.settings import Settings

_GENERATOR = "task.model.detection_generator"
_SUPPRESSION = "model.ssd.post_processing.batch_non_max_suppression"
#: Knob → its name, by family; `{}` takes the value.
NAMES = {
    "tfvision": {
        "score_threshold": f"{_GENERATOR}.pre_nms_score_threshold={{}}",
        "nms_iou": f"{_GENERATOR}.nms_iou_threshold={{}}",
        "max_detections": f"{_GENERATOR}.max_num_detections={{}}",
        "nms_kind": "the suppression of training: detection_generator.nms_version, soft_nms_sigma and "
        "use_class_agnostic_nms of params.yaml; for TFLite, use_regular_nms=True",
        "input_size": "input_image_size={}, as in params.yaml (task.model.input_size)",
        "anchor_size": "task.model.anchor.anchor_size in params.yaml",
        "box_coder": "box_coder_weights of params.yaml (none: 1, 1, 1, 1)",
        "aspect_ratio": "keep_aspect_ratio of params.yaml",
        "checkpoint": "pass its full prefix, such as DIR/ckpt-3000",
    },
    "odapi": {
        "score_threshold": f"{_SUPPRESSION}.score_threshold: {{}} in pipeline.config",
        "nms_iou": f"{_SUPPRESSION}.iou_threshold: {{}} in pipeline.config",
        "max_detections": f"{_SUPPRESSION}.max_total_detections: {{}} in pipeline.config (export_tflite_graph_tf2: "
        "--max_detections)",
        "nms_kind": "the suppression of training: batch_non_max_suppression of pipeline.config; for TFLite, "
        "export_tflite_graph_tf2 --use_regular_nms",
        "input_size": "the image_resizer of training in pipeline.config (height and width {})",
        "anchor_size": "anchor_scale of pipeline.config's anchor_generator",
        "box_coder": "the four scales of pipeline.config's faster_rcnn_box_coder",
        "aspect_ratio": "the image_resizer of pipeline.config",
        "checkpoint": "name its folder in --trained_checkpoint_dir; the file `checkpoint` there says which is taken",
    },
}


def parameter(settings: Settings, knob: str, value: object = "") -> str:
    """Return how the user of this reference sets a knob.

    Args:
        settings: The reference's.
        knob: Such as `score_threshold`.
        value: What it has to be.
    """
    return NAMES[settings.family][knob].format(value)
