"""Keeping TensorFlow's native log lines off standard error, where Python's logging cannot reach them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send what C++ code writes to standard error to nowhere while the block runs.

    TensorFlow 2.20's graph optimiser writes information lines whatever `TF_CPP_MIN_LOG_LEVEL` says. Python exceptions
    pass through as always, so no failure is hidden.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
