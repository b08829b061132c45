"""Faults inside the exported graph: a serving module of one's own that does one thing wrong."""

from __future__ import annotations

from typing import Any

from oddemo.audit.plant.record import Inputs, Parts, Plant


def _bgr(module: Any, image: Any) -> Any:
    del module
    return image[..., ::-1]


def _to_unit(module: Any, image: Any) -> Any:
    del module
    return image / 255.0


def _normalized_before(module: Any, image: Any) -> Any:
    from official.vision.ops import preprocess_ops

    del module
    return preprocess_ops.normalize_image(image, offset=preprocess_ops.MEAN_RGB, scale=preprocess_ops.STDDEV_RGB)


def fit(module: Any, image: Any, **options: Any) -> Any:
    """Resize and pad as TF-Vision does, with other options."""
    from official.vision.ops import preprocess_ops

    keep = module.params.task.train_data.parser.keep_aspect_ratio
    return preprocess_ops.resize_and_crop_image(
        image, module._input_image_size, padded_size=module._padded_size, keep_aspect_ratio=keep, **options
    )


def _raw(module: Any, image: Any) -> Any:
    return fit(module, image)


def _signed(module: Any, image: Any) -> Any:
    return fit(module, image / 127.5 - 1.0)


def kernel(method: str) -> Inputs:
    """Return a preprocessing that resizes with another method of TensorFlow."""

    def inputs(module: Any, image: Any) -> Any:
        return fit(module, _normalized_before(module, image), method=method)

    return inputs


def _antialiased(module: Any, image: Any) -> Any:
    import tensorflow as tf

    _, image_info = fit(module, image)
    size = tf.cast(tf.round(image_info[0] * image_info[2]), tf.int32)
    resized = tf.image.resize(_normalized_before(module, image), size, antialias=True)
    height, width = module._padded_size
    return tf.image.pad_to_bounding_box(resized, 0, 0, height, width), image_info


def _letterboxed_black(module: Any, image: Any) -> Any:
    """As TF-Vision's own notebook: letterbox with black, cut to uint8, then what the export does."""
    import tensorflow as tf

    boxed, image_info = fit(module, image)
    pixels = _normalized_before(module, tf.cast(tf.cast(boxed, tf.uint8), tf.float32))
    return pixels, image_info


def _ids_from_zero(module: Any, outputs: dict[str, Any]) -> dict[str, Any]:
    del module
    return {**outputs, "detection_classes": outputs["detection_classes"] - 1}


def _xyxy(module: Any, outputs: dict[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    del module
    return {**outputs, "detection_boxes": tf.gather(outputs["detection_boxes"], [1, 0, 3, 2], axis=-1)}


def _without_info(module: Any, outputs: dict[str, Any]) -> dict[str, Any]:
    del module
    return {name: value for name, value in outputs.items() if name != "image_info"}


PLANTS = (
    Plant("channel_order", "in_graph", "The serving graph turns the channels around.", Parts(before=_bgr)),
    Plant(
        "normalization_missing",
        "in_graph",
        "The serving graph resizes and pads, and forgets to normalise.",
        Parts(inputs=_raw),
    ),
    Plant(
        "normalization_twice",
        "unit_then_own",
        "The pictures are scaled to [0, 1], and the export normalises as if they were not.",
        Parts(before=_to_unit),
    ),
    Plant(
        "normalization_twice",
        "same_again",
        "The pictures are normalised by the caller and again by the export.",
        Parts(before=_normalized_before),
    ),
    Plant(
        "normalization_constants",
        "signed",
        "The serving graph scales to [-1, 1], the habit of another model family.",
        Parts(inputs=_signed),
    ),
    Plant(
        "resize_kernel",
        "nearest",
        "The serving graph resizes with nearest neighbour.",
        Parts(inputs=kernel("nearest")),
    ),
    Plant("resize_kernel", "area", "The serving graph resizes by area.", Parts(inputs=kernel("area"))),
    Plant("resize_kernel", "antialias", "The serving graph resizes with antialiasing.", Parts(inputs=_antialiased)),
    Plant(
        "padding_value",
        "double_letterbox",
        "The pictures are letterboxed with black and cut to uint8 before the export sees them (TF-Vision's notebook).",
        Parts(inputs=_letterboxed_black),
    ),
    Plant("label_offset", "from_zero", "The serving graph counts classes from 0.", Parts(after=_ids_from_zero)),
    Plant("box_order", "xyxy", "The serving graph hands out x before y.", Parts(after=_xyxy)),
    Plant(
        "box_scale",
        "image_info_dropped",
        "The record of the resizing is not handed out, so boxes stay in the network's frame.",
        Parts(after=_without_info),
    ),
)
