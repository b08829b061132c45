"""TensorFlow, loaded once, without chatter, and set up so that the same seed gives the same weights.

TF-Vision writes its conditions and loops as TensorFlow's own operations. So what is traced of it is traced with
`autograph=False`: to translate its Python first takes seconds of a process, and the graph that comes out is the same.
Where TF-Vision should come to need the translation, TensorFlow says so with an error.
"""

from __future__ import annotations

import gc
import os
import warnings
from typing import Any

from oddemo.environment import prepare_environment

#: Threads inside one operation. Sums are added in another order with another number, so it is part of a recipe.
INTRA_OP_THREADS = 1
#: New objects between two searches for garbage. A graph is very many small objects that stay: to search them at the
#: pace of Python itself, every 700, takes a tenth of the time of building, saving or loading one.
OBJECTS_BETWEEN_SEARCHES = 10_000


def load_tensorflow() -> Any:
    """Import TensorFlow for TF-Vision: Keras 2, log lines of level error only, one thread inside an operation.

    Where the process has used TensorFlow already, its thread setting is left as it is. From then on garbage is searched
    for less often, unless the process had a longer interval already, or none.

    Returns:
        The module `tensorflow`.
    """
    prepare_environment()
    if 0 < gc.get_threshold()[0] < OBJECTS_BETWEEN_SEARCHES:
        gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf
    from absl import logging

    logging.set_verbosity(logging.ERROR)
    logging.set_stderrthreshold(logging.ERROR)
    tf.get_logger().setLevel("ERROR")
    # TF-Vision's MobileNet hands its pyramid a level more than it takes.
    warnings.filterwarnings("ignore", message="Input dict contained keys", category=UserWarning)
    if tf.config.threading.get_intra_op_parallelism_threads() == 0:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(INTRA_OP_THREADS)
        except RuntimeError:
            # TensorFlow has started in this process: the number of threads cannot be changed any more.
            return tf
    return tf
