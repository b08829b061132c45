"""Weights of classes reach the loss: the anchors of a class count as often as its weight says, all others once."""

from __future__ import annotations

import numpy as np
import pytest

from oddemo.data.sample import sample_dataset
from oddemo.detect.pipeline import Samples, training_batches
from oddemo.detect.recipe import Recipe
from oddemo.detect.train import train
from oddemo.errors import OddemoError

WEIGHTS = (1.0, 3.0, 0.5, 8.0, 1.5)


def labels_of(class_weights: tuple[float, ...]) -> dict:
    recipe = Recipe(class_weights=class_weights, batch_size=8, steps=1)
    samples = Samples(sample_dataset("inspection"), recipe, seed=1)
    _, labels = next(iter(training_batches(samples, recipe.experiment(num_classes=5), first_step=0, last_step=1)))
    return labels


def test_each_anchor_has_the_weight_of_its_class():
    plain, weighted = labels_of(()), labels_of(WEIGHTS)
    targets = np.concatenate([plain["cls_targets"][level].numpy().reshape(8, -1) for level in ("3", "4", "5")], axis=1)
    before, after = plain["cls_weights"].numpy(), weighted["cls_weights"].numpy()
    assert before.shape == after.shape == targets.shape
    assert {0.0, 1.0} >= set(np.unique(before).tolist())
    shown = set(np.unique(targets[targets > 0]).astype(int).tolist())
    assert len(shown) >= 4
    for class_id in shown:
        mine = targets == class_id
        assert after[mine] == pytest.approx(before[mine] * WEIGHTS[class_id - 1])
    assert np.array_equal(after[targets <= 0], before[targets <= 0])
    # What decides boxes, and the number that the loss is divided by, stays.
    assert np.array_equal(plain["box_weights"].numpy(), weighted["box_weights"].numpy())


def test_weights_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(OddemoError, match="class_weights is not possible"):
        Recipe(class_weights=(1.0, 0.0))
    with pytest.raises(OddemoError, match="do not fit the classes"):
        train(Recipe(class_weights=(1.0, 2.0), steps=1), sample_dataset("inspection"), None, tmp_path / "x")
    assert Recipe.from_json(Recipe(class_weights=WEIGHTS).as_json()).class_weights == WEIGHTS
