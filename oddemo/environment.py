"""What has to be in the environment before TensorFlow is imported for the first time."""

from __future__ import annotations

import os
import sys

#: TF-Vision is built on Keras 2 (`tf_keras`), which TensorFlow takes up only if asked before its import.
LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
#: 3 leaves errors alone of what TensorFlow's C++ side writes to standard error.
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def prepare_environment() -> None:
    """Ask TensorFlow for Keras 2 and for silence; a value that the user has set stays. Imports no TensorFlow."""
    os.environ.setdefault(LOG_LEVEL, "3")
    os.environ.setdefault(LEGACY_KERAS, "1")


def tensorflow_came_first() -> bool:
    """Tell whether TensorFlow was imported without Keras 2, so that `prepare_environment` comes too late."""
    return "tensorflow" in sys.modules and os.environ.get(LEGACY_KERAS) is None
