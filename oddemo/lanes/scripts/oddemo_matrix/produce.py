"""Writing a model in one format."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from oddemo_matrix.models import MODELS, inputs_for, outputs_of, with_weights


def serving(model: Any) -> Any:
    """Wrap a model as people do by hand: a tf.Module with one function that thresholds and suppresses."""
    import tensorflow as tf

    class Serving(tf.Module):  # type: ignore[misc]
        """Boxes and scores before suppression, and what is left after it."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def __call__(self, pixels: Any) -> dict[str, Any]:
            boxes, scores = self.model(pixels, training=False)
            kept = tf.image.combined_non_max_suppression(
                tf.expand_dims(boxes, 2), scores, 20, 20, iou_threshold=0.5, score_threshold=0.3, clip_boxes=False
            )
            return {"boxes": boxes, "scores": scores, "kept_scores": kept.nmsed_scores, "kept": kept.valid_detections}

    module = Serving()
    spec = tf.TensorSpec([None, *model.inputs[0].shape[1:]], model.inputs[0].dtype, name="pixels")
    module.serve = tf.function(module.__call__, input_signature=[spec])
    return module


def _saved_model(model: Any, place: Path) -> None:
    import tensorflow as tf

    module = serving(model)
    tf.saved_model.save(module, str(place), signatures=module.serve)


def _tflite(model: Any, place: Path) -> None:
    """Convert the frozen function: the way that every version reads."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    spec = tf.TensorSpec([1, *model.inputs[0].shape[1:]], model.inputs[0].dtype)
    concrete = tf.function(lambda pixels: model(pixels, training=False)).get_concrete_function(spec)
    frozen = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    place.write_bytes(converter.convert())


def _tflite_of_saved_model(model: Any, place: Path) -> None:
    """Convert a SavedModel: what most tutorials do."""
    import tensorflow as tf

    folder = place.with_suffix(".saved_model")
    spec = tf.TensorSpec([1, *model.inputs[0].shape[1:]], model.inputs[0].dtype, name="pixels")
    module = serving(model)
    module.raw = tf.function(lambda pixels: dict(zip(("boxes", "scores"), model(pixels))), input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures=module.raw)
    place.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


def _checkpoint(model: Any, place: Path) -> None:
    import tensorflow as tf

    place.mkdir()
    tf.train.Checkpoint(model=model).write(str(place / "ckpt"))


def _nothing(model: Any, place: Path) -> None:
    del model, place


#: Format → (file name, how it is written).
FORMATS = {
    "code": ("", _nothing),
    "eager": ("", _nothing),
    "saved_model": ("saved_model", _saved_model),
    "keras": ("model.keras", lambda model, place: model.save(str(place))),
    "h5": ("model.h5", lambda model, place: model.save(str(place))),
    "weights_h5": ("model.weights.h5", lambda model, place: model.save_weights(str(place))),
    "checkpoint": ("checkpoint", _checkpoint),
    "checkpoint_asserted": ("checkpoint", _checkpoint),
    "tflite": ("model.tflite", _tflite),
    "tflite_of_saved_model": ("of_saved_model.tflite", _tflite_of_saved_model),
}


def produce(name: str, kind: str, folder: Path) -> float:
    """Write one model in one format below a folder, and its own outputs beside it; return 0.0."""
    model = with_weights(MODELS[name]())
    shutil.rmtree(str(folder), ignore_errors=True)  # what an interrupted run left
    folder.mkdir(parents=True)
    np.savez(folder / "expected.npz", **outputs_of(model, inputs_for(name)))
    file, write = FORMATS[kind]
    write(model, folder / file)
    return 0.0
