"""Running the stand-alone scripts inside a lane."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.lanes.cache import Made, find_made
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.registry import Lane, find_lane

#: Settings of this process that would change what another TensorFlow does, or which packages it finds.
_LEFT_OUT = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "PYTHONDONTWRITEBYTECODE",
    "TF_USE_LEGACY_KERAS",
    "KERAS_BACKEND",
)
#: How much of what a failed script wrote is shown.
_SHOWN = 600


def made_lane(name: str) -> Made:
    """Return a lane that is whole.

    Raises:
        OddemoError: If there is no such lane, or it is not made.
    """
    lane = find_lane(name)
    made = find_made(lane)
    if made is None:
        raise OddemoError(
            f"The lane {name} is not made.",
            expected=f"an environment with {lane.requirements[0]}",
            do=f"oddemo lanes make {name}  (needs the network once, about {lane.size_mb / 1000:.1f} GB)",
        )
    return made


def run_in_lane(made: Made, arguments: Sequence[str | Path], *, what: str, module: str | None = None) -> str:
    """Run a lane's script and return what it printed.

    Args:
        made: The lane.
        arguments: Command and options of the script.
        what: What is being done, for messages.
        module: Another package below `scripts` than the lane's own.

    Raises:
        OddemoError: If it fails.
    """
    return _run(made.python, module or made.lane.module, arguments, what)


def pass_through(made: Made, arguments: Sequence[str]) -> int:
    """Run a lane's script with this process's input and output; return its exit status."""
    command = [str(made.python), "-m", made.lane.module, *arguments]
    return subprocess.run(command, check=False, env=lane_environment()).returncode


def versions_in(lane: Lane, python: Path) -> dict[str, str]:
    """Return package → version as the lane's own script sees them; this imports TensorFlow there.

    Raises:
        OddemoError: If it does not run.
    """
    printed = _run(python, lane.module, ["versions"], f"The lane {lane.name} was installed but does not run")
    versions: dict[str, str] = json.loads(printed.strip().splitlines()[-1])
    return versions


def lane_environment() -> dict[str, str]:
    """Return the environment variables for a script in a lane."""
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return environment | {"PYTHONPATH": str(SCRIPTS), "PYTHONNOUSERSITE": "1"}


def _run(python: Path, module: str, arguments: Sequence[str | Path], what: str) -> str:
    command = [str(python), "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=lane_environment())
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or "nothing"
        raise OddemoError(
            f"{what}.",
            found=f"exit status {done.returncode}; it said: {said[-_SHOWN:]}",
        )
    return done.stdout
