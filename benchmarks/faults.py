"""Does the auditor name the fault that was planted? Every fault, several strengths, pairs, and faithful variations.

    python -m benchmarks.faults --out results/fault_benchmark.json

Each trial is kept in runs/fault_benchmark as soon as it is done; a run that was stopped goes on where it was. Pictures
are rendered with seeds that no probe was tuned on (tuning used the built-in validation pictures); the faults marked
`held_out` were written after the probes.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import baselines, summary
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import build
from oddemo.audit.plant.record import Parts, Plant
from oddemo.audit.plant.registry import HELD_OUT, PLANTS
from oddemo.audit.run import audit
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.story import detector_folder
from oddemo.audit.verdict import Audit
from oddemo.data.records import Dataset
from oddemo.data.scenes import WorldSpec, make_world
from oddemo.errors import OddemoError
from oddemo.export.saved_model import export_saved_model
from oddemo.export.tflite import export_tflite
from oddemo.files import read_json, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

#: Of the pictures of faults, of the faithful variations, and of the choice of pairs.
FAULT_SEED, FAITHFUL_SEED, PAIR_SEED = 7001, 8001, 9001
PICTURES = 24
PAIRS = 20
FAITHFUL_PICTURE_SETS = 18
FAITHFUL_PICTURES = 12


@dataclass(frozen=True)
class Trial:
    """One audit of which the right answer is known: the planted faults in pipeline order, none for a faithful one."""

    name: str
    kind: str
    detector: str
    planted: tuple[str, ...]
    held_out: bool


def main() -> None:
    """Run what is missing, then write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/fault_benchmark.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/fault_benchmark"))
    parser.add_argument("--detectors", nargs="+", default=["inspection", "wildlife"])
    parser.add_argument("--kinds", nargs="+", default=["single", "pair", "faithful"])
    parser.add_argument("--summary-only", action="store_true", help="write the summary of what is there")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not options.summary_only:
        for name in options.detectors:
            run_detector(name, options.work, options.kinds)
    trials = [read_json(path) for path in sorted(options.work.glob("*.json"))]
    command = "python -m benchmarks.faults"
    seeds = [FAULT_SEED, FAITHFUL_SEED, PAIR_SEED]
    write_json(options.out, summary.summarise(trials) | {"provenance": provenance(seeds=seeds, command=command)})
    print(summary.as_text(read_json(options.out)["summary"]))


def run_detector(name: str, work: Path, kinds: list[str]) -> None:
    """Run every trial of one detector that is not there yet."""
    source = TFVisionSource(detector_folder(name))
    if "single" in kinds or "pair" in kinds:
        with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as folder:
            plain = rendered(name, FAULT_SEED, PICTURES, Path(folder) / "plain")
            tagged = tag_every_third(rendered(name, FAULT_SEED, PICTURES, Path(folder) / "tagged"))
            todo = [*(singles(name) if "single" in kinds else ()), *(pairs(name) if "pair" in kinds else ())]
            for trial, parts in track(todo, f"faults, {name}"):
                run_fault(trial, parts, source, tagged if "exif_orientation" in trial.planted else plain, work)
    if "faithful" in kinds:
        run_faithful(name, source, work)


def rendered(world: str, seed: int, count: int, folder: Path) -> Dataset:
    """Render pictures with their true boxes."""
    return make_world(WorldSpec(world=world, seed=seed, images=count), folder, splits={"test": count})


def tag_every_third(dataset: Dataset) -> Dataset:
    """Give every third picture an EXIF tag that asks for a turn; the pixels stay as they are."""
    from PIL import Image

    for number, record in enumerate(dataset.records[::3]):
        path = dataset.image_path(record)
        with Image.open(path) as picture:
            tag = picture.getexif()
            tag[0x0112] = (3, 6, 8)[number % 3]
            picture.save(path, quality="keep", exif=tag)
    return dataset


def singles(detector: str) -> Iterator[tuple[Trial, Parts]]:
    """Every planted fault alone."""
    for plant in PLANTS:
        held_out = plant.name in HELD_OUT
        yield Trial(f"{detector} {plant.name}", "single", detector, (plant.fault,), held_out), plant.parts


def pairs(detector: str) -> list[tuple[Trial, Parts]]:
    """Two faults at once, drawn from all that can be joined and name different causes."""
    found: list[tuple[Trial, Parts]] = []
    possible = [(a, b) for a, b in itertools.combinations(PLANTS, 2) if a.fault != b.fault and can_join(a, b)]
    order = np.random.default_rng(PAIR_SEED).permutation(len(possible))
    for index in order[:PAIRS]:
        a, b = possible[index]
        held_out = a.name in HELD_OUT or b.name in HELD_OUT
        trial = Trial(f"{detector} {a.name} + {b.name}", "pair", detector, (a.fault, b.fault), held_out)
        found.append((trial, a.parts.joined(b.parts)))
    return found


def can_join(first: Plant, second: Plant) -> bool:
    """Say whether two faults sit in different parts of a deployment."""
    try:
        first.parts.joined(second.parts)
    except OddemoError:
        return False
    return True


def run_fault(trial: Trial, parts: Parts, source: TFVisionSource, truth: Dataset, work: Path) -> None:
    """Plant, audit, keep."""
    path = work / f"{hashlib.sha256(trial.name.encode()).hexdigest()[:16]}.json"
    if path.exists():
        return
    pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
    folder = Path(tempfile.mkdtemp(prefix="oddemo-benchmark-"))
    try:
        candidate = build(parts, source.folder, folder)
        start = time.perf_counter()
        result = audit(source, candidate, pictures, truth=truth)
        keep(trial, result, time.perf_counter() - start, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(trial: Trial, result: Audit, seconds: float, path: Path) -> None:
    """Write one trial with the opinions of the baselines."""
    assert result.material is not None
    reference, candidate = result.material.reference, result.material.candidate
    pixels = result.comparison.stage("pixels").status
    opinions = {
        "final_outputs_allclose": baselines.final_outputs_allclose(reference, candidate),
        "layers_allclose": baselines.layers_allclose(reference, candidate, pixels == "equal"),
        "input_assertions": baselines.input_assertions(reference, candidate),
    }
    if result.delta_map is not None:
        opinions["delta_map_alone"] = baselines.delta_map_alone(result.delta_map)
    detections = result.comparison.stage("detections")
    write_json(
        path,
        {
            **asdict(trial),
            "verdict": result.verdict,
            "first_divergence": result.comparison.first_divergence,
            "stages_seen": list(result.comparison.compared),
            "causes": [{"id": c.id, "verified": c.verified, "claim": c.claim, "also": c.also} for c in result.causes],
            "delta_map": None if result.delta_map is None else asdict(result.delta_map),
            "detections_differ": detections.status == "differs"
            or result.comparison.stage("labels").status == "differs",
            "seconds": round(seconds, 2),
            "baselines": {name: asdict(opinion) for name, opinion in opinions.items()},
        },
    )


def run_faithful(name: str, source: TFVisionSource, work: Path) -> None:
    """Audit sound exports of every kind on many sets of pictures; also re-encoded, reordered and recorded ones."""
    with tempfile.TemporaryDirectory(prefix="oddemo-benchmark-") as temporary:
        folder = Path(temporary)
        made = {
            "image_tensor": export_saved_model(source.folder, folder / "tensor"),
            "image_tensor_batch_1": export_saved_model(source.folder, folder / "one", batch_size=1),
            "image_bytes": export_saved_model(source.folder, folder / "bytes", input_type="image_bytes"),
            "tf_example": export_saved_model(source.folder, folder / "example", input_type="tf_example"),
        }
        exports = {kind: f"savedmodel:{place}" for kind, place in made.items()}
        exports["tflite"] = f"tflite:{export_tflite(source.folder, folder / 'model.tflite')}"
        exports["itself"] = source.spec
        from oddemo.audit.sources.parse import parse_source

        opened = {kind: parse_source(spec) for kind, spec in exports.items()}
        for number in track(range(FAITHFUL_PICTURE_SETS), f"faithful, {name}"):
            place = folder / f"pictures_{number}"
            image_format = "png" if number % 3 == 2 else "jpg"
            spec = WorldSpec(
                world=name, seed=FAITHFUL_SEED + number, images=FAITHFUL_PICTURES, image_format=image_format
            )
            truth = make_world(spec, place, splits={"test": FAITHFUL_PICTURES})
            names = [record.file_name for record in truth.records]
            if number % 2:
                names.reverse()
            for kind, candidate in opened.items():
                trial = Trial(f"{name} faithful {kind} {number}", "faithful", name, (), True)
                path = work / f"{hashlib.sha256(trial.name.encode()).hexdigest()[:16]}.json"
                if path.exists():
                    continue
                start = time.perf_counter()
                result = audit(source, candidate, ImageSet(truth.root, tuple(names)), truth=truth)
                keep(trial, result, time.perf_counter() - start, path)


if __name__ == "__main__":
    main()
