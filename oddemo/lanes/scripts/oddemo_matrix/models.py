"""Two small models that stand for a detector's network; the same numbers in every TensorFlow.

Their weights are drawn by NumPy in the order of their layers, so that what is written does not depend on how a version
initialises, and what is read can be compared with it to the last digit.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

SIZE = 64
#: Of the pictures that go in.
PICTURES = 2


def detector() -> Any:
    """Convolution, batch normalisation, depthwise convolution and two heads, as in a mobile detector; float input."""
    from tensorflow import keras

    layers = keras.layers
    pixels = keras.Input((SIZE, SIZE, 3), name="pixels")
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(pixels)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise")(x)
    x = layers.BatchNormalization(name="depthwise_bn")(x)
    x = layers.Conv2D(16, 1, activation="relu", name="project")(x)
    boxes = layers.Conv2D(4, 3, padding="same", name="box")(x)
    scores = layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="score")(x)
    boxes = layers.Reshape((-1, 4), name="boxes")(boxes)
    scores = layers.Reshape((-1, 3), name="scores")(scores)
    return keras.Model(pixels, [boxes, scores], name="detector")


def pictures_in() -> Any:
    """A network that takes uint8 pictures of another size: resizing and scaling inside, hard-sigmoid scores."""
    from tensorflow import keras

    layers = keras.layers
    picture = keras.Input((96, 80, 3), dtype="uint8", name="picture")
    x = layers.Resizing(SIZE, SIZE, name="resize")(picture)
    x = layers.Rescaling(1.0 / 127.5, offset=-1.0, name="rescale")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="stem")(x)
    boxes = layers.Conv2D(4, 3, padding="same", name="box")(x)
    scores = layers.Conv2D(3, 3, padding="same", activation="hard_sigmoid", name="score")(x)
    boxes = layers.Reshape((-1, 4), name="boxes")(boxes)
    scores = layers.Reshape((-1, 3), name="scores")(scores)
    return keras.Model(picture, [boxes, scores], name="pictures_in")


MODELS: dict[str, Callable[[], Any]] = {"detector": detector, "pictures_in": pictures_in}


def with_weights(model: Any) -> Any:
    """Give a model its weights: small numbers, positive where a variance must be."""
    rng = np.random.default_rng(2026)
    for layer in model.layers:
        drawn = []
        for index, array in enumerate(layer.get_weights()):
            values = rng.normal(0.0, 0.25, array.shape)
            # Batch normalisation: scale, shift, mean, variance.
            positive = "BatchNormalization" in type(layer).__name__ and index in (0, 3)
            drawn.append((np.abs(values) + 0.5 if positive else values).astype(np.float32))
        layer.set_weights(drawn)
    return model


def without_weights(model: Any) -> Any:
    """Set every weight to zero, so that whatever is not restored shows."""
    for layer in model.layers:
        layer.set_weights([np.zeros_like(array) for array in layer.get_weights()])
    return model


def inputs_for(name: str) -> Any:
    """Return the pictures that a model is run on."""
    rng = np.random.default_rng(7)
    if name == "detector":
        return rng.uniform(-1.0, 1.0, (PICTURES, SIZE, SIZE, 3)).astype(np.float32)
    return rng.integers(0, 256, (PICTURES, 96, 80, 3)).astype(np.uint8)


def outputs_of(model: Any, inputs: Any) -> dict[str, Any]:
    """Run a model as `predict` and every export do, in a graph.

    Called directly, a Keras 3 model may give something else: see the format `eager`.
    """
    import tensorflow as tf

    boxes, scores = tf.function(lambda pixels: model(pixels, training=False))(tf.constant(inputs))
    return {"boxes": np.asarray(boxes), "scores": np.asarray(scores)}
