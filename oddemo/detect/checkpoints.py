"""The state of a training on disk: enough of it to go on after a power cut as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddemo.data.records import Dataset
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json

STATE = "state"
RUN = "run.json"
#: States kept on disk: if the newest is damaged by hand, the one before it is still there.
KEPT = 2


def dataset_fingerprint(dataset: Dataset) -> str:
    """Return a SHA-256 over what a training sees of a dataset: names, sizes, boxes, classes, and the files' sizes."""
    digest = hashlib.sha256(json.dumps(dataset.class_names).encode())
    for record in dataset.records:
        path = dataset.image_path(record)
        size = path.stat().st_size if path.is_file() else -1
        digest.update(f"{record.file_name} {record.image_size_hw_px} {size}".encode())
        digest.update(record.boxes_yxyx_px.tobytes() + record.class_ids.tobytes())
    return digest.hexdigest()


class TrainingState:
    """Model, optimizer and history of a training, saved together.

    Args:
        folder: The detector folder that is being made; the state lies in `state/` below it.
        model: TF-Vision's model.
        optimizer: Its optimizer, whose `iterations` count the steps.

    Attributes:
        history: Every value logged so far, one mapping a log line, oldest first.
    """

    def __init__(self, folder: Path, model: Any, optimizer: Any) -> None:
        tf = load_tensorflow()
        self.folder = Path(folder) / STATE
        self.history: list[dict[str, float]] = []
        self._optimizer = optimizer
        self._text = tf.Variable("[]", dtype=tf.string, trainable=False)
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, history=self._text)
        self._manager = tf.train.CheckpointManager(checkpoint, str(self.folder), max_to_keep=KEPT)

    @property
    def step(self) -> int:
        """Steps that are done."""
        return int(self._optimizer.iterations.numpy())

    def save(self) -> None:
        """Write the state; a reader finds the one before it until this one is whole."""
        self._text.assign(json.dumps(self.history))
        self._manager.save(checkpoint_number=self.step)

    def restore(self) -> bool:
        """Go back to the newest state on disk; return whether there is one."""
        if self._manager.latest_checkpoint is None:
            return False
        self._manager.checkpoint.restore(self._manager.latest_checkpoint)
        self.history = json.loads(self._text.numpy().decode())
        return True


def begin_or_resume(folder: Path, run: Mapping[str, Any], *, resume: bool) -> None:
    """Note what is trained, or check that an interrupted training is the same as the one asked for.

    Args:
        folder: Detector folder.
        run: Recipe, seed, classes and data of the training; JSON values.
        resume: Go on with what lies in the folder.

    Raises:
        OddemoError: If there is nothing to resume, or it is another training.
    """
    path = Path(folder) / STATE / RUN
    if not resume or not path.is_file():
        if resume and any(Path(folder).glob("*")):
            raise OddemoError(
                f"There is no interrupted training in {folder}.",
                expected=f"{STATE}/{RUN}, which a running training writes",
                do="the training may be finished already; choose another folder to train again",
            )
        write_json(path, dict(run))
        return
    begun = read_json(path)
    changed = sorted(name for name in {*begun, *run} if begun.get(name) != run.get(name))
    if changed:
        raise OddemoError(
            f"The interrupted training in {folder} is another one.",
            expected=f"the same {', '.join(changed)} as when it began",
            found="; ".join(f"{name}: {run.get(name)} instead of {begun.get(name)}" for name in changed)[:500],
            do="repeat the first command with --resume, or choose another folder",
        )
