"""Studies of bias, hyperparameters and parts held back: what their conditions do, seen on real pictures and models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddemo.data.damage.bias import lean_to_light, off_centre
from oddemo.data.picture_measures import brightness_of
from oddemo.data.sample import sample_dataset
from oddemo.detect.recipe import Recipe
from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.metrics.slices import sliced_metrics
from oddemo.study import architecture, bias, hyperparameters
from oddemo.study.changes import LeanToLight, LeanToMiddle, MixedWithFresh, TakeFew
from oddemo.study.design import as_json
from oddemo.study.detecting import DetectorTrial, leaning_of, scaled, weak_spots_of
from oddemo.study.held_out_parts import HeldOutTrial
from oddemo.study.places import PLACES
from oddemo.study.pretrained import PretrainedTrial


def test_the_brightest_pictures_are_kept():
    dataset = sample_dataset("inspection")
    kept = lean_to_light(dataset, 10)
    ids = {record.image_id for record in kept.records}
    values = {record.image_id: brightness_of(dataset, record) for record in dataset.records}
    assert len(kept) == 10
    assert min(values[one] for one in ids) >= max(value for one, value in values.items() if one not in ids)


def test_leaning_sets_lean_and_fresh_pictures_pull_them_back(tmp_path):
    dataset = sample_dataset("inspection")
    told = {}
    for name, change in (
        ("even", TakeFew(12)),
        ("bright", LeanToLight(1 / 3)),
        ("mixed", MixedWithFresh(LeanToLight(1 / 3), 12, 6)),
        ("centred", LeanToMiddle(1 / 3)),
    ):
        leaning = leaning_of(change.apply(dataset, seed=1, folder=tmp_path))
        told[name] = leaning["training_brightness"], leaning["training_off_centre"]
    assert told["even"][0] < told["mixed"][0] < told["bright"][0]
    assert told["centred"][1] < min(told["even"][1], told["bright"][1])
    whole = [off_centre(record) for record in dataset.records if len(record.class_ids)]
    assert leaning_of(dataset)["training_off_centre"] == pytest.approx(np.mean(whole))


def test_fresh_pictures_are_so_many_and_the_seed_draws_them(tmp_path):
    dataset = sample_dataset("inspection")
    bright = {record.image_id for record in LeanToLight(1 / 3).apply(dataset, seed=1, folder=tmp_path).records}
    drawn = []
    for seed in (1, 1, 2):
        mixed = MixedWithFresh(LeanToLight(1 / 3), 12, 6).apply(dataset, seed=seed, folder=tmp_path)
        drawn.append({record.image_id for record in mixed.records})
        assert len(mixed) == 12
        assert 6 <= len(drawn[-1] & bright) < 12
    assert drawn[0] == drawn[1] != drawn[2]


def test_weak_spots_are_the_slices_of_the_metrics(inspection_detector):
    from oddemo.detect.detector import load_detector

    dataset = sample_dataset("inspection")
    found = load_detector(inspection_detector).predict(dataset)
    told = weak_spots_of(dataset, found)
    for name, by, part in (("dark_ap", "brightness", "dark"), ("border_ap", "position", "border")):
        slices = [one for one in sliced_metrics(dataset, found, by=by, resamples=10) if one.name.startswith(part)]
        assert [told[name]] == [one.ap for one in slices]


def test_a_recipe_is_scaled_entry_by_entry():
    base = {"steps": 150, "batch_size": 4}
    assert scaled(base, {}) == base
    assert scaled(base, {"steps": 0.25, "batch_size": 4.0}) == {"steps": 38, "batch_size": 16}
    assert scaled(base, {"learning_rate": 10.0})["learning_rate"] == pytest.approx(10 * Recipe().learning_rate)
    seen = set()
    for condition in hyperparameters.STUDY.conditions:
        if condition.name.startswith(("reference", "batch")):
            recipe = scaled(condition.trial.recipe, condition.trial.scale)
            seen.add(recipe["steps"] * recipe["batch_size"])
    # As many pictures, up to the rounding of a step.
    assert max(seen) - min(seen) <= 8


def test_conditions_of_one_study_differ():
    for study in (architecture.STUDY, bias.STUDY, hyperparameters.STUDY):
        assert len({str(as_json(one.trial)) for one in study.conditions}) == len(study.conditions)


def test_weight_decay_is_tf_visions_own_and_is_half_the_sum_of_squares():
    from oddemo.detect.detector import build_model

    recipe = Recipe(weight_decay=0.02, input_size_px=64)
    params = recipe.experiment(num_classes=2)
    assert params.task.losses.l2_weight_decay == 0.02
    assert Recipe().experiment(num_classes=2).task.losses.l2_weight_decay == 0.0
    model = build_model(params)
    kernels = [one for one in model.trainable_variables if len(one.shape) == 4]
    by_hand = 0.02 / 2 * sum(float((one.numpy().astype(np.float64) ** 2).sum()) for one in kernels)
    assert float(np.sum([float(loss) for loss in model.losses])) == pytest.approx(by_hand, rel=1e-4)
    with pytest.raises(OddemoError, match="weight_decay"):
        Recipe(weight_decay=-1.0)


@pytest.mark.usefixtures("few_cells")
def test_a_trial_that_may_stop_early_tells_which_step_it_kept(tmp_path):
    tiny = {"steps": 6, "batch_size": 1, "warmup_steps": 1, "score_threshold": 0.3, "learning_rate": 1e-9}
    trial = DetectorTrial((TakeFew(2),), tiny, stop_every=2, patience=1)
    shared = trial.prepare("bccd", tmp_path)
    assert set(shared["pictures"]) == {"train", "test", "val"}
    told = trial.measure("bccd", 1, tmp_path, tmp_path / "scratch")
    # At a learning rate of next to nothing the second measurement is no better than the first.
    assert (told["kept_step"], told["last_step"]) == (2, 4)


def test_an_l1_weight_adds_the_sum_of_absolute_kernels():
    from oddemo.detect.detector import build_model

    params = Recipe(weight_decay=0.02, input_size_px=64).experiment(num_classes=2)
    model = build_model(params, l1_weight=0.03)
    kernels = [one.numpy().astype(np.float64) for one in model.trainable_variables if len(one.shape) == 4]
    by_hand = sum(0.02 / 2 * (one**2).sum() + 0.03 * np.abs(one).sum() for one in kernels)
    assert float(np.sum([float(loss) for loss in model.losses])) == pytest.approx(by_hand, rel=1e-4)
    with pytest.raises(OddemoError, match="l1_weight"):
        Recipe(l1_weight=-1.0)


@pytest.mark.usefixtures("few_cells")
def test_a_part_is_held_back_for_real(tmp_path):
    tiny = {"steps": 2, "batch_size": 1, "warmup_steps": 1, "score_threshold": 0.3}
    trial = HeldOutTrial(another_part=True, pictures=8, parts=4, recipe=tiny)
    trial.prepare("bccd", tmp_path)
    told = trial.measure("bccd", 3, tmp_path, tmp_path / "scratch")
    assert (told["part"], told["held_pictures"], told["training_pictures"]) == (3, 2, 6)
    assert 0 <= told["held_ap"] <= 1
    assert 0 <= told["ap"] <= 1


@pytest.mark.usefixtures("few_cells")
def test_each_architecture_starts_from_a_detector_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setitem(PLACES, "wildlife", replace(PLACES["wildlife"], pictures={"train": 3}))
    tiny = {"steps": 1, "batch_size": 1, "warmup_steps": 0}
    trial = PretrainedTrial({"resnet_depth": 10, "width": 0.25}, tiny, {**tiny, "score_threshold": 0.3}, (TakeFew(2),))
    trial.prepare("bccd", tmp_path)
    wider = replace(trial, model={"resnet_depth": 10, "width": 0.5})
    starts = {one.start(tmp_path) for one in (trial, trial, wider)}
    assert len(starts) == 2
    told = trial.measure("bccd", 1, tmp_path, tmp_path / "scratch")
    assert told["training_pictures"] == 2
    assert 350_000 < told["weights"] < 400_000
    assert read_json(tmp_path / "scratch" / "detector" / "training.json")["weights_from"] == "all but the classifier"


@pytest.mark.usefixtures("few_cells")
def test_another_split_and_weak_spots_are_told_beside(tmp_path):
    tiny = {"steps": 4, "batch_size": 1, "warmup_steps": 1, "score_threshold": 0.3}
    trial = DetectorTrial(changes=(TakeFew(4),), recipe=tiny, scale={"steps": 0.5}, also_on="val", weak_spots=True)
    assert set(trial.prepare("bccd", tmp_path)["pictures"]) == {"train", "val", "test"}
    told = trial.measure("bccd", 1, tmp_path, tmp_path / "scratch")
    assert {"ap", "val_ap", "dark_ap", "border_ap", "training_brightness", "training_off_centre"} <= set(told)
    assert 0 < told["training_brightness"] < 1
