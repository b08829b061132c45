"""How long do loading a detector and detecting in four pictures take on a machine that does nothing else?

`oddemo doctor --room` does the same in a room and compares. Whole processes, one after the other. A turn counts only if
other programs took less than a twentieth of the processors while it ran; of the turns that count, the median of each
part is kept. Without enough quiet turns nothing is written.

    python -m benchmarks.room_run [--turns 5] [--tries 100] [--out results/room_run.json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from oddemo.files import write_json
from oddemo.progress import track
from oddemo.provenance import provenance
from oddemo.room import PICTURES, time_tiny_run

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("import_s", "load_s", "detect_s", "processor_s")
QUIET = 0.05
#: Before a turn, the machine is watched for so long; while it is busy, there is no turn.
WATCH_S = 10
PROCESSORS = Path("/proc/stat")


def busy_s() -> float:
    """Return the seconds that all processors together have worked since the machine was started (Linux)."""
    user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, PROCESSORS.read_text().split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def children_s() -> float:
    """Return the processor seconds of this process's children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def is_quiet() -> bool:
    """Tell whether other programs leave the processors alone just now."""
    busy = busy_s()
    time.sleep(WATCH_S)
    return busy_s() - busy < QUIET * WATCH_S * (os.cpu_count() or 1)


def turn() -> dict[str, float]:
    """Run once; `others` is the share of the processors that other programs took meanwhile."""
    start, busy, ours = time.perf_counter(), busy_s(), children_s()
    run = time_tiny_run()
    if isinstance(run, str):
        raise SystemExit(run)
    wall = (time.perf_counter() - start) * (os.cpu_count() or 1)
    others = max(0.0, (busy_s() - busy) - (children_s() - ours)) / wall
    return {**{part: round(run[part], 3) for part in PARTS}, "others": round(others, 3)}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "room_run.json")
    options = parser.parse_args()
    quiet: list[dict[str, float]] = []
    for _ in track(range(options.tries), "waiting for quiet turns"):
        if not is_quiet():
            continue
        found = turn()
        print(found, flush=True)
        if found["others"] < QUIET:
            quiet.append(found)
        if len(quiet) == options.turns:
            break
    if len(quiet) < options.turns:
        raise SystemExit(f"Only {len(quiet)} of {options.tries} turns were quiet; nothing was written.")
    parts = {part: statistics.median(found[part] for found in quiet) for part in PARTS}
    write_json(
        options.out,
        {
            **parts,
            "pictures": PICTURES,
            "turns": quiet,
            "how": "Wall seconds of parts of a process, and the processor seconds of loading and detecting; medians of "
            f"turns in which other programs took less than {QUIET:.0%} of the processors.",
            "provenance": provenance(seeds=[], command="python -m benchmarks.room_run"),
        },
    )
    print(parts)


if __name__ == "__main__":
    main()
