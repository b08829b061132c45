"""Reading a model that another TensorFlow wrote, and how far its outputs are from what they were there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from oddemo_matrix.models import MODELS, inputs_for, outputs_of, with_weights, without_weights
from oddemo_matrix.produce import FORMATS


def _code(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    """Nothing is read: the same lines of Python and the same weights, in another version."""
    del place
    return outputs_of(with_weights(MODELS[name]()), inputs)


def _eager(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    """The same, called directly, as one does when looking at a single picture."""
    del place
    boxes, scores = with_weights(MODELS[name]())(inputs, training=False)
    return {"boxes": boxes, "scores": scores}


def _saved_model(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    import tensorflow as tf

    del name
    loaded = tf.saved_model.load(str(place))
    return dict(loaded.signatures["serving_default"](tf.constant(inputs)))


def _whole_model(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    from tensorflow import keras

    del name
    return outputs_of(keras.models.load_model(str(place), compile=False), inputs)


def _weights(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    model = without_weights(MODELS[name]())
    model.load_weights(str(place))
    return outputs_of(model, inputs)


def _checkpoint(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    """Restore as tutorials do, without asking whether everything was found."""
    import tensorflow as tf

    model = without_weights(MODELS[name]())
    tf.train.Checkpoint(model=model).read(str(place / "ckpt"))
    return outputs_of(model, inputs)


def _checkpoint_asserted(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    """Restore, and ask."""
    import tensorflow as tf

    model = without_weights(MODELS[name]())
    tf.train.Checkpoint(model=model).read(str(place / "ckpt")).assert_existing_objects_matched()
    return outputs_of(model, inputs)


def _tflite(name: str, place: Path, inputs: Any) -> dict[str, Any]:
    import tensorflow as tf

    del name
    runtime = tf.lite.Interpreter(str(place))
    runtime.allocate_tensors()
    outs = runtime.get_output_details()
    rows: dict[str, list[Any]] = {"boxes": [], "scores": []}
    for picture in inputs:
        runtime.set_tensor(runtime.get_input_details()[0]["index"], picture[np.newaxis])
        runtime.invoke()
        for detail in outs:
            array = runtime.get_tensor(detail["index"])
            rows["boxes" if array.shape[-1] == 4 else "scores"].append(array)
    return {key: np.concatenate(arrays) for key, arrays in rows.items()}


READERS = {
    "code": _code,
    "eager": _eager,
    "saved_model": _saved_model,
    "keras": _whole_model,
    "h5": _whole_model,
    "weights_h5": _weights,
    "checkpoint": _checkpoint,
    "checkpoint_asserted": _checkpoint_asserted,
    "tflite": _tflite,
    "tflite_of_saved_model": _tflite,
}


def consume(name: str, kind: str, folder: Path) -> float | None:
    """Read one file and run it; return the largest difference of boxes and scores to the writer's own.

    None: what came out is not finite.
    """
    found = READERS[kind](name, folder / FORMATS[kind][0], inputs_for(name))
    if not all(np.isfinite(np.asarray(found[key])).all() for key in ("boxes", "scores")):
        return None
    with np.load(folder / "expected.npz") as expected:
        return max(float(np.abs(np.asarray(found[key]) - expected[key]).max()) for key in ("boxes", "scores"))
