"""The product's main job, once from start to end, on what comes with the repository."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from oddemo.audit.images import ImageSet
from oddemo.audit.plant.record import Plant
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.run import audit
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.verdict import Audit
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.export.saved_model import export_saved_model
from oddemo.progress import Tell, silent


@dataclass(frozen=True, eq=False)
class Story:
    """What the demo did.

    Attributes:
        folder: Where the exports lie.
        plant: The fault that was planted.
        sound: Audit of the export as it should be.
        broken: Audit of the export with the fault.
        seconds: Wall time.
    """

    folder: Path
    plant: Plant
    sound: Audit = field(repr=False)
    broken: Audit = field(repr=False)
    seconds: float

    @property
    def named(self) -> bool:
        """Whether the planted fault is the first cause, and verified."""
        return (
            bool(self.broken.causes) and self.broken.causes[0].verified and self.broken.causes[0].id == self.plant.fault
        )


def detector_folder(world: str) -> Path:
    """Return the folder of the detector that comes with the repository for a world."""
    return data_folder() / "detectors" / world


def tell_story(world: str, fault: str, out: Path, *, tell: Tell | None = None) -> Story:
    """Export a shipped detector soundly and with a fault, and audit both on the built-in validation pictures.

    Args:
        world: `inspection` or `wildlife`.
        fault: A fault id, or `fault/variant`.
        out: A folder `demo`, or `demo-2` and so on, is made in it.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If there is no such world or fault.
    """
    say = tell or silent
    start = time.perf_counter()
    plant = find_plant(fault)
    dataset = sample_dataset(world, "val")
    pictures = ImageSet(dataset.root, tuple(record.file_name for record in dataset.records))
    folder = _free_folder(Path(out), "demo")
    say("loading the trained detector")
    reference = TFVisionSource(detector_folder(world))
    say("exporting it as it should be")
    sound = export_saved_model(detector_folder(world), folder / "sound")
    say(f"exporting it with a fault: {plant.name}")
    broken = plant.make(detector_folder(world), folder / "broken")
    audits = [
        audit(reference, candidate, pictures, truth=dataset, tell=tell) for candidate in (f"savedmodel:{sound}", broken)
    ]
    return Story(folder, plant, audits[0], audits[1], time.perf_counter() - start)


def _free_folder(parent: Path, name: str) -> Path:
    """Make and return the first of `name`, `name-2`, `name-3` … that is not there yet."""
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        return folder
