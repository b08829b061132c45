"""What do making the lane of the Object Detection API, training, exporting and recording take, in time and on disk?

Every step is the command of docs/lanes.md, run as a user runs it, from nothing: with an empty folder of lanes and an
empty cache of packages, so that all of them are fetched again. Needs the network, and about 4 GB.

    python -m benchmarks.odapi_steps [--steps 1500] [--out results/odapi_steps.json]
    python -m benchmarks.odapi_steps --table        prints what was measured as docs/lanes.md shows it
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from oddemo.data.scenes import WorldSpec, make_world
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
#: The world and its seed are those of data/odapi/README.md; so many pictures are recorded.
WORLD, SEED, PICTURES_TO_LEARN, PICTURES_TO_RECORD = "inspection", 31, 600, 24


@dataclass(frozen=True)
class Step:
    """A command that was run.

    Attributes:
        name: What it does.
        command: As the user writes it.
        wall_s: Seconds by the clock.
        processor_s: Seconds of all its processes.
        made_mb: What it left behind, in units of 10**6 bytes.
    """

    name: str
    command: str
    wall_s: float
    processor_s: float
    made_mb: float


def commands(steps: int) -> dict[str, tuple[list[str], str]]:
    """Return step → arguments of `oddemo`, and the path of what it makes."""
    run = ["lanes", "run", "odapi"]
    learn, look = "world/train.json", "world/test/images"
    return {
        "make the lane": (["lanes", "make", "odapi"], "lanes"),
        "train": (
            [*run, "train", "--truth", learn, "--images", "world", "--out", "runs/ssd", "--steps", str(steps)],
            "runs/ssd",
        ),
        "export": ([*run, "export", "runs/ssd", "--out", "runs/ssd-export"], "runs/ssd-export"),
        "export for TFLite": ([*run, "export", "runs/ssd", "--out", "runs/ssd-lite", "--tflite"], "runs/ssd-lite"),
        "record": ([*run, "record", "runs/ssd", "--images", look, "--out", "runs/ssd.npz"], "runs/ssd.npz"),
    }


def measured(name: str, arguments: Sequence[str], made: Path, folder: Path) -> Step:
    """Run a command of `oddemo` in a folder and measure it.

    Raises:
        OddemoError: If it fails, or leaves nothing behind.
    """
    environment = os.environ | {"ODDEMO_LANES": str(folder / "lanes"), "UV_CACHE_DIR": str(folder / "packages")}
    environment["PYTHONPATH"] = str(REPOSITORY)
    before, start = processor_s(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "oddemo", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    if done.returncode or not made.exists():
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise OddemoError(f"oddemo {' '.join(arguments)} failed.", found=f"exit status {done.returncode}: {last}")
    command = f"oddemo {' '.join(arguments)}"
    return Step(name, command, round(wall, 1), round(processor_s() - before, 1), round(bytes_in(made) / 1e6, 1))


def processor_s() -> float:
    """Return the processor seconds of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bytes_in(place: Path) -> int:
    """Return what a file or folder takes on disk, files with several names once, in blocks as they are allocated."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if not path.is_symlink()]
    blocks = {(stat.st_dev, stat.st_ino): stat.st_blocks for stat in (path.stat() for path in files)}
    return 512 * sum(blocks.values())


def as_table(told: Mapping[str, Any]) -> str:
    """Return what was measured as docs/lanes.md shows it."""
    training = told["training"]
    words = {
        "train": f"train, {training['steps']} steps on {training['pictures']} pictures",
        "record": f"record {told['recorded_pictures']} pictures",
    }
    lines = ["| step | by the clock | of processors | leaves on disk |", "|---|---|---|---|"]
    for step in told["steps"]:
        name = words.get(step["name"], step["name"])
        lines.append(f"| {name} | {step['wall_s']:.0f} s | {step['processor_s']:.0f} s | {step['made_mb']:.0f} MB |")
    return "\n".join(lines)


def main() -> None:
    """Measure every step and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "odapi_steps.json")
    parser.add_argument("--table", action="store_true", help="print what --out holds; nothing is measured")
    options = parser.parse_args()
    if options.table:
        print(as_table(read_json(options.out)))
        return
    with tempfile.TemporaryDirectory(prefix="oddemo-steps-") as temporary:
        folder = Path(temporary)
        splits = {"train": PICTURES_TO_LEARN, "test": PICTURES_TO_RECORD}
        make_world(WorldSpec(world=WORLD, seed=SEED, images=sum(splits.values())), folder / "world", splits=splits)
        todo = commands(options.steps)
        steps = [
            measured(name, arguments, folder / made, folder)
            for name, (arguments, made) in track(todo.items(), "steps of the lane")
        ]
        packages_mb = round(bytes_in(folder / "packages") / 1e6, 1)
    result = {
        "steps": [asdict(step) for step in steps],
        "package_cache_mb": packages_mb,
        "training": {"steps": options.steps, "pictures": PICTURES_TO_LEARN},
        "recorded_pictures": PICTURES_TO_RECORD,
        "provenance": provenance(seeds=[SEED], command="python -m benchmarks.odapi_steps"),
    }
    write_json(options.out, result)
    print(as_table(result))


if __name__ == "__main__":
    main()
