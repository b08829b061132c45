"""Does the auditor name the fault that was planted? Every fault, several strengths, pairs, and faithful variations.

    python -m benchmarks.faults --out results/fault_benchmark.json

Each trial is kept in runs/fault_benchmark as soon as it is done; a run that was stopped goes on where it was. Pictures
are rendered with seeds that no probe was tuned on (tuning used the built-in validation pictures), or are BCCD's test
part; the faults marked `held_out` were written after the probes. ODDEMO_BCCD names BCCD's folder. One detector
alone, as in `--detectors bccd`, writes no summary, so that parts can run side by side; `--summary-only` does. The
detector of the Object Detection API needs its lane (`oddemo lanes make odapi`).
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import masking, summary, variations
from benchmarks.detectors import BenchmarkDetector, benchmark_detector
from benchmarks.odapi import FIRST_PAIRS as FIRST_ODAPI_PAIRS
from benchmarks.odapi import ODAPI, run_odapi
from benchmarks.odapi import pairs as odapi_pairs
from benchmarks.record import FAITHFUL_SEED, FAULT_SEED, PAIR_SEED, PICTURES, Trial, keep, lot, path_of, tag_every_third
from oddemo.audit.faults.registry import fault
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import build
from oddemo.audit.plant.record import Parts, Plant
from oddemo.audit.plant.registry import HELD_OUT, PLANTS, find_plant
from oddemo.audit.run import audit
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.trace import Trace
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

#: Pairs of a detector. On what came of the first ones, the search was corrected; they were not run again, and
#: those after them ran once.
PAIRS, FIRST_PAIRS = 28, 20
FAITHFUL_PICTURE_SETS = 14
DETECTORS = ("inspection", "wildlife", "inspection_mobilenet", "bccd")
#: Those that come with the repository: all forms of every fault, and the faithful variations.
FAITHFUL_DETECTORS = ("inspection", "wildlife")


def main() -> None:
    """Run what is missing, then write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/fault_benchmark.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/fault_benchmark"))
    parser.add_argument("--detectors", nargs="+", default=[*DETECTORS, ODAPI])
    parser.add_argument("--kinds", nargs="+", default=["single", "pair", "faithful"])
    parser.add_argument("--summary-only", action="store_true", help="write the summary of what is there")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.summary_only:
        for name in options.detectors:
            if name == ODAPI:
                run_odapi(options.work, options.kinds)
            else:
                run_detector(name, options.work, options.kinds)
    if len(options.detectors) == 1 and not options.summary_only:
        return  # a part of the run: the whole is summarised once all parts are there
    trials = with_turn([read_json(path) for path in sorted(options.work.glob("*.json"))])
    command = "python -m benchmarks.faults"
    seeds = [FAULT_SEED, FAITHFUL_SEED, PAIR_SEED]
    stamp = provenance(seeds=seeds, command=command) | {"commits": sorted({trial["commit"] for trial in trials})}
    stamp |= {"pairs": how_drawn(trials)}
    write_json(options.out, summary.summarise(trials) | {"provenance": stamp})
    print(summary.as_text(read_json(options.out)["summary"]))


def how_drawn(trials: list[dict[str, Any]]) -> str:
    """Say how many of the pairs are not those that `pairs` draws: a work folder may hold some of an earlier rule."""
    drawn = {trial.name for name in DETECTORS for trial, _ in pairs(name)} | {trial.name for trial, _ in odapi_pairs()}
    kept = [trial for trial in trials if trial["kind"] == "pair"]
    earlier = sum(trial["name"] not in drawn for trial in kept)
    return f"{len(kept) - earlier} drawn by lot, {earlier} kept that an earlier rule of this benchmark had drawn"


def with_turn(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each pair whether it is one of the first, on which the search was corrected, or ran after that."""
    first = {trial.name for name in DETECTORS for trial, _ in pairs(name)[:FIRST_PAIRS]}
    first |= {trial.name for trial, _ in list(odapi_pairs())[:FIRST_ODAPI_PAIRS]}
    turns = {True: summary.BEFORE, False: summary.AFTER}
    return [trial | {"ran": turns[trial["name"] in first]} if trial["kind"] == "pair" else trial for trial in trials]


def run_detector(name: str, work: Path, kinds: list[str]) -> None:
    """Run every trial of one detector that is not there yet."""
    detector = benchmark_detector(name, work / "detectors")
    todo = [*(singles(name) if "single" in kinds else ()), *(pairs(name) if "pair" in kinds else ())]
    if todo:
        with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as folder:
            plain = detector.pictures(FAULT_SEED, PICTURES, Path(folder) / "plain")
            tagged = tag_every_third(plain, Path(folder) / "tagged")
            sources: dict[Path, TFVisionSource] = {}
            for trial, parts in track(todo, f"faults, {name}"):
                if path_of(trial, work).exists():
                    continue
                place = detector.averaged(work / "detectors") if parts.other_set else detector.folder
                if place not in sources:
                    sources[place] = TFVisionSource(place)
                truth = tagged if "exif_orientation" in trial.planted else plain
                run_fault(trial, parts, sources[place], truth, calibration=detector.further, path=path_of(trial, work))
    if "pair" in kinds:
        ask_what_is_hidden(detector, work)
    if "faithful" in kinds and name in FAITHFUL_DETECTORS:
        run_faithful(detector, work)


def ask_what_is_hidden(detector: BenchmarkDetector, work: Path) -> None:
    """Find out, for pairs that were not named whole, whether one of the two leaves any trace."""
    further = [detector.further.image_path(record) for record in detector.further.records]
    with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as temporary:
        folder = Path(temporary)
        for path, trial in masking.unasked(detector.name, work).items():
            truth = detector.pictures(FAULT_SEED, PICTURES, folder / "plain")
            pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
            first, second = (find_plant(name).parts for name in summary.planted_in(trial))
            other_set = first.joined(second).other_set
            place = detector.averaged(work / "detectors") if other_set else detector.folder
            deployed = partial(_trace_of, place=place, further=further, pictures=pictures)
            masking.keep_what_is_hidden(path, first, second, deployed)


def _trace_of(parts: Parts, *, place: Path, further: list[Path], pictures: ImageSet) -> Trace:
    caller = TFVisionSource(place).bench.settings.pre if parts.tflite else None
    with tempfile.TemporaryDirectory(prefix="oddemo-masking-") as folder:
        spec = build(parts, place, Path(folder), calibration=further, pictures=pictures)
        return parse_source(spec).trace(pictures, caller=caller)


def singles(detector: str) -> Iterator[tuple[Trial, Parts]]:
    """Every planted fault alone; for detectors of our own training one form of each, a held-out one where there is."""
    chosen = PLANTS if detector in FAITHFUL_DETECTORS else one_form_each()
    for plant in chosen:
        stage = plant.shows_at or fault(plant.fault).shows_at
        trial = Trial(f"{detector} {plant.name}", "single", detector, (plant.fault,), stage, plant.name in HELD_OUT)
        yield trial, plant.parts


def one_form_each() -> list[Plant]:
    """Return one form of every fault: one on which nothing was tuned, if there is one."""
    by_fault: dict[str, Plant] = {}
    for plant in sorted(PLANTS, key=lambda plant: plant.name not in HELD_OUT):
        by_fault.setdefault(plant.fault, plant)
    return list(by_fault.values())


def pairs(detector: str) -> list[tuple[Trial, Parts]]:
    """Two faults at once, drawn from all that can be joined and name different causes."""
    possible = [
        (a, b) for a, b in itertools.combinations(PLANTS, 2) if a.fault != b.fault and can_work(a, b) and can_join(a, b)
    ]
    found: list[tuple[Trial, Parts]] = []
    for a, b in sorted(possible, key=lambda pair: lot(detector, pair[0].name, pair[1].name))[:PAIRS]:
        held_out = a.name in HELD_OUT or b.name in HELD_OUT
        trial = Trial(f"{detector} {a.name} + {b.name}", "pair", detector, (a.fault, b.fault), "", held_out)
        found.append((trial, a.parts.joined(b.parts)))
    return found


def can_join(first: Plant, second: Plant) -> bool:
    """Say whether two faults sit in different parts of a deployment."""
    try:
        first.parts.joined(second.parts)
    except OddemoError:
        return False
    return True


def can_work(first: Plant, second: Plant) -> bool:
    """Say whether both faults can be made together and have an effect.

    Our scripts cannot read an export that hands out no record of its resizing, TFLite's own suppression does not read
    the thresholds of the other, and cannot be asked to run over all classes; batch norm in training mode has no form in
    a TFLite file. A TFLite file of another input size is not compared at all: the audit says so and ends.
    """
    names = {first.name, second.name}
    scripts, lite = (first.parts.client or second.parts.client), (first.parts.tflite or second.parts.tflite)
    own = {"nms_iou", "score_threshold", "max_detections"} & {first.fault, second.fault}
    training_mode = first.parts.training_mode or second.parts.training_mode
    other_size = "input_size" in (first.fault, second.fault)
    if lite and (training_mode or other_size or names == {"quantization/int8", "nms_kind/class_agnostic"}):
        return False
    lite_suppression = {"nms_kind/tflite_fast", "nms_kind/tflite_regular", "quantization/int8"} & names
    return not (scripts and "box_scale/image_info_dropped" in names) and not (lite and own and lite_suppression)


def run_fault(
    trial: Trial, parts: Parts, source: TFVisionSource, truth: Dataset, *, calibration: Dataset, path: Path
) -> None:
    """Plant, audit, keep."""
    pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
    folder = Path(tempfile.mkdtemp(prefix="oddemo-benchmark-"))
    try:
        further = [calibration.image_path(record) for record in calibration.records]
        candidate = build(parts, source.folder, folder, calibration=further, pictures=pictures)
        start = time.perf_counter()
        result = audit(source, candidate, pictures, truth=truth)
        keep(trial, result, time.perf_counter() - start, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_faithful(detector: BenchmarkDetector, work: Path) -> None:
    """Audit sound deployments of every kind on many sets of pictures, every second one in another order."""
    source = TFVisionSource(detector.folder)
    with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as temporary:
        folder = Path(temporary)
        sound = variations.deployments(source.folder, folder / "exports")
        opened = {kind: parse_source(spec) for kind, spec in sound.items()}
        for number in track(range(FAITHFUL_PICTURE_SETS), f"faithful, {detector.name}"):
            truth = variations.pictures(detector.name, FAITHFUL_SEED + number, number, folder / str(number))
            names = [record.file_name for record in truth.records]
            chosen = ImageSet(truth.root, tuple(names[::-1] if number % 2 else names))
            recorded = variations.recordings(sound, chosen, number, folder / f"traces_{number}")
            opened_now = opened | {kind: parse_source(spec) for kind, spec in recorded.items()}
            for kind, candidate in opened_now.items():
                trial = Trial(f"{detector.name} faithful {kind} {number}", "faithful", detector.name, (), "", True)
                if path_of(trial, work).exists():
                    continue
                start = time.perf_counter()
                result = audit(source, candidate, chosen, truth=truth)
                keep(trial, result, time.perf_counter() - start, path_of(trial, work))


if __name__ == "__main__":
    main()
