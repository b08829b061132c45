"""What does an audit cost, beside running both detectors once?

A bare pass reads the pictures from their files and detects, in TF-Vision's own detector for the reference and through
the serving signature for the candidate; an audit has to do both and tell whether they agree. Everything is loaded and
has run once before it is timed. The ratios are of processor seconds in one process, so that other work on the machine
does not count; the least of all turns.

    python -m benchmarks.audit_speed [--turns 3] [--out results/performance.json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detectors import rendered
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.run import audit
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.story import detector_folder
from oddemo.data.records import Dataset
from oddemo.detect.decode import read_as_trained
from oddemo.detect.runtime import load_tensorflow
from oddemo.export.saved_model import export_saved_model
from oddemo.files import read_json, write_json
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
SEED = 7101
FAITHFUL_PICTURES, DIAGNOSED_PICTURES = 256, 64
#: One of each stage that a deployed graph can hold.
FAULTS = ("channel_order/in_graph", "resize_kernel/area", "nms_iou/0.8", "label_offset/from_zero")
BATCH = 16


def main() -> None:
    """Time all in one run and write the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "performance.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oddemo-speed-") as temporary:
        folder = Path(temporary)
        detector = detector_folder("inspection")
        source = TFVisionSource(detector)
        many = rendered("inspection", SEED, FAITHFUL_PICTURES, folder / "many")
        few = rendered("inspection", SEED + 1, DIAGNOSED_PICTURES, folder / "few")
        sound = export_saved_model(detector, folder / "sound")
        faithful = faithful_ratio(source, sound, many, options.turns)
        diagnosed = {
            name: diagnosis_ratio(source, name, sound, few, folder=folder / name, turns=options.turns)
            for name in FAULTS
        }
    worst = max(diagnosed.values(), key=lambda found: found["ratio"])
    how = "Processor seconds of one process, least of all turns; pictures from their files to detections in each pass."
    facts = {"how": how, "turns": options.turns, "seed": SEED}
    stamp = provenance(seeds=[SEED, SEED + 1], command="python -m benchmarks.audit_speed")
    result = read_json(options.out) if options.out.exists() else {}
    result.setdefault("ratios", {}).update({"audit_faithful": faithful["ratio"], "audit_diagnosis": worst["ratio"]})
    measured = result.setdefault("measurements", {})
    measured["audit_faithful"] = faithful | facts | {"pictures": FAITHFUL_PICTURES, "provenance": stamp}
    measured["audit_diagnosis"] = {"by_fault": diagnosed, "pictures": DIAGNOSED_PICTURES, **facts, "provenance": stamp}
    result.setdefault("provenance", stamp)
    write_json(options.out, result)
    print(f"audit of a faithful export: {faithful['ratio']} times two bare passes over {FAITHFUL_PICTURES} pictures")
    for name, found in diagnosed.items():
        print(f"diagnosis of {name}: {found['ratio']} times, {DIAGNOSED_PICTURES} pictures")


def faithful_ratio(source: TFVisionSource, sound: Path, pictures: Dataset, turns: int) -> dict[str, Any]:
    """Compare an audit that finds nothing with two bare passes."""
    candidate = parse_source(f"savedmodel:{sound}")
    passes = bare_passes(source, sound, pictures)

    def whole() -> None:
        result = audit(source, candidate, fresh(pictures))
        assert result.verdict == "faithful"

    return ratio(whole, passes, turns)


def diagnosis_ratio(
    source: TFVisionSource, name: str, sound: Path, pictures: Dataset, *, folder: Path, turns: int
) -> dict[str, Any]:
    """Compare an audit that finds a cause with two bare passes."""
    plant = find_plant(name)
    candidate = parse_source(plant.make(source.folder, folder))
    passes = bare_passes(source, sound, pictures)

    def whole() -> None:
        source.bench.forget()
        result = audit(source, candidate, fresh(pictures))
        assert [cause.id for cause in result.causes if cause.verified] == [plant.fault]

    return ratio(whole, passes, turns)


def fresh(pictures: Dataset) -> ImageSet:
    """Return the pictures, not decoded yet."""
    return ImageSet(pictures.root, tuple(record.file_name for record in pictures.records))


def bare_passes(source: TFVisionSource, sound: Path, pictures: Dataset) -> Callable[[], None]:
    """Return what runs both detectors once, and does nothing else."""
    tf = load_tensorflow()
    loaded = tf.saved_model.load(str(sound))
    paths = [pictures.image_path(record) for record in pictures.records]

    def run() -> None:
        source.bench.detector.predict([read_as_trained(path) for path in paths], batch_size=BATCH)
        images = [read_as_trained(path) for path in paths]
        for start in range(0, len(images), BATCH):
            outputs = loaded.signatures["serving_default"](tf.constant(np.stack(images[start : start + BATCH])))
            outputs["num_detections"].numpy()

    return run


def ratio(whole: Callable[[], None], passes: Callable[[], None], turns: int) -> dict[str, Any]:
    """Time both in turns."""
    timed = [(seconds(passes), seconds(whole)) for _ in range(turns + 1)][1:]
    bare, audited = (min(turn[side] for turn in timed) for side in (0, 1))
    return {
        "ratio": round(audited / bare, 2),
        "bare_passes_seconds": round(bare, 3),
        "audit_seconds": round(audited, 3),
    }


def seconds(work: Callable[[], None]) -> float:
    """Return the processor seconds of a piece of work, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
