"""What this Keras computes: activations on a grid, and layers with their defaults on fixed inputs and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from oddemo_offers.rebuilding import classes, example

#: Word in a layer's name → the inputs that are tried, the first that it takes is used.
_SHAPES = {"2D": ((2, 12, 12, 3),), "1D": ((2, 12, 3),), "3D": (), "": ((2, 12, 12, 3), (2, 12, 3), (2, 6))}
#: What draws at random, only works in training, or has to be adapted to pictures first.
_NOT_COMPARED = (
    "=Normalization",
    "Random",
    "Gaussian",
    "Dropout",
    "AutoContrast",
    "MixUp",
    "CutMix",
    "RandAugment",
    "AugMix",
)


def activations() -> dict[str, Any]:
    """Return name → values between -6 and 6 of every activation."""
    import keras
    import tensorflow as tf

    grid = tf.constant(np.linspace(-6.0, 6.0, 121, dtype=np.float32)[None])
    found = {}
    for name in sorted(dir(keras.activations)):
        function = getattr(keras.activations, name)
        if name.startswith("_") or name in ("deserialize", "serialize", "get") or not callable(function):
            continue
        try:
            found[name] = np.asarray(function(grid), np.float32)
        except Exception:  # takes something else than one tensor
            continue
    return found


def layers() -> dict[str, Any]:
    """Return name → what a layer makes of a fixed input in a graph; `name@uint8` where the input is a picture's."""
    found = {}
    for room, one in classes():
        if room != "layers" or any(word in f"={one.__name__}" for word in _NOT_COMPARED):
            continue
        for dtype in ("float32", "uint8"):
            value = _run(one, dtype)
            if value is not None:
                found[one.__name__ if dtype == "float32" else f"{one.__name__}@uint8"] = value
    return found


def _run(one: type, dtype: str) -> Any:
    import keras
    import tensorflow as tf

    for shape in next(shapes for word, shapes in _SHAPES.items() if word in one.__name__):
        rng = np.random.default_rng(11)
        given = rng.uniform(0, 255, shape).astype(dtype) if dtype == "uint8" else rng.normal(0, 2, shape).astype(dtype)
        try:
            layer = example(one)
            layer(keras.Input(shape[1:], batch_size=shape[0], dtype=dtype))
            layer.set_weights([rng.uniform(0.1, 1.0, w.shape).astype(w.dtype) for w in layer.get_weights()])
            out = tf.function(lambda x, layer=layer: layer(x))(tf.constant(given))
            return np.asarray(out).astype(np.float32)
        except Exception:  # another number of axes, more than one input, …
            continue
    return None
