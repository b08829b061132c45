"""How long do loading a detector and detecting in four pictures take where the notebooks' budgets were measured?

`oddemo doctor --room` does the same in a room and compares. Whole processes, one after the other; the least of all
turns counts for each part, so that other work on the machine does not.

    python -m benchmarks.room_run [--turns 5] [--out results/room_run.json]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from oddemo.files import write_json
from oddemo.progress import track
from oddemo.provenance import provenance
from oddemo.room import PICTURES, time_tiny_run

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("import_s", "load_s", "detect_s", "processor_s")


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "room_run.json")
    options = parser.parse_args()
    turns = []
    for _ in track(range(options.turns), "turns"):
        run = time_tiny_run()
        if isinstance(run, str):
            raise SystemExit(run)
        turns.append({part: round(run[part], 3) for part in PARTS})
    write_json(
        options.out,
        {
            **{part: min(turn[part] for turn in turns) for part in PARTS},
            "pictures": PICTURES,
            "turns": turns,
            "how": "Wall seconds of parts of a process, and the processor seconds of loading and detecting; of each the "
            "least of all turns.",
            "provenance": provenance(seeds=[], command="python -m benchmarks.room_run"),
        },
    )
    print({part: min(turn[part] for turn in turns) for part in PARTS})


if __name__ == "__main__":
    main()
