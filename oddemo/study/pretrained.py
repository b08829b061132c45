"""The trial of architectures: each starts from a detector of its own, trained alike on another world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oddemo.detect.recipe import Recipe
from oddemo.study.cache import content_key
from oddemo.study.changes import Change
from oddemo.study.detecting import precision_of, shared_facts
from oddemo.study.places import PLACES, pictures_of

#: World and seed of the first training: no architecture has an advantage from the detectors that are shipped.
FIRST_WORLD, FIRST_SEED = "wildlife", 1


@dataclass(frozen=True)
class PretrainedTrial:
    """Train an architecture on another world, once; go on from there on changed pictures, and measure on test pictures.

    Attributes:
        model: Entries of the recipe that make the architecture.
        first: Other entries of the first training's recipe.
        recipe: Entries of the training that differ from the world's own.
        changes: Done to the training pictures, one after the other.
    """

    model: Mapping[str, Any]
    first: Mapping[str, Any]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Make the pictures and the start, and return what decides their part of a run."""
        from oddemo.detect.checkpoints import dataset_fingerprint

        self.start(work)
        first = dataset_fingerprint(pictures_of(FIRST_WORLD, "train", work))
        return {**shared_facts(world, work, "test"), "start": {"pictures": first, "seed": FIRST_SEED}}

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Train and measure once: average precision, number of weights, processor time of the training."""
        from oddemo.detect.detector import load_detector
        from oddemo.detect.train import train

        dataset = pictures_of(world, "train", work)
        for change in self.changes:
            dataset = change.apply(dataset, seed=seed, folder=scratch)
        recipe = Recipe(**{**PLACES[world].recipe, **self.recipe, **self.model})
        folder = scratch / "detector"
        start = self.start(work)
        done = train(recipe, dataset, None, folder, init_from=start, seed=seed, save_every=recipe.steps)
        detector, test = load_detector(folder), pictures_of(world, "test", work)
        measured = precision_of(test, detector.predict(test))
        weights = sum(int(one.shape.num_elements()) for one in detector.model.trainable_variables)
        _forget()
        told = {"weights": weights, "training_cpu_seconds": done.cpu_seconds, "training_pictures": len(dataset)}
        return {**measured, **told}

    def start(self, work: Path) -> Path:
        """Return the folder of the detector that this architecture starts from; it is trained if it is not there."""
        from oddemo.detect.train import train

        recipe = Recipe(**{**self.first, **self.model})
        folder = Path(work) / "starts" / content_key(recipe.as_json(), [type(self).__module__])
        if not (folder / "training.json").is_file():
            dataset = pictures_of(FIRST_WORLD, "train", work)
            train(recipe, dataset, None, folder, seed=FIRST_SEED, overwrite=True, save_every=recipe.steps)
            _forget()
        return folder


def _forget() -> None:
    """Let go of what Keras and TensorFlow keep of a model: a process does many runs."""
    import gc

    from oddemo.detect.runtime import load_tensorflow

    load_tensorflow()
    import tf_keras

    tf_keras.backend.clear_session()
    gc.collect()
