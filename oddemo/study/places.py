"""The worlds of the studies: their pictures, where a training starts, and the recipe of a short one.

A training starts from the detector of *another* world, so that what a condition does to the data is not undone by what
the start knows already. Each run of the generated worlds learns from pictures of its own, drawn by its seed from a
larger set: what holds over seeds holds over pictures, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oddemo.data.records import Dataset
from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError

#: Environment variable that names the folder of the blood-cell pictures.
BCCD_VARIABLE = "ODDEMO_BCCD"
#: Where it is looked for if the variable is not set, from the folder that the checkout lies in.
BCCD_BESIDE = ("shared", "data", "bccd")
#: Seed of the generated worlds; that of the shipped detectors' pictures is another one.
WORLD_SEED = 100


@dataclass(frozen=True)
class Place:
    """What is the same for all runs in a world.

    Attributes:
        start: World whose shipped detector the training starts from.
        recipe: Entries of the short training's recipe.
        pictures: Split → number of pictures to draw; empty where they are given.
    """

    start: str
    recipe: Mapping[str, Any]
    pictures: Mapping[str, int] = field(default_factory=dict)


#: Chosen on validation pictures. Blood cells come a dozen to a picture, platelets of a few pixels among them: hence the
#: larger input and the smaller anchors.
PLACES: Mapping[str, Place] = {
    "inspection": Place("wildlife", {"steps": 300}, {"train": 600, "val": 200, "test": 200}),
    "wildlife": Place("inspection", {"steps": 300}, {"train": 600, "val": 200, "test": 200}),
    "bccd": Place("inspection", {"steps": 400, "batch_size": 4, "input_size_px": 192, "anchor_size": 2.0}),
}


def pictures_of(world: str, split: str, work: Path) -> Dataset:
    """Return one split of a world; generated ones are drawn once and kept in the folder.

    Args:
        world: Name of a place.
        split: `train`, `val` or `test`.
        work: Folder of all studies.

    Raises:
        OddemoError: If the blood cells are not there.
    """
    from oddemo.data.scenes import WorldSpec, make_world, read_world
    from oddemo.data.voc import read_voc

    place = PLACES[world]
    if not place.pictures:
        return read_voc(bccd_folder(), split)
    folder = Path(work) / "worlds" / world
    if not folder.is_dir():
        make_world(WorldSpec(world=world, seed=WORLD_SEED), folder, splits=place.pictures)
    return read_world(folder, split)


def bccd_folder() -> Path:
    """Return the folder of the blood cells.

    Raises:
        OddemoError: If the variable is not set, or the folder is another one.
    """
    named = os.environ.get(BCCD_VARIABLE)
    folder = Path(named) if named else data_folder().parents[1].joinpath(*BCCD_BESIDE)
    if not (folder / "Annotations").is_dir():
        raise OddemoError(
            "The blood-cell pictures are not there.",
            expected=f"the folder BCCD of the data set BCCD_Dataset, named by the variable {BCCD_VARIABLE}",
            found=f"{folder}, which holds no folder Annotations" if named else "the variable is not set",
            do="clone BCCD_Dataset and set the variable, or leave this world out with --world",
        )
    return folder


def start_of(world: str) -> Path:
    """Return the folder of the detector that trainings in a world start from."""
    return data_folder() / "detectors" / PLACES[world].start
