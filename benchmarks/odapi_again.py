"""What the Object Detection API exports, foreseen again with the rules of today: a re-run after learning, and no test.

    python -m benchmarks.odapi_again --out results/odapi_versions_rerun.json

The artefacts are made as for `benchmarks.odapi_versions`, from the same detector in the same lanes. What became of
each in every TensorFlow is taken from that benchmark's result; only what is foreseen from the files is new.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.odapi_artefacts import ARTEFACTS, made_artefact
from benchmarks.odapi_bccd import fingerprint
from benchmarks.odapi_cells import MODEL, READERS, foresee
from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.lanes.matrix import Cell, summary_of
from oddemo.lanes.running import made_lane
from oddemo.progress import track
from oddemo.provenance import provenance

HOW = (
    "A re-run after learning, no test. cells: outcome, difference and error as in `of`, where each artefact was read; "
    "predicted and because: from artefacts that were made again by the same lanes, with rules and tables of today."
)


def main() -> None:
    """Make the artefacts, foresee, and write it beside what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/odapi_versions_rerun.json"))
    parser.add_argument("--of", type=Path, default=Path("results/odapi_versions.json"))
    parser.add_argument("--work", type=Path, default=Path("runs/odapi_again"))
    options = parser.parse_args()
    before: dict[str, Any] = read_json(options.of)
    detector = data_folder() / "odapi" / MODEL
    lanes = {name: made_lane(name) for name in ("odapi", *READERS)}
    if before["detector"]["weights"] != fingerprint(detector) or before["lanes"] != {
        name: lane.versions for name, lane in lanes.items()
    }:
        raise OddemoError(
            f"{options.of} speaks of another detector or of other lanes.", do="run benchmarks.odapi_versions"
        )
    folder = options.work.absolute()
    places = {one: made_artefact(one, detector, folder) for one in track(ARTEFACTS, "artefacts")}
    foreseen = foresee(places, lanes)
    cells = [foreseen_again(Cell(**_of_cell(one)), foreseen) for one in before["cells"]]
    told = {
        "of": "results/odapi_versions.json",
        "summary": summary_of(cells),
        "cells": [vars(cell) for cell in cells],
        "rules_sha256": foreseen["rules_sha256"],
        "how": HOW,
        "provenance": provenance(seeds=[], command="python -m benchmarks.odapi_again"),
    }
    write_json(options.out, told)
    print(told["summary"])


def foreseen_again(cell: Cell, foreseen: dict[str, Any]) -> Cell:
    """Return a cell with what is foreseen now; what happened stays."""
    predicted, because = foreseen[cell.format][cell.consumer]
    return Cell(**{**vars(cell), "predicted": predicted, "because": because})


def _of_cell(stored: dict[str, Any]) -> dict[str, Any]:
    return {key: stored[key] for key in Cell.__dataclass_fields__}


if __name__ == "__main__":
    main()
