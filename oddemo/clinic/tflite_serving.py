"""A serving script around a TFLite file, as it should be: it prepares pictures as the training did."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL = Path(__file__).parent / "model.tflite"
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


@lru_cache(maxsize=1)
def _runner() -> tuple[Any, int]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # The reference kernels: a delegate computes 8-bit weights in another way, which is a fault of its own.
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(MODEL), num_threads=1, experimental_op_resolver_type=plain)
    return interpreter.get_signature_runner(), int(interpreter.get_input_details()[0]["shape"][1])


def detect(image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Detect objects in a picture."""
    import tensorflow as tf

    runner, side = _runner()
    shape = np.array(image.shape[:2], np.float32)
    size = np.round(shape * np.min(side / shape)).astype(int)
    pixels = tf.image.resize((image.astype(np.float32) - MEAN) / STD, size).numpy()
    padded = np.pad(pixels, [(0, side - size[0]), (0, side - size[1]), (0, 0)])
    found = {name: value[0] for name, value in runner(inputs=padded[None]).items()}
    count, scale = int(found["num_detections"]), size / image.shape[:2]
    return {
        "boxes": found["detection_boxes"][:count] / [*scale, *scale],
        "scores": found["detection_scores"][:count],
        "classes": found["detection_classes"][:count],
    }
