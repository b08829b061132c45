"""A thin, repeatable training loop around TF-Vision's `RetinaNetTask`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddemo.data.records import Dataset
from oddemo.detect.checkpoints import STATE, TrainingState, begin_or_resume, dataset_fingerprint
from oddemo.detect.folder import CHECKPOINT_NAME, LABEL_MAP, TRAINING
from oddemo.detect.recipe import Recipe
from oddemo.detect.runtime import load_tensorflow
from oddemo.detect.scalars import ScalarLog
from oddemo.detect.stopping import MEASURED, BestWeights, EarlyStopping, best_step
from oddemo.detect.train_checks import check_data, check_finite, check_stopping
from oddemo.files import refuse_to_overwrite, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

if TYPE_CHECKING:
    from oddemo.detect.detector import Detector

LOGS = "logs"


@dataclass(frozen=True)
class TrainingResult:
    """What a training left behind.

    Attributes:
        folder: The detector folder.
        history: One mapping a log line: `step`, `total_loss`, `cls_loss`, `box_loss`, `learning_rate`, and `val_ap`
            where early stopping measured.
        kept_step: Step whose weights are the detector's: the last one, or the best one where early stopping measured.
        validation: COCO metrics on the validation pictures: `ap`, `ap50`, `ap75`, and `pictures`; empty without any.
        seconds: Wall time of training, without validation.
        cpu_seconds: Processor time of the same, over all cores.
    """

    folder: Path
    history: tuple[Mapping[str, float], ...]
    kept_step: int
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
    stopping: EarlyStopping | None = None,
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
        stopping: Measure on the validation pictures while training, end when it gets no better, and keep the best
            weights instead of the last. The learning rate follows its schedule for the recipe's whole length: with
            `constant` an early end is like a shorter training, with `cosine` it has not fallen to 0.
        resume: Take up the interrupted training in `folder`.
        overwrite: Replace the detector in `folder`; it stays until the new one is trained.
        command: Goes into `training.json` as the way to make this detector again; the running command if not given.
        on_log: Called with every log line.

    Raises:
        OddemoError: If there is nothing to learn from, the folder is taken, the data have other classes, or early
            stopping has nothing to measure.
    """
    folder = Path(folder)
    check_data(recipe, train_data, val_data)
    check_stopping(stopping, recipe, val_data)
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
        "stopping": None if stopping is None else asdict(stopping),
    }
    begin_or_resume(folder, run, resume=resume)
    loop = _Loop(recipe, train_data, folder, seed=seed, init_from=init_from)
    if stopping is not None and val_data is not None:
        loop.stop_early(stopping, val_data)
    clock = time.perf_counter(), time.process_time()
    for line in loop.run(log_every=log_every, save_every=max(log_every, save_every - save_every % log_every)):
        if on_log is not None:
            on_log(line)
    seconds, cpu_seconds = time.perf_counter() - clock[0], time.process_time() - clock[1]
    kept_step = loop.write_detector()
    validation = loop.validate(val_data, kept_step)
    if validation:
        ScalarLog(folder / LOGS / "validation", [validation])
    facts = {
        **run,
        "weights_from": loop.weights_from,
        "last_step": loop.step,
        "kept_step": kept_step,
        "validation": validation,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "resumed_at_step": loop.first_step,
        "history": loop.history,
        "provenance": provenance(seeds=[seed], command=command),
    }
    write_json(folder / TRAINING, facts)
    shutil.rmtree(folder / STATE)
    return TrainingResult(folder, tuple(loop.history), kept_step, validation, seconds, cpu_seconds)


class _Loop:
    """The model, its optimizer and the step function of one training."""

    def __init__(self, recipe: Recipe, dataset: Dataset, folder: Path, *, seed: int, init_from: Path | None) -> None:
        load_tensorflow()
        from official.vision.tasks import retinanet

        from oddemo.detect.initialise import draw_weights, start_from
        from oddemo.detect.pipeline import Samples

        self.recipe, self.folder, self.class_names = recipe, folder, dataset.class_names
        self.params = recipe.experiment(num_classes=len(dataset.class_names))
        self.samples = Samples(dataset, recipe, seed=seed)
        self.task = retinanet.RetinaNetTask(self.params.task)
        self.model = draw_weights(self.params, seed=seed, head_init=recipe.head_init, l1_weight=recipe.l1_weight)
        self.optimizer = self.task.create_optimizer(self.params.trainer.optimizer_config, self.params.runtime)
        if recipe.ema_decay:
            self.optimizer.shadow_copy(self.model)
        # Otherwise the first step makes its variables, and TensorFlow traces a function that makes variables twice.
        inner = self.optimizer._optimizer if recipe.ema_decay else self.optimizer
        inner._create_all_weights(self.model.trainable_variables)
        self.state = TrainingState(folder, self.model, self.optimizer)
        self.stopping: EarlyStopping | None = None
        self._measure: Callable[[], float] | None = None
        self.best = BestWeights(folder / STATE)
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

    def stop_early(self, stopping: EarlyStopping, val_data: Dataset) -> None:
        """Measure on pictures while training, and end when it gets no better."""
        from oddemo.detect.evaluate import evaluate

        self.stopping = stopping
        self._measure = lambda: float(evaluate(self._detector, val_data).ap)

    @cached_property
    def _detector(self) -> Detector:
        """The model as a detector: what it finds follows its weights, and it is traced once for all measurements."""
        from oddemo.detect.detector import Detector

        return Detector(self.params, self.class_names, self.model)

    def run(self, *, log_every: int, save_every: int) -> Iterator[dict[str, float]]:
        """Train to the last step and yield the log lines."""
        if self._is_over():  # killed after the last measurement, before the detector was written
            return
        tf = load_tensorflow()
        from oddemo.detect.pipeline import training_batches

        metrics = self.task.build_metrics(training=True)
        batches = training_batches(self.samples, self.params, first_step=self.first_step, last_step=self.recipe.steps)

        def one_step(images: Any, labels: Any) -> None:
            self.task.train_step((images, labels), self.model, self.optimizer, metrics=metrics)

        train_step = tf.function(one_step, autograph=False)
        logs = ScalarLog(self.folder / LOGS / "train", self.history)
        steps = track(batches, "training", total=self.recipe.steps - self.first_step)
        for step, (images, labels) in enumerate(steps, self.first_step + 1):
            train_step(images, labels)
            due = self.stopping is not None and self.stopping.is_due(step)
            if step % log_every and step != self.recipe.steps and not due:
                continue
            line = {"step": step, "learning_rate": self._learning_rate(step - 1)}
            line |= {metric.name: float(metric.result()) for metric in metrics}
            for metric in metrics:
                metric.reset_states()
            check_finite(line)
            if due and self._measure is not None:
                line[MEASURED] = self._measure()
            self.history.append(line)
            logs.write(line)
            if due and best_step(self.history) == step:
                self.best.keep(self.model)
            if step % save_every == 0 and step != self.recipe.steps:
                self.state.save()
            yield line
            if self._is_over():
                break
        self.samples.forget()
        if self.samples.failure is not None:
            raise self.samples.failure

    def _is_over(self) -> bool:
        return self.stopping is not None and self.stopping.is_over(self.history)

    def _learning_rate(self, step: int) -> float:
        rate = self.optimizer.learning_rate
        return float(rate(step) if callable(rate) else rate)

    def write_detector(self) -> int:
        """Write configuration, label map and weights; the checkpoint is one that TF-Vision's trainer can start from.

        Where averages were kept, they are the model's weights from here on, and the raw ones lie beside them, as in the
        best checkpoint that TF-Vision's own trainer keeps. Where early stopping measured, the best weights are written.

        Returns:
            The step whose weights these are.
        """
        tf = load_tensorflow()
        from official.core import train_utils

        from oddemo.data.label_map import write_label_map

        train_utils.serialize_config(self.params, str(self.folder))
        write_label_map(self.folder / LABEL_MAP, self.class_names, overwrite=True)
        for stale in self.folder.glob(f"{CHECKPOINT_NAME}-*"):
            stale.unlink()
        kept_step = self.step
        if self.stopping is not None:
            kept_step = best_step(self.history)
            self.best.put_back(self.model)
        objects = {"model": self.model, **self.model.checkpoint_items}
        if self.recipe.ema_decay:
            self._swap_averages()
            objects["optimizer"] = self.optimizer
        checkpoint = tf.train.Checkpoint(**objects)
        manager = tf.train.CheckpointManager(
            checkpoint, str(self.folder), max_to_keep=1, checkpoint_name=CHECKPOINT_NAME
        )
        manager.save(checkpoint_number=kept_step)
        return kept_step

    def validate(self, val_data: Dataset | None, kept_step: int) -> dict[str, float]:
        """Measure the weights that were written, which are the model's by then."""
        if val_data is None:
            return {}
        from oddemo.detect.evaluate import evaluate

        metrics = evaluate(self._detector, val_data)
        told = {"ap": metrics.ap, "ap50": metrics.ap50, "ap75": metrics.ap75}
        return {"step": kept_step, "pictures": len(val_data), **told}

    def _swap_averages(self) -> None:
        """As the optimizer's `swap_weights`, which runs only under a distribution strategy."""
        for variable in self.model.trainable_variables:
            average = self.optimizer.get_slot(variable, "average")
            raw = variable.numpy()
            variable.assign(average)
            average.assign(raw)
