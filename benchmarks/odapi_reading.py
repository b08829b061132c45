"""An artefact, recorded by the stand-alone recorder in a lane: what was seen, or how it ended."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.audit.trace import Trace, load_trace
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.lanes.cache import Made
from oddemo.lanes.matrix import FROM_OUTSIDE
from oddemo.lanes.running import lane_environment

RECORDER = "oddemo_probe"
#: Of an error's text.
LONGEST = 600


@dataclass(frozen=True)
class Reading:
    """What became of an artefact in a lane.

    Attributes:
        outcome: `runs`, `fails` or `aborts` (the process ended without an exception).
        error: What was said, without paths of this machine; None if it runs.
        trace: What was recorded; None if it does not run.
    """

    outcome: str
    error: str | None
    trace: Trace | None


def read_in(
    lane: Made, command: Sequence[str | Path], place: Path, out: Path, *, settings: Mapping[str, str]
) -> Reading:
    """Record an artefact in a lane; what was done before is read.

    Args:
        lane: Where it runs.
        command: Of the recorder, without where to write.
        place: Of the artefact, which is not named in errors.
        out: The recording; beside it lies how it ended.
        settings: Environment variables of the process.

    Raises:
        OddemoError: If the process was ended from outside.
    """
    ended = out.with_suffix(".json")
    if not ended.is_file():
        whole = [str(lane.python), "-m", RECORDER, *map(str, command), "--out", str(out), "--overwrite"]
        environment = lane_environment() | dict(settings)
        done = subprocess.run(whole, capture_output=True, text=True, check=False, env=environment)
        write_json(ended, told_of(done.returncode, done.stderr, (place, lane.folder)))
    told: dict[str, Any] = read_json(ended)
    return Reading(told["outcome"], told["error"], load_trace(out) if told["outcome"] == "runs" else None)


def told_of(status: int, said: str, places: tuple[Path, Path]) -> dict[str, Any]:
    """Return how a process ended.

    Args:
        status: Its exit status, negative for a signal.
        said: What it wrote on standard error.
        places: Of the artefact and of the lane, which are not named.

    Raises:
        OddemoError: If it was ended from outside: that says nothing about the artefact.
    """
    if status == 0:
        return {"outcome": "runs", "error": None}
    if status < 0:
        if -status in FROM_OUTSIDE:
            raise OddemoError("The recording was stopped.", do="run it again: it goes on from here")
        how = signal.Signals(-status).name
        return {"outcome": "aborts", "error": f"the process ended with {how}, without an exception"}
    start = said.rfind("\nprobe: ") + 1 if "probe: " in said else said.rstrip().rfind("\n") + 1
    return {"outcome": "fails", "error": without_machine(said[start:].removeprefix("probe: "), *places)}


def without_machine(text: str, artefact: Path, lane: Path) -> str:
    """Return a message in one line, without places of this machine."""
    text = text.replace(str(artefact), "ARTEFACT").replace(str(lane), "ENVIRONMENT")
    text = re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", "", text)
    return " ".join(text.split())[:LONGEST]
