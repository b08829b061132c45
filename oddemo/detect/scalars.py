"""The log of a training for TensorBoard."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from oddemo.detect.runtime import load_tensorflow


class ScalarLog:
    """Scalars for TensorBoard; on resuming, lines that a killed run wrote after its last state are dropped."""

    def __init__(self, folder: Path, history: list[dict[str, float]]) -> None:
        tf = load_tensorflow()
        shutil.rmtree(folder, ignore_errors=True)
        self._tf, self._writer = tf, tf.summary.create_file_writer(str(folder))
        for line in history:
            self.write(line)

    def write(self, line: Mapping[str, float]) -> None:
        """Add the values of one log line."""
        with self._writer.as_default(step=int(line["step"])):
            for name, value in line.items():
                if name != "step":
                    self._tf.summary.scalar(name, value)
        self._writer.flush()
