"""Are sound exports of both shipped detectors called faithful? 64 fresh pictures, three seeds, SavedModel and TFLite.

    python -m benchmarks.faithful_exports --out results/faithful_exports.json

Ends with exit status 1 if one of them is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from oddemo.audit.images import ImageSet
from oddemo.audit.run import audit
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.story import detector_folder
from oddemo.audit.verdict import Audit
from oddemo.data.scenes import WorldSpec, make_world
from oddemo.export.saved_model import INPUT_TYPES, export_saved_model
from oddemo.export.tflite import export_tflite
from oddemo.files import write_json
from oddemo.progress import track
from oddemo.provenance import provenance

WORLDS = ("inspection", "wildlife")
SEEDS = (5001, 5002, 5003)
PICTURES = 64


def main() -> None:
    """Run all trials and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/faithful_exports.json"))
    options = parser.parse_args()
    trials: list[dict[str, Any]] = []
    for world in WORLDS:
        with tempfile.TemporaryDirectory(prefix="oddemo-faithful-") as folder:
            trials += run_world(world, Path(folder))
    count = sum(trial["verdict"] == "faithful" for trial in trials)
    summary = {"faithful": count, "trials": len(trials), "pictures_each": PICTURES, "largest_difference": worst(trials)}
    command = "python -m benchmarks.faithful_exports"
    seeds = {"provenance": provenance(seeds=list(SEEDS), command=command)}
    write_json(options.out, {"summary": summary, "trials": trials} | seeds)
    print(f"{count} of {len(trials)} sound exports are called faithful, on {PICTURES} pictures each")
    sys.exit(0 if count == len(trials) else 1)


def run_world(world: str, folder: Path) -> list[dict[str, Any]]:
    """Export a shipped detector in every way, and audit each export on pictures of every seed."""
    detector = detector_folder(world)
    reference = TFVisionSource(detector)
    candidates = {
        kind: f"savedmodel:{export_saved_model(detector, folder / kind, input_type=kind)}" for kind in INPUT_TYPES
    }
    candidates["tflite"] = f"tflite:{export_tflite(detector, folder / 'detector.tflite')}"
    found = []
    for seed in track(SEEDS, f"faithful, {world}"):
        spec = WorldSpec(world=world, seed=seed, images=PICTURES)
        truth = make_world(spec, folder / f"pictures-{seed}", splits={"test": PICTURES})
        pictures = ImageSet(truth.root, tuple(record.file_name for record in truth.records))
        for kind, candidate in candidates.items():
            result = audit(reference, candidate, pictures, truth=truth)
            found.append({"world": world, "export": kind, "seed": seed, **as_trial(result)})
    return found


def as_trial(result: Audit) -> dict[str, Any]:
    """Return what is kept of an audit."""
    delta = result.delta_map
    return {
        "verdict": result.verdict,
        "first_divergence": result.comparison.first_divergence,
        "stages": {
            stage.stage: stage.largest_difference
            for stage in result.comparison.stages
            if stage.status != "not_compared"
        },
        "detections": sum(len(one) for one in result.material.reference.detections) if result.material else 0,
        "delta_map": None if delta is None else {"point": delta.point, "low": delta.low, "high": delta.high},
        "causes": [cause.id for cause in result.causes],
        "seconds": {name: round(value, 2) for name, value in result.seconds.items()},
    }


def worst(trials: list[dict[str, Any]]) -> dict[str, float]:
    """Return the largest difference that any trial showed at each stage."""
    largest: dict[str, float] = {}
    for trial in trials:
        for stage, value in trial["stages"].items():
            if value is not None:
                largest[stage] = max(largest.get(stage, 0.0), value)
    return largest


if __name__ == "__main__":
    main()
