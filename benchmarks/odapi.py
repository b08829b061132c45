"""The detector of the TF2 Object Detection API in the fault benchmark: its faults, pairs, and sound exports."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import masking, summary
from benchmarks.detectors import rendered
from benchmarks.record import FAITHFUL_SEED, FAULT_SEED, PICTURES, Trial, keep, lot, path_of, tag_every_third
from oddemo.audit.faults.registry import fault
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.odapi import ODAPI_PLANTS, ODAPIParts, ODAPIPlant, build_odapi
from oddemo.audit.run import audit
from oddemo.audit.sources.odapi import ODAPISource
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.trace import Trace
from oddemo.data.records import Dataset
from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError
from oddemo.lanes.running import made_lane, run_in_lane
from oddemo.progress import track

#: Its name in the results, and the world it was trained on.
ODAPI, WORLD = "inspection_odapi", "inspection"
PAIRS, FAITHFUL_PICTURE_SETS, FAITHFUL_PICTURES = 36, 5, 12
#: So many of the pairs were drawn at first; on what came of them the search was corrected.
FIRST_PAIRS = 12
#: Of the training from which the early checkpoint is.
EARLY_SEED, EARLY_PICTURES, EARLY_STEPS = 7501, 200, 200
#: Sound exports: kind → parts.
SOUND = {
    "image_tensor": ODAPIParts(),
    "script_float": ODAPIParts(input_type="float_image_tensor", client="sound_float"),
    "encoded": ODAPIParts(input_type="encoded_image_string_tensor"),
    "tf_example": ODAPIParts(input_type="tf_example"),
    "script": ODAPIParts(client="sound"),
}


def run_odapi(work: Path, kinds: list[str]) -> None:
    """Run every trial of the detector that is not there yet."""
    source = ODAPISource(data_folder() / "odapi" / WORLD)
    if "single" in kinds or "pair" in kinds:
        _run_faults(source, work, [*(singles() if "single" in kinds else ()), *(pairs() if "pair" in kinds else ())])
    if "pair" in kinds:
        _ask_what_is_hidden(source, work)
    if "faithful" in kinds:
        _run_faithful(source, work)


def singles() -> Iterator[tuple[Trial, ODAPIParts]]:
    """Every fault alone, all written after the probes; four were wrong at first and led to corrections of the bench."""
    for plant in ODAPI_PLANTS:
        stage = plant.shows_at or fault(plant.fault).shows_at
        yield Trial(f"{ODAPI} {plant.name}", "single", ODAPI, (plant.fault,), stage, True), plant.parts


def pairs() -> Iterator[tuple[Trial, ODAPIParts]]:
    """Two faults at once, drawn by lot from all that can be joined."""
    possible = [(a, b) for a, b in itertools.combinations(ODAPI_PLANTS, 2) if a.fault != b.fault and _can_join(a, b)]
    for a, b in sorted(possible, key=lambda pair: lot(ODAPI, pair[0].name, pair[1].name))[:PAIRS]:
        trial = Trial(f"{ODAPI} {a.name} + {b.name}", "pair", ODAPI, (a.fault, b.fault), "", True)
        yield trial, a.parts.joined(b.parts)


def _can_join(first: ODAPIPlant, second: ODAPIPlant) -> bool:
    try:
        first.parts.joined(second.parts)
    except OddemoError:
        return False
    return True


def _run_faults(source: ODAPISource, work: Path, todo: list[tuple[Trial, ODAPIParts]]) -> None:
    early = early_checkpoint(work / "detectors")
    with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as folder:
        plain = rendered(WORLD, FAULT_SEED, PICTURES, Path(folder) / "plain")
        tagged = tag_every_third(plain, Path(folder) / "tagged")
        for trial, parts in track(todo, f"faults, {ODAPI}"):
            path = path_of(trial, work)
            if path.exists():
                continue
            truth = tagged if "exif_orientation" in trial.planted else plain
            candidate = build_odapi(parts, source.folder, Path(folder) / path.stem, early=early)
            _audit(source, candidate, trial, truth, path)
            shutil.rmtree(Path(folder) / path.stem)


def _ask_what_is_hidden(source: ODAPISource, work: Path) -> None:
    """Find out, for pairs that were not named whole, whether one of the two leaves any trace."""
    early, parts = early_checkpoint(work / "detectors"), {plant.name: plant.parts for plant in ODAPI_PLANTS}
    with tempfile.TemporaryDirectory(prefix="oddemo-masking-") as folder:
        plain = rendered(WORLD, FAULT_SEED, PICTURES, Path(folder) / "plain")
        tagged = tag_every_third(plain, Path(folder) / "tagged")
        for path, trial in masking.unasked(ODAPI, work).items():
            truth = tagged if "exif_orientation" in trial["planted"] else plain
            pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
            first, second = (parts[name] for name in summary.planted_in(trial))
            deployed = partial(_trace_of, source=source, pictures=pictures, early=early)
            masking.keep_what_is_hidden(path, first, second, deployed)


def _trace_of(parts: ODAPIParts, *, source: ODAPISource, pictures: ImageSet, early: Path) -> Trace:
    with tempfile.TemporaryDirectory(prefix="oddemo-masking-") as folder:
        spec = build_odapi(parts, source.folder, Path(folder) / "export", early=early)
        return parse_source(spec).trace(pictures)


def _run_faithful(source: ODAPISource, work: Path) -> None:
    """Audit sound exports of every kind on several sets of pictures."""
    with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as folder:
        specs = {kind: build_odapi(parts, source.folder, Path(folder) / kind) for kind, parts in SOUND.items()}
        opened = {kind: parse_source(spec) for kind, spec in specs.items()}
        for number in track(range(FAITHFUL_PICTURE_SETS), f"faithful, {ODAPI}"):
            truth = rendered(WORLD, FAITHFUL_SEED + number, FAITHFUL_PICTURES, Path(folder) / str(number))
            for kind, candidate in opened.items():
                trial = Trial(f"{ODAPI} faithful {kind} {number}", "faithful", ODAPI, (), "", True)
                if not path_of(trial, work).exists():
                    _audit(source, candidate, trial, truth, path_of(trial, work))


def _audit(source: ODAPISource, candidate: object, trial: Trial, truth: Dataset, path: Path) -> None:
    pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
    start = time.perf_counter()
    result = audit(source, candidate, pictures, truth=truth)  # type: ignore[arg-type]
    keep(trial, result, time.perf_counter() - start, path)


def early_checkpoint(work: Path) -> Path:
    """Return the folder of a checkpoint after few steps of a training with the same configuration."""
    folder = work / f"{ODAPI}_early"
    if not (folder / "pipeline.config").is_file() or not list(folder.glob("ckpt-*.index")):
        dataset = rendered(WORLD, EARLY_SEED, EARLY_PICTURES, work / f"{ODAPI}_early_pictures")
        truth = dataset.root / "test.json"
        where: list[str | Path] = ["--truth", truth, "--images", dataset.root, "--out", folder]
        steps = ["--steps", str(EARLY_STEPS)]
        run_in_lane(made_lane("odapi"), ["train", *where, *steps], what="The early checkpoint was not trained")
    return folder
