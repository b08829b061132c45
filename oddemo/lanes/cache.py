"""Where lanes lie on disk, and which of them are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.lanes.registry import Lane

#: Names a folder for lanes; without it they lie in the user's cache folder.
ROOT_VARIABLE = "ODDEMO_LANES"
#: Written last, into a lane that is whole and has been seen to run.
STAMP = "lane.json"
_BEGUN = ".making-"


def lanes_root() -> Path:
    """Return the folder of all lanes."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "oddemo" / "lanes"


@dataclass(frozen=True)
class Made:
    """A lane on disk that is whole.

    Attributes:
        lane: Which.
        folder: Where.
        versions: Package → version, as seen when it was made.
        seconds: How long that took.
    """

    lane: Lane
    folder: Path
    versions: dict[str, str]
    seconds: float

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def place_of(lane: Lane) -> Path:
    """Return where a lane lies when it is made; another lock or Python is another place."""
    return lanes_root() / f"{lane.name}-{lane.key}"


def find_made(lane: Lane) -> Made | None:
    """Return a lane that is whole; None if it is not made, was interrupted, or has lost its interpreter."""
    folder = place_of(lane)
    stamp = folder / STAMP
    # `exists` follows the link: an interpreter that has been uninstalled since is none.
    if not stamp.is_file() or not (folder / "bin" / "python").exists():
        return None
    try:
        told: Any = read_json(stamp)
        if told["key"] != lane.key:
            return None
        return Made(lane, folder, dict(told["versions"]), float(told["seconds"]))
    except (OddemoError, KeyError, TypeError, ValueError):
        return None


@contextmanager
def held(name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Let one process at a time work on a folder of `lanes_root`; the system frees the lock if that process dies.

    Args:
        name: Of the folder.
        waiting: Called if another process holds it.

    Raises:
        OddemoError: If the folder of all lanes cannot be written.
    """
    import fcntl

    root = lanes_root()
    path = root / f".{name}.lock"
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        raise OddemoError(
            f"The folder of lanes {root} cannot be written.",
            found=error.strerror or str(error),
            do=f"set {ROOT_VARIABLE} to a folder that you may write to",
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def begun(lane: Lane) -> Path:
    """Return a new, empty folder beside the lane's place, and clear away what interrupted tries left.

    Only while it is `held`: no other process then has one.
    """
    clear_begun(lane)
    folder = lanes_root() / f"{_BEGUN}{lane.name}-{lane.key}-{os.getpid()}"
    folder.mkdir()
    return folder


def clear_begun(lane: Lane) -> None:
    """Remove what interrupted tries left."""
    for left in lanes_root().glob(f"{_BEGUN}{lane.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def copies_of(lane: Lane) -> list[Path]:
    """Return every folder of a lane, those of older locks too, whole or not."""
    root = lanes_root()
    found = [*root.glob(f"{lane.name}-*"), *root.glob(f"{_BEGUN}{lane.name}-*")]
    return sorted(path for path in found if path.is_dir())


def disk_mb(folder: Path) -> float:
    """Return what a folder takes on disk; files that are shared with the installer's cache are counted too."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6
