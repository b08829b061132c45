"""The version matrix: what one TensorFlow wrote, read by another.

Every cell is a real file, read by a real process in its lane. Work that is done is kept beside the lanes, so that an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.files import write_json
from oddemo.lanes.cache import Made, held, lanes_root
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.registry import LANES
from oddemo.lanes.running import lane_environment
from oddemo.progress import Tell, silent
from oddemo.provenance import provenance

MODULE = "oddemo_matrix"
MODELS = ("detector", "pictures_in")
FORMATS = (
    "code",
    "eager",
    "saved_model",
    "keras",
    "h5",
    "weights_h5",
    "checkpoint",
    "checkpoint_asserted",
    "tflite",
    "tflite_of_saved_model",
)
#: Format → the file or folder that holds it; the others are code that is run again, and leave nothing to look at.
FILES = {
    "saved_model": "saved_model",
    "keras": "model.keras",
    "h5": "model.h5",
    "weights_h5": "model.weights.h5",
    "checkpoint": "checkpoint",
    "checkpoint_asserted": "checkpoint",
    "tflite": "model.tflite",
    "tflite_of_saved_model": "of_saved_model.tflite",
}
#: Says from a file alone what a lane makes of it: format, file, the lane's versions → an outcome and why.
Foresee = Callable[[str, Path, dict[str, str]], tuple[str, str | None]]
#: Outputs up to this far apart count as the same: rounding of float32 stays ten times below it.
SAME_WITHIN = 1e-5
#: Signals by which somebody, or a machine without memory, ends a process; a converter that fails sends others.
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: The lanes that take part, those that are asked besides what they offer, and those by which predictions are tested.
VERSIONS, ASKED, HELD_OUT = (
    tuple(lane.name for lane in LANES if lane.role == role) for role in ("matrix", "asked", "held_out")
)


@dataclass(frozen=True)
class Cell:
    """One model, written in one format by one version and read by another.

    Attributes:
        model: Which.
        format: Which.
        producer: The lane that wrote it.
        consumer: The lane that read it.
        outcome: `same`, `changed` (no error, other outputs), `fails`, `aborts` (the process ended without an
            exception), or `not_made` (the producer could not write it).
        difference: Largest difference of boxes and scores; None where there is nothing to compare, or no finite number.
        error: What was said, without paths.
        predicted: The outcome that was foreseen from the file alone: `same`, `changed`, `fails` or `unknown` (no claim
            was made); None where there is no file.
        because: Why, in the words of the prediction.
    """

    model: str
    format: str
    producer: str
    consumer: str
    outcome: str
    difference: float | None = None
    error: str | None = None
    predicted: str | None = None
    because: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether what was foreseen is what happened."""
        return self.predicted == ("fails" if self.outcome == "aborts" else self.outcome)


def run_matrix(
    lanes: Sequence[Made],
    out: Path,
    *,
    only_with: Sequence[str] | None = None,
    foresee: Foresee | None = None,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Fill the matrix of some lanes and write it.

    Args:
        lanes: Each both writes and reads.
        out: The JSON file; replaced.
        only_with: Names of lanes; cells between two others are left out of the result. All cells if None.
        foresee: Asked about each file before its cells are told; nothing is predicted without it.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If there are no lanes, or a lane's script does not run at all.
    """
    say = tell or silent
    if not lanes:
        raise OddemoError("A matrix needs lanes.", expected=", ".join(VERSIONS))
    strange = set(only_with or ()) - {lane.lane.name for lane in lanes}
    if strange:
        raise OddemoError(
            f"{', '.join(sorted(strange))} takes no part in the matrix.", expected="a lane that is among --lanes"
        )
    folder = lanes_root() / f"matrix-{_key(lanes)}"
    with held(folder.name, lambda: say("waiting: another process is filling this matrix")):
        cells = _cells(lanes, folder, say)
        if only_with is not None:
            cells = [cell for cell in cells if {cell.producer, cell.consumer} & set(only_with)]
        if foresee is not None:
            say("predicting from the files alone")
            cells = [_with_prediction(cell, folder, lanes, foresee) for cell in cells]
    result = {
        "summary": summary_of(cells),
        "same_within": SAME_WITHIN,
        "lanes": {lane.lane.name: lane.versions for lane in lanes},
        "cells": [asdict(cell) for cell in cells],
        "provenance": provenance(seeds=[2026, 7], command="oddemo lanes matrix"),
    }
    write_json(out, result)
    return result


def summary_of(cells: Sequence[Cell]) -> dict[str, Any]:
    """Count outcomes, and how often they were foreseen.

    `false_will_load` counts files of which it was said that they load, with or without a change, and that did not.
    """
    told = [cell for cell in cells if cell.predicted is not None]
    found: dict[str, Any] = {"cells": len(cells), "outcomes": dict(Counter(cell.outcome for cell in cells))}
    if told:
        loading = [cell for cell in told if cell.predicted in ("same", "changed")]
        found |= {
            "predicted_cells": len(told),
            "agreement": sum(cell.agrees for cell in told) / len(told),
            "false_will_load": sum(cell.outcome in ("fails", "aborts") for cell in loading),
            "false_will_fail": sum(c.predicted == "fails" and c.outcome in ("same", "changed") for c in told),
            "missed_changes": sum(c.predicted == "same" and c.outcome == "changed" for c in told),
            "no_claim": sum(cell.predicted == "unknown" for cell in told),
        }
    return found


def _with_prediction(cell: Cell, folder: Path, lanes: Sequence[Made], foresee: Foresee) -> Cell:
    if cell.outcome == "not_made" or cell.format not in FILES:
        return cell
    path = folder / cell.producer / cell.model / cell.format / FILES[cell.format]
    versions = next(lane.versions for lane in lanes if lane.lane.name == cell.consumer)
    predicted, because = foresee(cell.format, path, versions)
    return replace(cell, predicted=predicted, because=because)


def _cells(lanes: Sequence[Made], folder: Path, say: Tell) -> list[Cell]:
    """Let each lane write everything, then each lane read everything: TensorFlow starts twice in a lane."""
    versions = [lane.lane.name for lane in lanes]
    names = {version: [f"{version}/{model}/{form}" for model in MODELS for form in FORMATS] for version in versions}
    written: dict[str, dict[str, Any]] = {}
    for lane in lanes:
        say(f"{lane.lane.name} writes")
        written |= _lines(lane, "produce", folder, names[lane.lane.name])
    readable = [name for name, told in written.items() if told["outcome"] == "runs"]
    read: dict[str, dict[str, dict[str, Any]]] = {}
    for lane in lanes:
        say(f"{lane.lane.name} reads what {', '.join(versions)} wrote")
        read[lane.lane.name] = _lines(lane, "consume", folder, readable)
    return [
        _cell(name, consumer, written[name], read[consumer].get(name))
        for producer in versions
        for consumer in versions
        for name in names[producer]
    ]


def _cell(name: str, consumer: str, made: dict[str, Any], read: dict[str, Any] | None) -> Cell:
    producer, model, form = name.split("/")
    place = (model, form, producer, consumer)
    if read is None:
        return Cell(*place, "not_made", error=made["error"])
    if read["outcome"] != "runs":
        return Cell(*place, read["outcome"], error=read["error"])
    if read["difference"] is None:
        return Cell(*place, "changed", error="what came out is not finite")
    difference = float(read["difference"])
    return Cell(*place, "same" if difference <= SAME_WITHIN else "changed", difference)


def _lines(lane: Made, command: str, folder: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Do what is not done yet; return name → its last line."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{command}-{lane.lane.name}.jsonl"
    found = _read(out)
    missing = [name for name in names if name not in found]
    while missing:
        command_line = [str(lane.python), "-m", MODULE, command, str(folder), str(out), *missing]
        done = subprocess.run(command_line, capture_output=True, text=True, check=False, env=lane_environment())
        if -done.returncode in FROM_OUTSIDE:
            raise OddemoError(f"The matrix was stopped in {lane.lane.name}.", do="run it again: it goes on from here")
        before, found = len(found), _read(out, ended=done.returncode)
        if len(found) == before:
            raise OddemoError(f"The matrix stopped in {lane.lane.name}.", found=done.stderr.strip()[-400:])
        missing = [name for name in names if name not in found]
    return found


def _read(path: Path, *, ended: int | None = None) -> dict[str, dict[str, Any]]:
    """Read the lines that are there; one that only began has ended its process, if that is over (`ended`)."""
    found: dict[str, dict[str, Any]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        if line.endswith("}"):  # the last one may have been cut off
            told = json.loads(line)
            found[told["name"]] = told
    begun = [name for name, told in found.items() if told["outcome"] == "begun"]
    for name in begun:
        if ended is None or ended == 0:
            del found[name]  # interrupted from outside: it is tried again
            continue
        how = signal.Signals(-ended).name if ended < 0 else f"exit status {ended}"
        found[name] = {
            "name": name,
            "outcome": "aborts",
            "error": f"the process ended with {how}, without an exception",
        }
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found[name]) + "\n")
    return found


def _key(lanes: Sequence[Made]) -> str:
    """Stands for everything that the files depend on: the scripts and the lanes."""
    digest = hashlib.sha256()
    for path in sorted((SCRIPTS / MODULE).glob("*.py")):
        digest.update(path.read_bytes())
    for lane in lanes:
        digest.update(lane.lane.key.encode())
    return digest.hexdigest()[:16]
