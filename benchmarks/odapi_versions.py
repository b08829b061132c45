"""What the Object Detection API exports, in other TensorFlows: each artefact is read in every lane.

    python -m benchmarks.odapi_versions --out results/odapi_versions.json

The shipped detector is exported in the API's lane with every input type and for TFLite. From the files alone it is
said what becomes of them in each TensorFlow; then the stand-alone recorder runs there, on the same rendered pictures.
What it sees is held against what the lane that wrote the file sees. What is done stays in --work: a run that was
stopped goes on from there. It needs every lane (`oddemo lanes make NAME`).
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.detectors import rendered
from benchmarks.odapi_artefacts import ARTEFACTS, CONVERT, MAX_DETECTIONS, made_artefact
from benchmarks.odapi_bccd import fingerprint, kept
from benchmarks.odapi_cells import MODEL, READERS, Reader, foresee, limits_of, sizes_of
from benchmarks.odapi_reading import RECORDER
from benchmarks.odapi_same import PARTNER_WITHIN
from oddemo.data.sample import data_folder
from oddemo.files import write_json
from oddemo.lanes.cache import Made
from oddemo.lanes.matrix import SAME_WITHIN, Cell, summary_of
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.running import made_lane
from oddemo.progress import track
from oddemo.provenance import provenance

WORLD, SEED, PICTURES = MODEL, 7601, 8
HOW = (
    "cells: each artefact in each lane, against the same file in the lane that wrote it. same: every detection has a "
    "partner of its class, and no coordinate (fraction of the picture's side) and no score differs by more than "
    "same_within; partners lie less than partner_within apart; order does not count; alone are those without a "
    "partner, but for those at_edge, where the list ends. raw: before suppression. decoded: pictures, 0 to 255. "
    "spread: the same file in its own lane again. without_delegates: TFLite with its own kernels alone, in the lane "
    "that wrote it and in each. predicted: from the files, before any of them was read elsewhere."
)


def main() -> None:
    """Make, foresee, read, compare, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/odapi_versions.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/odapi_versions"))
    parser.add_argument("--own-lanes-only", action="store_true", help="measure the spread, and write nothing")
    options = parser.parse_args()
    detector = data_folder() / "odapi" / WORLD
    lanes = {name: made_lane(name) for name in ("odapi", *READERS)}
    work: Path = (options.work / _key(detector, lanes)).absolute()
    dataset = rendered(WORLD, SEED, PICTURES, work / "pictures")
    places = {one: made_artefact(one, detector, work / "artefacts") for one in track(ARTEFACTS, "artefacts")}
    foreseen = kept(work / "foreseen.json", partial(foresee, places, lanes))
    reader = Reader(detector, dataset, lanes, places, work)
    spread = {one.name: reader.spread(one) for one in track(ARTEFACTS, "own lanes")}
    if options.own_lanes_only:
        print(*spread.items(), sep="\n")
        return
    todo = [(one, name) for one in ARTEFACTS for name in READERS]
    cells = [reader.cell(one, name, foreseen[one.name][name]) for one, name in track(todo, "artefacts in lanes")]
    summary = summary_of([Cell(**{key: cell[key] for key in Cell.__dataclass_fields__}) for cell in cells])
    told: dict[str, Any] = {
        "question": "Does what the Object Detection API exports run, and say the same, in other TensorFlows?",
        "detector": {"name": WORLD, "weights": fingerprint(detector)},
        "pictures": {"world": WORLD, "seed": SEED, "images": len(dataset), "sizes_hw_px": sizes_of(dataset)},
        "rule": {"same_within": SAME_WITHIN, "partner_within": PARTNER_WITHIN, "limits": asdict(limits_of(detector))},
        "artefacts": {one.name: asdict(one) | {"format": one.format} for one in ARTEFACTS},
        "lanes": {name: lane.versions for name, lane in lanes.items()},
        "spread": spread,
        "summary": summary,
        "cells": cells,
        "without_delegates": {
            one.name: reader.plain(one) for one in track(ARTEFACTS, "without delegates") if not one.input_type
        },
        "rules_sha256": foreseen["rules_sha256"],
        "how": HOW,
        "provenance": provenance(seeds=[SEED], command="python -m benchmarks.odapi_versions"),
    }
    write_json(options.out, told)
    print(summary)


def _key(detector: Path, lanes: dict[str, Made]) -> str:
    """Stands for everything that is kept: pictures, detector, lanes, recorder, conversion."""
    digest = hashlib.sha256(
        f"{WORLD} {SEED} {PICTURES} {fingerprint(detector)} {ARTEFACTS} {MAX_DETECTIONS}{CONVERT}".encode()
    )
    for lane in lanes.values():
        digest.update(lane.lane.key.encode())
    for path in sorted((SCRIPTS / RECORDER).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    main()
