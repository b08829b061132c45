"""The detectors of the fault benchmark: the two that come with the repository, and two that it trains itself.

The others lie in the work folder and are trained once: a MobileNetV2 on the inspection world, from scratch, and a
ResNet on BCCD, from the inspection detector. BCCD is taken from the folder that ODDEMO_BCCD names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from oddemo.audit.plant.averages import with_averages
from oddemo.audit.story import detector_folder
from oddemo.data.records import Dataset
from oddemo.data.scenes import WorldSpec, make_world, read_world
from oddemo.data.voc import read_voc
from oddemo.detect.folder import TRAINING
from oddemo.detect.recipe import Recipe
from oddemo.detect.train import train
from oddemo.errors import OddemoError

#: Of the pictures that detectors are trained on here, and of those for the averages and for 8-bit integers.
TRAINING_SEED, FURTHER_SEED = 7301, 7401
PICTURES_TO_LEARN, FURTHER_PICTURES = 1200, 64


@dataclass(frozen=True)
class BenchmarkDetector:
    """A reference of the benchmark.

    Attributes:
        name: In the results.
        folder: Detector folder.
        pictures: Given a number and a folder to write to, returns so many pictures that it was not trained on.
        further: Pictures for going on with its training and for calibration, none of them among `pictures`.
    """

    name: str
    folder: Path
    pictures: Callable[[int, int, Path], Dataset]
    further: Dataset

    def averaged(self, work: Path) -> Path:
        """Return the same detector trained a little further, with raw and averaged weights in its checkpoint."""
        folder = work / f"{self.name}_averaged"
        if not (folder / TRAINING).is_file():
            with_averages(self.folder, self.further, folder)
        return folder


def benchmark_detector(name: str, work: Path) -> BenchmarkDetector:
    """Return a detector by name, trained if it is not there yet.

    Args:
        name: `inspection`, `wildlife`, `inspection_mobilenet` or `bccd`.
        work: Folder for what is trained and rendered.
    """
    if name == "bccd":
        return _bccd(work)
    world, _, architecture = name.partition("_")
    further = rendered(world, FURTHER_SEED, FURTHER_PICTURES, work / f"{world}_further")
    folder = detector_folder(world)
    if architecture:
        folder = work / name
        if not (folder / TRAINING).is_file():
            recipe = Recipe(backbone="mobilenet", width=0.35, steps=1000)
            dataset = rendered(world, TRAINING_SEED, PICTURES_TO_LEARN, work / f"{world}_train")
            train(recipe, dataset, further, folder, seed=1, resume=(folder / "state").is_dir())
    return BenchmarkDetector(name, folder, lambda seed, count, place: rendered(world, seed, count, place), further)


def rendered(world: str, seed: int, count: int, folder: Path) -> Dataset:
    """Return rendered pictures with their true boxes; those that a folder holds already are read."""
    if not (folder / "world.json").is_file():
        return make_world(WorldSpec(world=world, seed=seed, images=count), folder, splits={"test": count})
    return read_world(folder, "test")


def bccd_root() -> Path:
    """Return BCCD's folder, which ODDEMO_BCCD names.

    Raises:
        OddemoError: If it is not there.
    """
    root = Path(os.environ.get("ODDEMO_BCCD", ""))
    if not (root / "ImageSets").is_dir():
        raise OddemoError(
            "BCCD is not here.",
            expected="ODDEMO_BCCD naming a folder with Annotations, ImageSets and JPEGImages",
            found=os.environ.get("ODDEMO_BCCD", "ODDEMO_BCCD is not set"),
            do="clone Shenggan/BCCD_Dataset and name its BCCD folder; benchmarks.faults runs without it if bccd is "
            "left out of --detectors",
        )
    return root


def _bccd(work: Path) -> BenchmarkDetector:
    parts = {split: read_voc(bccd_root(), split=split) for split in ("train", "val", "test")}
    folder = work / "bccd"
    if not (folder / TRAINING).is_file():
        start = detector_folder("inspection")
        train(Recipe(steps=900), parts["train"], parts["val"], folder, init_from=start, seed=1)

    def pictures(seed: int, count: int, place: Path) -> Dataset:
        """The test part as it lies there; it is not rendered, so neither seed nor place matters."""
        del seed, place
        return first(parts["test"], count)

    return BenchmarkDetector("bccd", folder, pictures, first(parts["val"], FURTHER_PICTURES))


def first(dataset: Dataset, count: int) -> Dataset:
    """Return the first pictures of a dataset."""
    return dataset.subset([record.image_id for record in dataset.records[:count]])
