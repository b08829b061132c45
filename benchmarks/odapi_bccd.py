"""The Object Detection API on real pictures: an SSD learns blood cells in the lane, is exported, broken and audited.

    ODDEMO_BCCD=FOLDER python -m benchmarks.odapi_bccd --out results/odapi_bccd.json

Three recipes, which differ in the size of the network's input and of its smallest anchors, learn from BCCD's training
part. The validation part chooses one; the test part then says how well that one detects, and its exports are audited on
it. BCCD is read where it lies, and of its pictures nothing goes to the results. What is done stays in --work: a run
that was stopped goes on from there. It needs the lane (`oddemo lanes make odapi`).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.detectors import bccd_root
from benchmarks.odapi_classes import other_classes
from benchmarks.odapi_recipes import RECIPES, chosen, reached, trained
from benchmarks.odapi_story import tflite_export, told_of
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.odapi import ODAPI_PLANTS, ODAPIParts, build_odapi
from oddemo.audit.run import audit
from oddemo.audit.sources.odapi import ODAPISource
from oddemo.audit.trace import Trace
from oddemo.data.coco import write_coco
from oddemo.data.import_folder import drop_invalid_boxes
from oddemo.data.records import Dataset
from oddemo.data.voc import read_voc
from oddemo.export.cards import read_card
from oddemo.files import read_json, write_json
from oddemo.lanes.running import made_lane
from oddemo.metrics.coco import coco_metrics
from oddemo.metrics.interval import map_interval
from oddemo.metrics.matches import match_dataset
from oddemo.progress import track
from oddemo.provenance import provenance

SPLITS = ("train", "val", "test")
#: Which of the kept checkpoints of the training is the early one.
EARLY = "ckpt-2"
SOUND = {
    name: ODAPIParts(input_type=name) for name in ("image_tensor", "float_image_tensor", "encoded_image_string_tensor")
}
#: `export_tflite_graph_tf2` with its own default, and with as many detections as the detector hands out.
LITE = {"tflite": 10, "tflite/50": 50}
#: Faults of the API that the fault benchmark plants in exports of the other detector, too.
BROKEN = (
    "input_size/160",
    "score_threshold/0.4",
    "wrong_checkpoint/early",
    "normalization_twice/client_first",
)


HOW = (
    "reached: part of the training boxes whose shape overlaps that of some anchor by half. ap, ap50: [value, low, "
    "high] with the 95 % interval over pictures. audits: on the test part, against the checkpoint in the lane. "
    "other_classes: exports with another num_classes than that of training."
)


def main() -> None:
    """Train, choose, measure, export, audit, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/odapi_bccd.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/odapi_bccd"))
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    parts = {split: _part(split, work) for split in SPLITS}
    detectors = {recipe: trained(recipe, work, parts["train"]) for recipe in track(RECIPES, "trainings")}
    tried = [
        asdict(recipe)
        | {"reached": reached(recipe, parts["train"])}
        | {"val": kept(folder / "val.json", partial(measured, folder, parts["val"]))}
        for recipe, folder in detectors.items()
    ]
    recipe = chosen(dict(zip(RECIPES, tried, strict=True)))
    detector = detectors[recipe]
    done = work / "done" / fingerprint(detector)
    lane = made_lane("odapi")
    told: dict[str, Any] = {
        "question": "Does what holds for the API's exports on generated pictures hold on real ones?",
        "pictures": {split: _counts(part) for split, part in parts.items()},
        "recipes": tried,
        "chosen": asdict(recipe) | {"weights": fingerprint(detector)},
        "test": kept(done / "test.json", partial(measured, detector, parts["test"])),
        "audits": audits(detector, parts["test"], done),
        "other_classes": other_classes(detector, done),
        "lane": lane.versions,
        "how": HOW,
        "provenance": provenance(seeds=[recipe.seed], command="python -m benchmarks.odapi_bccd"),
    }
    write_json(options.out, told)
    print(told["test"], *((name, one["verdict"]) for name, one in told["audits"].items()), sep="\n")


def kept(path: Path, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a file holds; where it is not there yet, find it and write it."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, find())
    found: dict[str, Any] = read_json(path)
    return found


def measured(detector: Path, part: Dataset) -> dict[str, Any]:
    """Run a detector in the lane, and return its average precision with intervals, and by class."""
    trace = ODAPISource(detector).trace(pictures_of(part))
    return precision(part, trace)


def precision(part: Dataset, trace: Trace) -> dict[str, Any]:
    """Return the average precision of recorded detections, with 95 % intervals over pictures."""
    matches = match_dataset(part, trace.detections)
    found: dict[str, Any] = {"images": len(part), "boxes": sum(len(record.class_ids) for record in part.records)}
    for metric in ("ap", "ap50"):
        interval = map_interval(matches, metric=metric)
        found[metric] = [interval.point, interval.low, interval.high]
    found["ap50_of_class"] = dict(coco_metrics(part, trace.detections).ap50_per_class)
    return found


def audits(detector: Path, part: Dataset, done: Path) -> dict[str, dict[str, Any]]:
    """Make every deployment that is not audited yet, audit it, and return what was found by name."""
    source = ODAPISource(detector)

    def one(name: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="oddemo-bccd-") as folder:
            spec = deployment(name, detector, Path(folder))
            start = time.perf_counter()
            result = audit(source, spec, pictures_of(part), truth=part)
            return told_of(result) | {"seconds": round(time.perf_counter() - start, 1)}

    names = [*SOUND, *LITE, *BROKEN]
    return {
        name: kept(done / f"audit_{name.replace('/', '_')}.json", partial(one, name)) for name in track(names, "audits")
    }


def deployment(name: str, detector: Path, folder: Path) -> str:
    """Make a deployment with the API's own exporters; return its source."""
    if name in LITE:
        return tflite_export(detector, folder / "export", max_detections=LITE[name])
    plants = {plant.name: plant.parts for plant in ODAPI_PLANTS}
    early = early_of(detector, folder / "early")
    return build_odapi(SOUND.get(name) or plants[name], detector, folder / "export", early=early)


def early_of(detector: Path, folder: Path) -> Path:
    """Return a folder with an early checkpoint of the same training, and its state file as TensorFlow writes it."""
    folder.mkdir(parents=True)
    for path in detector.glob(f"{EARLY}.*"):
        shutil.copyfile(path, folder / path.name)
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{EARLY}"\n', encoding="utf-8")
    return folder


def pictures_of(part: Dataset) -> ImageSet:
    """Return the pictures of a dataset as those of an audit."""
    return ImageSet(part.root, tuple(record.file_name for record in part.records))


def fingerprint(detector: Path) -> str:
    """Return what stands for a detector's weights."""
    weights = read_card(detector).weights
    assert weights is not None
    return weights.fingerprint


def _part(split: str, work: Path) -> Dataset:
    """Read a part of BCCD without boxes that no training can use; the file is for the lane, which reads COCO."""
    part, _ = drop_invalid_boxes(read_voc(bccd_root(), split=split))
    write_coco(part, work / f"{split}.json", overwrite=True)
    return part


def _counts(part: Dataset) -> dict[str, int]:
    return {"images": len(part), "boxes": sum(len(record.class_ids) for record in part.records)}


if __name__ == "__main__":
    main()
