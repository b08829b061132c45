"""How much faster is `oddemo inspect` than `saved_model_cli show --all` on the same SavedModel?

Both run as a user runs them, each as a process of its own, in turns. The ratio is that of the processor seconds of the
whole process (the least of all turns), so that other work on the machine does not count; wall times stand beside it.

    python -m benchmarks.inspect_speed [--turns 5] [--model FOLDER] [--out results/performance.json]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from oddemo.files import read_json, write_json
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sys.executable).parent


def main() -> None:
    """Time both in one run and write the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--model", type=Path, help="a SavedModel; the inspection detector is exported if not given")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "performance.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or export(Path(folder) / "export")
        inspect = [str(SCRIPTS / "oddemo"), "inspect", str(model)]
        show = [str(SCRIPTS / "saved_model_cli"), "show", "--dir", str(model), "--all"]
        seconds(inspect)
        turns = [(seconds(inspect), seconds(show)) for _ in range(options.turns)]
        size = (model / "saved_model.pb").stat().st_size
    ours, theirs = ([turn[side] for turn in turns] for side in (0, 1))
    ratio = min(cpu for _, cpu in theirs) / min(cpu for _, cpu in ours)
    measured = {
        "inspect_processor_seconds": min(cpu for _, cpu in ours),
        "inspect_wall_seconds": min(wall for wall, _ in ours),
        "saved_model_cli_processor_seconds": min(cpu for _, cpu in theirs),
        "saved_model_cli_wall_seconds": min(wall for wall, _ in theirs),
        "turns": options.turns,
        "saved_model_bytes": size,
        "how": "Whole processes in turns, the least of all turns. The ratio is that of processor seconds (user and "
        "system, children included).",
        "other_ratios": {"wall_seconds": min(wall for wall, _ in theirs) / min(wall for wall, _ in ours)},
        "provenance": provenance(seeds=[], command="python -m benchmarks.inspect_speed"),
    }
    result = read_json(options.out) if options.out.exists() else {}
    result.setdefault("ratios", {})["inspect_speedup"] = round(ratio, 1)
    result.setdefault("measurements", {})["inspect_speedup"] = measured
    result.setdefault("provenance", measured["provenance"])
    write_json(options.out, result)
    print(f"inspect {measured['inspect_wall_seconds']:.2f} s (processor {measured['inspect_processor_seconds']:.2f} s)")
    print(f"saved_model_cli {measured['saved_model_cli_wall_seconds']:.2f} s; {ratio:.1f} times faster")


def export(folder: Path) -> Path:
    """Export the detector that comes with the repository, in a process of its own."""
    detector = REPOSITORY / "data" / "detectors" / "inspection"
    command = [str(SCRIPTS / "oddemo"), "export", str(detector), "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def seconds(command: list[str]) -> tuple[float, float]:
    """Return the wall and the processor seconds of a process that must succeed."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    return wall, user + system


if __name__ == "__main__":
    main()
