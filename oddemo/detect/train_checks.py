"""What is refused before a training, and what ends one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from oddemo.data.records import Dataset
from oddemo.detect.recipe import Recipe
from oddemo.detect.stopping import EarlyStopping
from oddemo.errors import OddemoError


def check_data(recipe: Recipe, train_data: Dataset, val_data: Dataset | None) -> None:
    """Check that there is something to learn, and that recipe, training and validation pictures have the same classes.

    Raises:
        OddemoError: If not.
    """
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


def check_stopping(stopping: EarlyStopping | None, recipe: Recipe, val_data: Dataset | None) -> None:
    """Check that early stopping can measure, and goes with the recipe.

    Raises:
        OddemoError: If not.
    """
    if stopping is None:
        return
    if val_data is None or len(val_data) == 0:
        raise OddemoError("Early stopping has nothing to measure on.", expected="validation pictures", found="none")
    if stopping.every_steps > recipe.steps:
        raise OddemoError(
            "Early stopping would never measure.",
            expected=f"every_steps of at most {recipe.steps}, the recipe's steps",
            found=str(stopping.every_steps),
        )
    if recipe.ema_decay:
        raise OddemoError(
            "Early stopping and averaged weights are not done together.",
            expected="ema_decay of 0, or no early stopping",
            found=f"ema_decay {recipe.ema_decay}",
            do="choose one: averaging is itself a way not to depend on the last step",
        )


def check_finite(line: Mapping[str, float]) -> None:
    """Check the losses of a log line.

    Raises:
        OddemoError: If one is infinite or not a number: the training diverged.
    """
    if not all(math.isfinite(value) for value in line.values()):
        raise OddemoError(
            f"The training diverged before step {line['step']:.0f}.",
            expected="finite losses",
            found=json.dumps({name: str(value) for name, value in line.items()}),
            do="lower the learning rate of the recipe, or look at the annotations with `oddemo data check`",
        )
