"""Make the locks of the lanes (`oddemo/lanes/locks/*.txt`) from their requirements in `oddemo/lanes/registry.py`.

`make lock` runs this; names of lanes behind it make those alone. Versions that are locked stay as they are as long as
they fit; `--upgrade` takes newer ones.
A changed lock is another lane: it lies in another folder, and users' lanes are made anew when they next ask for them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from oddemo.files import write_text
from oddemo.lanes.registry import LANES, Lane, find_lane
from oddemo.lanes.uv import uv_program

COMPILE = ("pip", "compile", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet")


def locked(requirements: Sequence[str], before: str, *options: str) -> str:
    """Return the lock of some requirements.

    Args:
        requirements: As in a requirements file.
        before: A lock whose versions are kept where they fit.
        options: For uv.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted, out = Path(folder) / "wanted.in", Path(folder) / "lock.txt"
        wanted.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        out.write_text(before, encoding="utf-8")
        command = [uv_program(), *COMPILE, *options, str(wanted), "-o", str(out)]
        subprocess.run(command, check=True)
        return out.read_text(encoding="utf-8")


def lock_of(lane: Lane, *, upgrade: bool = False) -> str:
    """Return the text of a lane's lock."""
    before = lane.lock.read_text(encoding="utf-8") if lane.lock.is_file() else ""
    options = ["--python-version", lane.python, *(["--upgrade"] if upgrade else [])]
    text = locked(lane.requirements, before, *options)
    return text + locked(lane.alone, before, "--no-deps", *options) if lane.alone else text


def main() -> int:
    """Write every lock, or those of the lanes that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("lanes", nargs="*", metavar="LANE", help="all if none is named")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions")
    options = parser.parse_args()
    for lane in map(find_lane, options.lanes) if options.lanes else LANES:
        write_text(lane.lock, lock_of(lane, upgrade=options.upgrade))
        print(lane.lock.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
