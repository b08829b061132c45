"""The trial of the detector studies: change the pictures, train, measure on untouched ones."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oddemo.data.damage.bias import off_centre
from oddemo.data.picture_measures import brightness_of
from oddemo.data.records import Dataset, Detections
from oddemo.detect.recipe import Recipe
from oddemo.detect.stopping import EarlyStopping
from oddemo.metrics.average_precision import average_precision, class_average_precision
from oddemo.metrics.matches import match_dataset
from oddemo.study.changes import Change, one_of
from oddemo.study.places import PLACES, pictures_of, start_of

if TYPE_CHECKING:
    from oddemo.detect.train import TrainingResult

METRICS = ("ap", "ap50")


@dataclass(frozen=True)
class DetectorTrial:
    """Train a detector on changed pictures, and measure it on the world's test pictures.

    Attributes:
        changes: Done to the training pictures, one after the other.
        recipe: Entries of the recipe that differ from the world's own.
        weigh_classes: Power of the class weights in the loss, see `oddemo.data.balance.weights`; 0 for none.
        rare: Classes of which a world has one: its average precision and the mean of all others are told, too.
        measured_on: Split of the measurement; choices are made on `val`, reports come from `test`.
        scale: Entry of the recipe → factor on it, after everything else; batch size and steps are rounded.
        also_on: Another split that is measured: its numbers are told as `val_ap` and so on; empty for none.
        weak_spots: Whether average precision is told for the darkest third of the pictures and for objects near the
            border, too, and how far the training pictures lean.
        stop_every: Early stopping: steps between two measurements on the validation pictures; 0 for none.
        patience: Early stopping: so many measurements without a new best end the training.
    """

    changes: tuple[Change, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    weigh_classes: float = 0.0
    rare: tuple[str, ...] = ()
    measured_on: str = "test"
    scale: Mapping[str, float] = field(default_factory=dict)
    also_on: str = ""
    weak_spots: bool = False
    stop_every: int = 0
    patience: int = 3

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Draw the world's pictures, and return the fingerprints of pictures and starting weights."""
        validation = "val" if self.stop_every else ""
        return shared_facts(world, work, *dict.fromkeys(filter(None, [self.measured_on, self.also_on, validation])))

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Train and measure once."""
        dataset = pictures_of(world, "train", work)
        for change in self.changes:
            dataset = change.apply(dataset, seed=seed, folder=scratch)
        recipe = dict(self.recipe)
        if self.weigh_classes:
            from oddemo.data.balance.weights import class_weights

            recipe["class_weights"] = class_weights(dataset, power=self.weigh_classes)
        recipe = scaled({**PLACES[world].recipe, **recipe}, self.scale)
        measured_on = [pictures_of(world, split, work) for split in (self.measured_on, self.also_on) if split]
        stopping = EarlyStopping(self.stop_every, self.patience) if self.stop_every else None
        val_data = pictures_of(world, "val", work) if self.stop_every else None
        told: dict[str, Any] = {
            "recipe": recipe,
            "seed": seed,
            "scratch": scratch,
            "stopping": stopping,
            "val_data": val_data,
        }
        found, training = trained(world, dataset, measured_on, **told)
        measured = precision_of(measured_on[0], found[0], rare=self.rare)
        if self.also_on:
            measured |= {
                f"{self.also_on}_{metric}": precision_of(measured_on[1], found[1])[metric] for metric in METRICS
            }
        if self.weak_spots:
            measured |= weak_spots_of(measured_on[0], found[0]) | leaning_of(dataset)
        if stopping is not None:
            measured |= {"kept_step": training.kept_step, "last_step": training.history[-1]["step"]}
        return {**measured, "training_pictures": len(dataset)}


def scaled(recipe: Mapping[str, Any], factors: Mapping[str, float]) -> dict[str, Any]:
    """Return a recipe with some entries multiplied.

    Args:
        recipe: Entries of a recipe; what it leaves out has the recipe's own default.
        factors: Entry → factor.
    """
    changed = dict(recipe)
    for name, factor in factors.items():
        value = recipe.get(name, getattr(Recipe(), name))
        changed[name] = max(1, round(value * factor)) if isinstance(value, int) else value * factor
    return changed


def shared_facts(world: str, work: Path, *splits: str) -> dict[str, Any]:
    """Return what decides a run beside its trial: pictures, starting weights, and the world's recipe."""
    from oddemo.detect.checkpoints import dataset_fingerprint
    from oddemo.export.cards import read_card

    weights = read_card(start_of(world)).weights
    return {
        "pictures": {split: dataset_fingerprint(pictures_of(world, split, work)) for split in ("train", *splits)},
        "start": None if weights is None else weights.fingerprint,
        "recipe": dict(PLACES[world].recipe),
    }


def trained(
    world: str,
    dataset: Dataset,
    pictures: Sequence[Dataset],
    *,
    recipe: Mapping[str, Any],
    seed: int,
    scratch: Path,
    stopping: EarlyStopping | None = None,
    val_data: Dataset | None = None,
) -> tuple[list[list[Detections]], TrainingResult]:
    """Train a detector as the world's studies do, and return what it finds in sets of pictures, and its training.

    Args:
        world: Name of a place.
        dataset: Pictures to learn from.
        pictures: Sets of pictures to detect in.
        recipe: Entries of the recipe that differ from the world's own.
        seed: Of the training.
        scratch: Folder for the detector.
        stopping: When the training ends early, if it may.
        val_data: Pictures to measure on while training.
    """
    from oddemo.detect.detector import load_detector
    from oddemo.detect.runtime import load_tensorflow
    from oddemo.detect.train import train

    load_tensorflow()
    import tf_keras

    folder = scratch / "detector"
    whole = Recipe(**{**PLACES[world].recipe, **recipe})
    kept: dict[str, Any] = {"overwrite": True, "save_every": whole.steps, "stopping": stopping}
    result = train(whole, dataset, val_data, folder, init_from=start_of(world), seed=seed, **kept)
    detector = load_detector(folder)
    found = [detector.predict(one) for one in pictures]
    # A process does many runs: what Keras and TensorFlow keep of this one would pile up.
    del detector
    tf_keras.backend.clear_session()
    gc.collect()
    return found, result


def precision_of(dataset: Dataset, detections: Sequence[Detections], *, rare: tuple[str, ...] = ()) -> dict[str, float]:
    """Return average precision as COCO defines it, as a whole and by class, from 0 to 1.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set a picture.
        rare: Classes of which the dataset has one; empty if it is not told apart.
    """
    matches = match_dataset(dataset, detections)
    found: dict[str, float] = {}
    for metric in METRICS:
        by_class = class_average_precision(matches, metric=metric)[0]
        found[metric] = float(average_precision(matches, metric=metric)[0])
        if rare:
            index = dataset.class_names.index(one_of(rare, dataset))
            found[f"rare_{metric}"] = float(by_class[index])
            found[f"common_{metric}"] = float(np.nanmean(np.delete(by_class, index)))
        found |= {f"{metric}_{name}": float(value) for name, value in zip(dataset.class_names, by_class, strict=True)}
    return found


def weak_spots_of(dataset: Dataset, detections: Sequence[Detections]) -> dict[str, float]:
    """Return AP on the darkest third of the pictures, and on objects with their middle in the outer half of a picture.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set a picture.
    """
    from oddemo.metrics.slices import sliced_metrics

    found: dict[str, float] = {}
    for by, part in (("brightness", "dark"), ("position", "border")):
        slices = {one.name.split(" ")[0]: one.ap for one in sliced_metrics(dataset, detections, by=by, resamples=2)}
        found[f"{part}_ap"] = float(slices[part] or 0.0)
    return found


def leaning_of(dataset: Dataset) -> dict[str, float]:
    """Return the mean brightness of pictures, and how far from the middle their objects lie; both from 0 to 1."""
    return {
        "training_brightness": float(np.mean([brightness_of(dataset, one) for one in dataset.records])),
        "training_off_centre": float(np.mean([off_centre(one) for one in dataset.records if len(one.class_ids)])),
    }
