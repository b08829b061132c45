"""Calling uv, and saying in plain words what stopped it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from oddemo.errors import OddemoError

#: What uv writes → problem, next step. The first that fits counts.
_FAILURES = (
    (
        r"No space left on device|os error 28",
        "the disk is full",
        "free some space, or set ODDEMO_LANES and UV_CACHE_DIR to a larger disk; nothing half-made was kept",
    ),
    (
        r"[Hh]ash(es)? mismatch|in `--require-hashes` mode",
        "a package is not the one that the lock names",
        "do not use it; try another network or mirror, and report it if it stays so",
    ),
    (
        r"No interpreter found|Python .* not found|No download found for request",
        "the Python that it needs is not there and could not be fetched",
        "install that Python, or let uv fetch it once: uv python install VERSION",
    ),
    (
        r"[Nn]etwork (connectivity is|was|is) disabled|Failed to fetch|error sending request|dns error"
        r"|Failed to download|tcp connect error|Connection refused|operation timed out",
        "the package index cannot be reached",
        "connect once; what a lane needs is then kept, and it works without network",
    ),
    (
        r"Permission denied|os error 13|Read-only file system",
        "a folder may not be written to",
        "set ODDEMO_LANES and UV_CACHE_DIR to folders that you may write to",
    ),
)


def uv_program() -> str:
    """Return where uv is.

    Raises:
        OddemoError: If it is not installed.
    """
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise OddemoError(
            "Lanes are made with uv, which is not installed.",
            expected="the program uv",
            do="pip install uv",
        )
    return found


def run_uv(arguments: Sequence[str | Path], *, what: str) -> None:
    """Run uv.

    Args:
        arguments: After its name.
        what: What is being made, for messages.

    Raises:
        OddemoError: If it fails, with what it said in plain words.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    command = [uv_program(), *map(str, arguments), "--quiet", "--no-config", "--color", "never"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode == 0:
        return
    raise failure(what, done.stderr)


def failure(what: str, said: str) -> OddemoError:
    """Return the message for what uv wrote to standard error."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("warning:")]
    shown = " ".join(lines)[-400:] or "nothing"
    for pattern, problem, do in _FAILURES:
        if re.search(pattern, said):
            return OddemoError(f"{what} could not be made: {problem}.", found=shown, do=do)
    return OddemoError(f"{what} could not be made: uv failed.", found=shown)
