"""What is made once in a run of the tests and read by all of its workers."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_PLACE = "ODDEMO_TESTS_SHARED"


def open_shared_folder() -> None:
    """Make the folder, in the process that starts the workers; they find it by their environment."""
    os.environ[_PLACE] = tempfile.mkdtemp(prefix="oddemo_tests_")


def remove_shared_folder() -> None:
    shutil.rmtree(os.environ.pop(_PLACE), ignore_errors=True)


def made_once(name: str, make: Callable[[Path], object]) -> str:
    """Call `make` with a new folder, unless a worker has done so already; the others wait for it.

    Args:
        name: Of what is made, and of its folder.
        make: Given the folder; what it returns is told as text to every worker.
    """
    folder = Path(os.environ[_PLACE]) / name
    told = folder.with_name(f"{name}.told")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            told.write_text(str(make(folder)), encoding="utf-8")
    return told.read_text(encoding="utf-8")
