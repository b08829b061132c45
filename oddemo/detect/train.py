"""A thin, repeatable training loop around TF-Vision's `RetinaNetTask`."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.data.records import Dataset
from oddemo.detect.checkpoints import STATE, TrainingState, begin_or_resume, dataset_fingerprint
from oddemo.detect.folder import CHECKPOINT_NAME, LABEL_MAP, TRAINING
from oddemo.detect.recipe import Recipe
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.files import refuse_to_overwrite, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

LOGS = "logs"


@dataclass(frozen=True)
class TrainingResult:
    """What a training left behind.

    Attributes:
        folder: The detector folder.
        history: One mapping a log line: `step`, `total_loss`, `cls_loss`, `box_loss`, `learning_rate`.
        validation: COCO metrics on the validation pictures: `ap`, `ap50`, `ap75`, and `pictures`; empty without any.
        seconds: Wall time of training, without validation.
        cpu_seconds: Processor time of the same, over all cores.
    """

    folder: Path
    history: tuple[Mapping[str, float], ...]
    validation: Mapping[str, float]
    seconds: float
    cpu_seconds: float


def train(
    recipe: Recipe,
    train_data: Dataset,
    val_data: Dataset | None,
    folder: Path,
    *,
    init_from: Path | None = None,
    seed: int = 0,
    log_every: int = 50,
    save_every: int = 500,
    resume: bool = False,
    overwrite: bool = False,
    command: str | None = None,
    on_log: Callable[[Mapping[str, float]], None] | None = None,
) -> TrainingResult:
    """Train a detector and write its folder: `params.yaml`, `ckpt-*`, `label_map.pbtxt`, `training.json`, `logs/`.

    The same recipe, pictures and seed give the same weights, bit by bit, on one kind of machine, also if the training
    was killed in between and taken up again.

    Args:
        recipe: What is trained, and how.
        train_data: Pictures to learn from.
        val_data: Pictures to measure on at the end, if any.
        folder: Detector folder to write.
        init_from: Detector folder whose weights are the start; only the classifier is drawn anew if classes differ.
        seed: Decides the first weights and every random choice in the input.
        log_every: Steps between two log lines.
        save_every: Steps between two saved states.
        resume: Take up the interrupted training in `folder`.
        overwrite: Replace the detector in `folder`; it stays until the new one is trained.
        command: Goes into `training.json` as the way to make this detector again; the running command if not given.
        on_log: Called with every log line.

    Raises:
        OddemoError: If there is nothing to learn from, the folder is taken, or the data have other classes.
    """
    folder = Path(folder)
    _check_data(recipe, train_data, val_data)
    if not resume:
        refuse_to_overwrite(folder, overwrite=overwrite)
        shutil.rmtree(folder / STATE, ignore_errors=True)
    run = {
        "recipe": recipe.as_json(),
        "seed": seed,
        "class_names": list(train_data.class_names),
        "train_data": {"name": train_data.name, "pictures": len(train_data), "sha256": dataset_fingerprint(train_data)},
        "init_from": None if init_from is None else Path(init_from).name,
        "log_every": log_every,
    }
    begin_or_resume(folder, run, resume=resume)
    loop = _Loop(recipe, train_data, folder, seed=seed, init_from=init_from)
    clock = time.perf_counter(), time.process_time()
    for line in loop.run(log_every=log_every, save_every=max(log_every, save_every - save_every % log_every)):
        if on_log is not None:
            on_log(line)
    seconds, cpu_seconds = time.perf_counter() - clock[0], time.process_time() - clock[1]
    loop.write_detector(train_data.class_names)
    validation = _validate(folder, val_data, loop.step)
    if validation:
        _TensorBoard(folder / LOGS / "validation", [validation])
    facts = {
        **run,
        "weights_from": loop.weights_from,
        "validation": validation,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "resumed_at_step": loop.first_step,
        "history": loop.history,
        "provenance": provenance(seeds=[seed], command=command),
    }
    write_json(folder / TRAINING, facts)
    shutil.rmtree(folder / STATE)
    return TrainingResult(folder, tuple(loop.history), validation, seconds, cpu_seconds)


class _Loop:
    """The model, its optimizer and the step function of one training."""

    def __init__(self, recipe: Recipe, dataset: Dataset, folder: Path, *, seed: int, init_from: Path | None) -> None:
        load_tensorflow()
        from official.vision.tasks import retinanet

        from oddemo.detect.initialise import draw_weights, start_from
        from oddemo.detect.pipeline import Samples

        self.recipe, self.folder = recipe, folder
        self.params = recipe.experiment(num_classes=len(dataset.class_names))
        self.samples = Samples(dataset, recipe, seed=seed)
        self.task = retinanet.RetinaNetTask(self.params.task)
        self.model = draw_weights(self.params, seed=seed, head_init=recipe.head_init)
        self.optimizer = self.task.create_optimizer(self.params.trainer.optimizer_config, self.params.runtime)
        if recipe.ema_decay:
            self.optimizer.shadow_copy(self.model)
        self.state = TrainingState(folder, self.model, self.optimizer)
        self.weights_from = "drawn"
        if init_from is not None:
            self.weights_from = start_from(self.model, dataset.class_names, init_from)
        self.state.restore()
        self.first_step = self.state.step

    @property
    def step(self) -> int:
        """Steps that are done."""
        return self.state.step

    @property
    def history(self) -> list[dict[str, float]]:
        """Every log line."""
        return self.state.history

    def run(self, *, log_every: int, save_every: int) -> Iterator[dict[str, float]]:
        """Train to the last step and yield the log lines."""
        tf = load_tensorflow()
        from oddemo.detect.pipeline import training_batches

        metrics = self.task.build_metrics(training=True)
        batches = training_batches(self.samples, self.params, first_step=self.first_step, last_step=self.recipe.steps)

        def one_step(images: Any, labels: Any) -> None:
            self.task.train_step((images, labels), self.model, self.optimizer, metrics=metrics)

        train_step = tf.function(one_step)
        logs = _TensorBoard(self.folder / LOGS / "train", self.history)
        steps = track(batches, "training", total=self.recipe.steps - self.first_step)
        for step, (images, labels) in enumerate(steps, self.first_step + 1):
            train_step(images, labels)
            if step % log_every and step != self.recipe.steps:
                continue
            line = {"step": step, "learning_rate": float(self.optimizer.learning_rate(step - 1))}
            line |= {metric.name: float(metric.result()) for metric in metrics}
            for metric in metrics:
                metric.reset_states()
            _check_finite(line)
            self.history.append(line)
            logs.write(line)
            if step % save_every == 0 and step != self.recipe.steps:
                self.state.save()
            yield line
        self.samples.forget()
        if self.samples.failure is not None:
            raise self.samples.failure

    def write_detector(self, class_names: tuple[str, ...]) -> None:
        """Write configuration, label map and weights; the checkpoint is one that TF-Vision's trainer can start from.

        Where averages were kept, they are the model's weights from here on, and the raw ones lie beside them, as in the
        best checkpoint that TF-Vision's own trainer keeps.
        """
        tf = load_tensorflow()
        from official.core import train_utils

        from oddemo.data.label_map import write_label_map

        train_utils.serialize_config(self.params, str(self.folder))
        write_label_map(self.folder / LABEL_MAP, class_names, overwrite=True)
        for stale in self.folder.glob(f"{CHECKPOINT_NAME}-*"):
            stale.unlink()
        objects = {"model": self.model, **self.model.checkpoint_items}
        if self.recipe.ema_decay:
            self._swap_averages()
            objects["optimizer"] = self.optimizer
        checkpoint = tf.train.Checkpoint(**objects)
        manager = tf.train.CheckpointManager(
            checkpoint, str(self.folder), max_to_keep=1, checkpoint_name=CHECKPOINT_NAME
        )
        manager.save(checkpoint_number=self.step)

    def _swap_averages(self) -> None:
        """As the optimizer's `swap_weights`, which runs only under a distribution strategy."""
        for variable in self.model.trainable_variables:
            average = self.optimizer.get_slot(variable, "average")
            raw = variable.numpy()
            variable.assign(average)
            average.assign(raw)


class _TensorBoard:
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


def _check_data(recipe: Recipe, train_data: Dataset, val_data: Dataset | None) -> None:
    if recipe.class_weights and len(recipe.class_weights) != len(train_data.class_names):
        raise OddemoError(
            "The recipe's class_weights do not fit the classes.",
            expected=f"{len(train_data.class_names)} weights ({', '.join(train_data.class_names)}), or none",
            found=str(len(recipe.class_weights)),
        )
    if not any(len(record.class_ids) for record in train_data.records):
        raise OddemoError(
            f"{train_data.name} has nothing to learn from.",
            expected="at least one picture with a box",
            found=f"{len(train_data)} pictures without boxes",
        )
    if val_data is not None and val_data.class_names != train_data.class_names:
        raise OddemoError(
            "Training and validation data have different classes.",
            expected=", ".join(train_data.class_names),
            found=", ".join(val_data.class_names),
        )


def _check_finite(line: Mapping[str, float]) -> None:
    import math

    if not all(math.isfinite(value) for value in line.values()):
        raise OddemoError(
            f"The training diverged before step {line['step']:.0f}.",
            expected="finite losses",
            found=json.dumps({name: str(value) for name, value in line.items()}),
            do="lower the learning rate of the recipe, or look at the annotations with `oddemo data check`",
        )


def _validate(folder: Path, val_data: Dataset | None, step: int) -> dict[str, float]:
    if val_data is None:
        return {}
    from oddemo.detect.detector import load_detector
    from oddemo.detect.evaluate import evaluate

    metrics = evaluate(load_detector(folder), val_data)
    return {"step": step, "pictures": len(val_data), "ap": metrics.ap, "ap50": metrics.ap50, "ap75": metrics.ap75}
