"""What this TensorFlow's TFLite runtime makes of weights of 8 bits with float activations (dynamic range).

Each lane converts one operation of each kind and says what it computes there. The others run the same files, with the
delegate that the runtime takes by itself and without any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np

#: Operation → shapes of its input and its weights; from 1024 weights on a converter stores them in 8 bits. Inputs are
#: large, so that a number near the border of two steps is among them.
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "CONV_2D": ((1, 64, 64, 40), (1, 1, 40, 40)),
    "DEPTHWISE_CONV_2D": ((1, 32, 32, 120), (3, 3, 120, 1)),
    "FULLY_CONNECTED": ((2000, 40), (40, 40)),
}
#: Inputs around zero, and on one side of it.
_DRAWN: tuple[Callable[[Any, Any], Any], ...] = (
    lambda rng, shape: rng.normal(0, 2, shape),
    lambda rng, shape: rng.uniform(0, 2, shape),
    lambda rng, shape: rng.uniform(-2, -0.5, shape),
)
_DEFAULT, _PLAIN = "default", "plain"


def write_models(folder: Path) -> dict[str, bool]:
    """Write a file of each operation and what it computes here; return whether the delegate changes anything of it."""
    found = {}
    for op in SHAPES:
        _path(folder, op).write_bytes(_converted(op))
        answers = {way: _run(folder, op, way) for way in (_DEFAULT, _PLAIN)}
        np.savez(folder / f"{op}.npz", **answers)
        found[op] = not np.array_equal(answers[_DEFAULT], answers[_PLAIN])
    return found


def distances(folder: Path) -> dict[str, dict[str, float]]:
    """Return operation → way → how far what another lane's file computes here is from what it computes there.

    A file that does not open here is left out.
    """
    found: dict[str, dict[str, float]] = {}
    for op in SHAPES:
        there = np.load(folder / f"{op}.npz")
        try:
            found[op] = {way: float(np.abs(_run(folder, op, way) - there[way]).max()) for way in (_DEFAULT, _PLAIN)}
        except (ValueError, RuntimeError):  # a newer version of the operation
            continue
    return found


def _path(folder: Path, op: str) -> Path:
    return folder / f"{op}.tflite"


def _converted(op: str) -> bytes:
    import tensorflow as tf

    given, weights = SHAPES[op]
    values = np.random.default_rng(11).normal(0.0, 0.3, weights).astype(np.float32)
    computes: dict[str, Callable[[Any], Any]] = {
        "CONV_2D": lambda x: tf.nn.conv2d(x, tf.constant(values), 1, "SAME"),
        "DEPTHWISE_CONV_2D": lambda x: tf.nn.depthwise_conv2d(x, tf.constant(values), (1, 1, 1, 1), "SAME"),
        "FULLY_CONNECTED": lambda x: tf.matmul(x, tf.constant(values)),
    }
    function = tf.function(lambda x: tf.nn.relu6(computes[op](x)), input_signature=[tf.TensorSpec(given, tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def _run(folder: Path, op: str, way: str) -> Any:
    """Return what comes out for every kind of input, one after the other."""
    import tensorflow as tf

    kinds = tf.lite.experimental.OpResolverType
    kind = kinds.AUTO if way == _DEFAULT else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = tf.lite.Interpreter(model_path=str(_path(folder, op)), experimental_op_resolver_type=kind)
    runtime.allocate_tensors()
    (given,), (told,) = runtime.get_input_details(), runtime.get_output_details()
    found = []
    for draw in _DRAWN:
        rng = np.random.default_rng(11)
        runtime.set_tensor(given["index"], draw(rng, SHAPES[op][0]).astype(np.float32))
        runtime.invoke()
        found.append(runtime.get_tensor(told["index"]))
    return np.stack(found)
