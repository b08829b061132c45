"""The network of a trained detector by itself, and what lies around it as plain settings: for running it elsewhere."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from oddemo_odapi.model import Detector
from oddemo_probe import RefusedError
from oddemo_probe.pictures import read_labels

#: What a folder of stages holds.
NETWORK, SETTINGS = "network", "settings.json"


def write_stages(folder: Path, out: Path, *, size_hw: tuple[int, int] | None, checkpoint: str | None) -> None:
    """Write a SavedModel from the network's input to its raw heads, and the settings of all that is around it.

    Args:
        folder: With pipeline.config and the checkpoint.
        out: Folder to make; it is there in whole or not at all.
        size_hw: Height and width of the network's input; those of the configuration if not given.
        checkpoint: Name of a checkpoint in the folder; the newest if not given.

    Raises:
        RefusedError: If the detector is no SSD, or the place is taken.
    """
    import tensorflow as tf

    if out.exists():
        raise RefusedError(f"{out} is there already.")
    detector = Detector(folder, checkpoint)
    settings = settings_of(detector)
    height, width = size_hw or settings["input_size_hw"]
    model = detector.model

    def run(pixels: Any) -> Any:
        shapes = tf.tile(tf.constant([[height, width, 3]]), [tf.shape(pixels)[0], 1])
        predicted = model.predict(pixels, shapes)
        encodings = tf.reshape(predicted["box_encodings"], [tf.shape(pixels)[0], -1, 4])
        sides = tf.constant([height, width, height, width], tf.float32)
        return {
            "class_logits": predicted["class_predictions_with_background"],
            "box_encodings": encodings,
            "anchors_yxyx": predicted["anchors"] * sides,
        }

    module = tf.Module()
    module.model = model
    spec = tf.TensorSpec([None, height, width, 3], tf.float32, name="pixels")
    module.run = tf.function(run, [spec], autograph=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    begun = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=str(out.parent)))
    try:
        tf.saved_model.save(module, str(begun / NETWORK), signatures={"serving_default": module.run})
        settings["labels"] = list(read_labels(folder))
        settings["checkpoint"] = Path(detector.checkpoint).name
        (begun / SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
        begun.replace(out)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def settings_of(detector: Detector) -> dict[str, Any]:
    """Return what an SSD does before and after its network.

    Raises:
        RefusedError: If it is not an SSD.
    """
    from google.protobuf import json_format  # type: ignore[import-untyped]

    kind = detector.config.model.WhichOneof("model")
    if kind != "ssd":
        raise RefusedError(f"The detector is a {kind}; only the stages of an SSD can be run one by one.")
    ssd = detector.config.model.ssd
    resizer = ssd.image_resizer.WhichOneof("image_resizer_oneof")
    told = getattr(ssd.image_resizer, resizer)
    height, width = (told.height, told.width) if resizer == "fixed_shape_resizer" else (told.max_dimension,) * 2
    post = ssd.post_processing
    generator = ssd.anchor_generator.WhichOneof("anchor_generator_oneof")
    coder = ssd.box_coder.WhichOneof("box_coder_oneof")
    return {
        "input_size_hw": [height, width],
        "resizer": resizer,
        "resizer_settings": json_format.MessageToDict(
            told, including_default_value_fields=True, preserving_proto_field_name=True
        ),
        "offset_and_scale": normalization_of(detector.model),
        "anchor_generator": generator,
        "anchor_scale": getattr(getattr(ssd.anchor_generator, generator), "anchor_scale", None),
        "box_coder": coder,
        "box_coder_scales": [
            getattr(getattr(ssd.box_coder, coder), name, 1.0)
            for name in ("y_scale", "x_scale", "height_scale", "width_scale")
        ],
        "score_converter": post.DESCRIPTOR.fields_by_name["score_converter"]
        .enum_type.values_by_number[post.score_converter]
        .name,
        "suppression": json_format.MessageToDict(
            post.batch_non_max_suppression, including_default_value_fields=True, preserving_proto_field_name=True
        ),
    }


def normalization_of(model: Any) -> list[list[float]]:
    """Measure the model's own normalisation: return offset and scale a channel, of `(value - offset) / scale`.

    Raises:
        RefusedError: If it is not of that form.
    """
    import tensorflow as tf

    values = np.array([0.0, 64.0, 255.0], np.float32)
    strip = np.repeat(values[np.newaxis, np.newaxis, :, np.newaxis], 3, axis=-1)
    seen = model._feature_extractor.preprocess(tf.constant(strip)).numpy()[0, 0].astype(np.float64)
    slope = (seen[2] - seen[0]) / 255.0
    if not np.allclose(seen[1], seen[0] + 64.0 * slope, atol=1e-3) or (slope == 0).any():
        raise RefusedError("The detector does not normalise by an offset and a scale a channel.")
    return [(-seen[0] / slope).tolist(), (1.0 / slope).tolist()]
