"""When a training ends and how fast it goes: early stopping, also after a kill, and schedules of the learning rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import SHIPPED, TINY, six_pictures

from oddemo.data.records import Dataset
from oddemo.detect.recipe import Recipe
from oddemo.detect.stopping import EarlyStopping, best_step
from oddemo.errors import OddemoError


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    return six_pictures()


def test_early_stopping_keeps_the_best_weights_also_after_a_kill(pictures, tmp_path):
    from oddemo.detect.detector import load_detector
    from oddemo.detect.evaluate import evaluate
    from oddemo.detect.train import train

    # A rate too high for a detector that knows these pictures: it loses from step to step what it knew.
    recipe = replace(TINY, steps=40, learning_rate=0.02, schedule="constant")
    whole = tmp_path / "whole"
    start = {"init_from": SHIPPED / "inspection"}
    stopping = EarlyStopping(every_steps=2, patience=2)
    result = train(recipe, pictures, pictures, whole, seed=5, log_every=2, save_every=2, stopping=stopping, **start)
    values = {int(line["step"]): line["val_ap"] for line in result.history}
    assert max(values) == result.kept_step + 2 * 2 < recipe.steps
    assert values[result.kept_step] == max(values.values()) > 2 * values[max(values)]
    # The weights on disk are those of the best step: measured again they give what was measured then.
    assert evaluate(load_detector(whole), pictures).ap == pytest.approx(max(values.values()), abs=1e-6)
    assert result.validation["step"] == result.kept_step

    class StoppedError(Exception):
        pass

    # Once on the way, and once when all is measured and the detector is not written yet.
    for last in (result.kept_step + 2, max(values)):

        def stop(line, last=last):
            if line["step"] == last:
                raise StoppedError

        halves = tmp_path / f"stopped_at_{last}"
        told = {"seed": 5, "log_every": 2, "save_every": 2, "stopping": stopping, **start}
        with pytest.raises(StoppedError):
            train(recipe, pictures, pictures, halves, on_log=stop, **told)
        again = train(recipe, pictures, pictures, halves, resume=True, **told)
        assert again.history == result.history
        weights = [load_detector(folder).model.get_weights() for folder in (whole, halves)]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_early_stopping_without_pictures_or_with_averages_is_refused(pictures, tmp_path):
    from oddemo.detect.train import train

    stopping = EarlyStopping(every_steps=4, patience=1)
    for recipe, val_data, words in (
        (TINY, None, "nothing to measure on"),
        (replace(TINY, steps=3), pictures, "never measure"),
        (replace(TINY, ema_decay=0.9), pictures, "averaged weights"),
    ):
        with pytest.raises(OddemoError, match=words):
            train(recipe, pictures, val_data, tmp_path / "x", stopping=stopping)
    for wrong in ({"every_steps": 0}, {"patience": 0}):
        with pytest.raises(OddemoError, match="Early stopping's"):
            EarlyStopping(**wrong)


@given(values=st.lists(st.floats(0, 1), max_size=12), patience=st.integers(1, 4))
def test_a_training_is_over_when_the_last_measurements_bring_nothing_new(values, patience):
    history = [{"step": float(step), "val_ap": value} for step, value in enumerate(values, 1)]
    history += [{"step": float(len(values) + 1), "total_loss": 1.0}]
    over = len(values) > patience and max(values[-patience:]) <= max(values[:-patience])
    assert EarlyStopping(1, patience).is_over(history) == over
    if values:
        assert best_step(history) == values.index(max(values)) + 1


@pytest.mark.parametrize("schedule", ["cosine", "stepwise", "constant"])
def test_the_learning_rate_follows_its_schedule(schedule):
    from official.vision.tasks import retinanet

    recipe = Recipe(steps=90, warmup_steps=0, learning_rate=0.01, schedule=schedule)
    params = recipe.experiment(num_classes=1)
    optimizer = retinanet.RetinaNetTask(params.task).create_optimizer(params.trainer.optimizer_config, params.runtime)
    rate = optimizer.learning_rate
    found = [float(rate(step)) if callable(rate) else float(rate) for step in (0, 45, 70, 85)]
    expected = {
        "cosine": [0.01 * (1 + np.cos(np.pi * step / 90)) / 2 for step in (0, 45, 70, 85)],
        "stepwise": [0.01, 0.01, 0.001, 0.0001],
        "constant": [0.01] * 4,
    }
    np.testing.assert_allclose(found, expected[schedule], rtol=1e-4)
