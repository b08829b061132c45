"""Running the command line as a user does, and what a refusal has to look like."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: Pictures in the folder of `Bench`.
FEW = 5


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


def alone(*arguments: object) -> Ended:
    """Run it in a process of its own."""
    command = [sys.executable, "-m", "oddemo", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    return Ended(done.returncode, done.stdout, done.stderr)


def assert_refused(ended: Ended, *words: str) -> None:
    """One message, for people, on standard error alone; exit status 2."""
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("oddemo: "), ended.err
    assert ended.err.count("oddemo: ") == 1
    assert "Traceback" not in ended.err
    lines = ended.err.splitlines()
    assert len(lines) <= 4, ended.err
    assert all(line.startswith(("  expected: ", "  found: ", "  do: ")) for line in lines[1:]), ended.err
    for word in words:
        assert word in ended.err, ended.err


def contents(folder: Path) -> dict[str, str]:
    """Path below a folder → hash of the file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


@dataclass(frozen=True)
class Bench:
    """A folder as a user has it: pictures, true boxes, a sound export, and the reference recorded on the pictures."""

    root: Path
    detector: Path

    @property
    def pictures(self) -> Path:
        return self.root / "pictures"

    @property
    def truth(self) -> Path:
        return self.root / "truth.json"

    @property
    def export(self) -> Path:
        return self.root / "saved_model"

    @property
    def recorded(self) -> str:
        """The reference as `trace:FILE`: there at once, where loading the detector takes seconds."""
        return f"trace:{self.root / 'reference.npz'}"

    @property
    def sound(self) -> str:
        return f"savedmodel:{self.export}"


def audit_command(bench: Bench, *more: object, **changes: object) -> tuple[object, ...]:
    options = {"reference": bench.recorded, "candidate": bench.sound, "images": bench.pictures, **changes}
    return ("audit", *(part for name, value in options.items() for part in (f"--{name}", value)), *more)
