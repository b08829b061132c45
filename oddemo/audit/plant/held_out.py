"""Faults that were written after the probes: forms and strengths on which nothing was tuned."""

from __future__ import annotations

from typing import Any

from oddemo.audit.plant.configured import TFLITE_REGULAR
from oddemo.audit.plant.graph import fit, kernel
from oddemo.audit.plant.record import Parts, Plant

_GENERATOR = "task.model.detection_generator"
_THRESHOLD = f"{_GENERATOR}.pre_nms_score_threshold"


def _odd_constants(module: Any, image: Any) -> tuple[Any, Any]:
    pixels, image_info = fit(module, (image - [90.0, 110.0, 130.0]) / [60.0, 70.0, 80.0])
    return pixels, image_info


def _unit(module: Any, image: Any) -> tuple[Any, Any]:
    pixels, image_info = fit(module, image / 255.0)
    return pixels, image_info


def _grey_centre(module: Any, image: Any) -> tuple[Any, Any]:
    """Letterbox as YOLO does: grey 114, the picture in the middle; boxes are brought back rightly."""
    import tensorflow as tf
    from official.vision.ops import preprocess_ops

    boxed, image_info = fit(module, image)
    height, width = module._padded_size
    size = tf.cast(tf.round(image_info[0] * image_info[2]), tf.int32)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    centred = tf.image.pad_to_bounding_box(boxed[: size[0], : size[1]] - 114.0, top, left, height, width) + 114.0
    pixels = preprocess_ops.normalize_image(centred, preprocess_ops.MEAN_RGB, preprocess_ops.STDDEV_RGB)
    offset = -tf.cast(tf.stack([top, left]), tf.float32)
    return pixels, tf.concat([image_info[:3], offset[None]], axis=0)


PLANTS = (
    Plant(
        "score_threshold",
        "0.62",
        "A threshold was set before the export.",
        Parts({_THRESHOLD: 0.62}),
    ),
    Plant(
        "score_threshold",
        "0.17",
        "A threshold was set before the export.",
        Parts({_THRESHOLD: 0.17}),
    ),
    Plant("nms_iou", "0.65", "Another overlap at the export.", Parts({f"{_GENERATOR}.nms_iou_threshold": 0.65})),
    Plant("nms_iou", "0.37", "Another overlap at the export.", Parts({f"{_GENERATOR}.nms_iou_threshold": 0.37})),
    Plant("max_detections", "2", "Hardly any detections are kept.", Parts({f"{_GENERATOR}.max_num_detections": 2})),
    Plant("input_size", "160", "The export runs on 160 pixels.", Parts({"task.model.input_size": [160, 160, 3]})),
    Plant("input_size", "96", "The export runs on 96 pixels.", Parts({"task.model.input_size": [96, 96, 3]})),
    Plant("normalization_constants", "odd", "Constants of another data set.", Parts(inputs=_odd_constants)),
    Plant("normalization_constants", "unit", "Scaled to [0, 1] and no further.", Parts(inputs=_unit)),
    Plant("resize_kernel", "bicubic", "The graph resizes bicubically.", Parts(inputs=kernel("bicubic"))),
    Plant("resize_kernel", "lanczos3", "The graph resizes with Lanczos.", Parts(inputs=kernel("lanczos3"))),
    Plant("resize_kernel", "pillow_client", "The script resizes with Pillow.", Parts(client="pillow_resized")),
    Plant("resize_kernel", "opencv_client", "The script resizes with OpenCV, by area.", Parts(client="opencv_resized")),
    Plant("padding_value", "grey_centre", "The graph letterboxes as YOLO does.", Parts(inputs=_grey_centre)),
    Plant("wrong_checkpoint", "hardly_moved", "The checkpoint before the last.", Parts(weights_moved=0.005)),
    Plant("partial_restore", "decoder_left_out", "The feature pyramid was not restored.", Parts(left_out="decoder")),
    Plant("partial_restore", "batch_norm_left_out", "Batch norm was not restored.", Parts(left_out="batch_norm")),
    Plant("batchnorm_mode", "one_by_one", "The same, one picture a call.", Parts(training_mode=True, client="sound")),
    Plant("quantization", "float16", "The TFLite file keeps its weights in 16 bits.", Parts(tflite="float16")),
    Plant("nms_kind", "tflite_regular", "TFLite's own operation, regular.", Parts(TFLITE_REGULAR, tflite="none")),
    Plant("output_order", "no_cast", "Outputs by place, ids left as floats.", Parts(client="outputs_as_they_come")),
    Plant("score_activation", "client_again", "The script takes scores for logits.", Parts(client="sigmoid_again")),
    Plant("label_map", "names_swapped", "The export ships another label map.", Parts(names_swapped=True)),
)
