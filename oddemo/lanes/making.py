"""Making and removing lanes: all of one or nothing, and never twice at once."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.files import write_json
from oddemo.lanes.cache import STAMP, Made, begun, clear_begun, copies_of, find_made, held, lanes_root, place_of
from oddemo.lanes.registry import Lane
from oddemo.lanes.running import versions_in
from oddemo.lanes.uv import run_uv
from oddemo.progress import Tell, silent


def make_lane(lane: Lane, *, tell: Tell | None = None) -> Made:
    """Return the lane, made now if it is not there yet.

    It is made in a folder of its own, seen to import TensorFlow, stamped, and only then moved to its place.

    Args:
        lane: Which.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If it cannot be made; nothing is left behind then.
    """
    say = tell or silent
    made = find_made(lane)
    if made is not None:
        return made
    with held(place_of(lane).name, lambda: say(f"waiting: another process is making {lane.name}")):
        made = find_made(lane)
        if made is not None:
            return made
        _refuse_full_disk(lane)
        start = time.monotonic()
        folder = begun(lane)
        try:
            versions = _fill(lane, folder, say)
            stamp = {"lane": lane.name, "key": lane.key, "versions": versions, "seconds": time.monotonic() - start}
            write_json(folder / STAMP, stamp)
            _put(folder, place_of(lane))
        except OSError as error:
            raise OddemoError(
                f"The lane {lane.name} could not be made.", found=str(error), do="see whether the disk is full"
            ) from None
        finally:
            clear_begun(lane)
    whole = find_made(lane)
    if whole is None:
        raise OddemoError(f"The lane {lane.name} disappeared while it was made.", do="make it again")
    return whole


def remove_lane(lane: Lane) -> list[Path]:
    """Remove a lane, copies from older locks too; return what was there."""
    with held(place_of(lane).name):
        found = copies_of(lane)
        for folder in found:
            # The stamp first: a half-removed lane is then not taken for a whole one.
            (folder / STAMP).unlink(missing_ok=True)
            shutil.rmtree(folder)
    return found


def _fill(lane: Lane, folder: Path, say: Tell) -> dict[str, str]:
    what = f"The lane {lane.name}"
    python = folder / "bin" / "python"
    say(f"{lane.name}: finding Python {lane.python}")
    run_uv(
        ["venv", "--relocatable", "--no-project", "--allow-existing", "--python", _interpreter(lane), folder], what=what
    )
    say(f"{lane.name}: installing, about {lane.size_mb / 1000:.1f} GB where nothing is there yet")
    install: list[str | Path] = ["pip", "install", "--python", python, "--no-deps", "--require-hashes"]
    # Packages that have to be built are built with the locked tools too.
    run_uv([*install, "--build-constraints", lane.lock, "--requirements", lane.lock], what=what)
    say(f"{lane.name}: importing TensorFlow for the first time")
    return versions_in(lane, python)


def _interpreter(lane: Lane) -> str:
    """Return this process's Python if it is the right one, else the version that uv has to find or fetch."""
    running = ".".join(map(str, sys.version_info[:2]))
    return sys.executable if lane.python == running else lane.python


def _put(folder: Path, place: Path) -> None:
    if place.exists():  # not whole, or it would have been used
        retired = folder.with_name(f"{folder.name}-old")
        place.rename(retired)
        shutil.rmtree(retired, ignore_errors=True)
    folder.rename(place)


def _refuse_full_disk(lane: Lane) -> None:
    free_mb = shutil.disk_usage(lanes_root()).free / 1e6
    if free_mb < lane.size_mb:
        raise OddemoError(
            f"There is too little space for the lane {lane.name}.",
            expected=f"{lane.size_mb} MB free in {lanes_root()}",
            found=f"{free_mb:.0f} MB",
            do="free some space, remove another lane (oddemo lanes remove NAME), or set ODDEMO_LANES to a larger disk",
        )
