"""A detector whose checkpoint holds two sets of weights: made by going on with its training, averages kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from oddemo.data.records import Dataset
from oddemo.detect.folder import TRAINING
from oddemo.detect.recipe import Recipe
from oddemo.files import read_json


def with_averages(detector: Path, dataset: Dataset, folder: Path, *, steps: int = 60) -> Path:
    """Train a detector a little further with a moving average of its weights.

    Args:
        detector: Detector folder with its `training.json`.
        dataset: Pictures to learn from.
        folder: Detector folder to write. Its weights are the averages; the raw ones lie beside them.
        steps: Of the further training.
    """
    from oddemo.detect.train import train

    recipe = Recipe.from_json(read_json(detector / TRAINING)["recipe"])
    further = replace(recipe, steps=steps, warmup_steps=5, learning_rate=recipe.learning_rate, ema_decay=0.95)
    return train(further, dataset, None, folder, init_from=detector, seed=1).folder
