"""What a machine in a workshop's room needs beyond an installation: the rows that `oddemo doctor --room` adds.

No host is contacted. The only thing that runs is a trained detector on four pictures, in a process of its own, so that
the room knows how much slower than the notebooks' budgets this machine is.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oddemo.doctor import CHECKOUT, STATUSES, Check, amount_check
from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.machine import free_memory_gb

#: JupyterLab and the largest of the notebooks, and what is the least with every other kernel shut down.
NOTEBOOK_GB = (2.5, 2.1)
#: Notebooks export into the system's temporary folder, which may be another disk, or memory.
TEMPORARY_GB = (1.0, 0.2)
#: The port that JupyterLab asks for, and how many more it tries.
PORT, MORE_PORTS = 8888, 50
BROWSERS = ("firefox", "chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge", "brave-browser")
MACOS_OPENER = "/usr/bin/open"
#: What the notebooks read, below the checkout: pattern → how many there are at least.
NEEDED = {
    "data/sample/*/val.json": 2,
    "data/detectors/*/params.yaml": 2,
    "data/detectors/*/ckpt-*.index": 2,
    "notebooks/*.ipynb": 15,
    "results/*.json": 10,
}
#: Written by `python -m benchmarks.room_run`.
MEASURED = CHECKOUT / "results" / "room_run.json"
WHEELHOUSE = CHECKOUT / "runs" / "wheelhouse"
#: A machine this many times slower than the one that measured the budgets still keeps up with the plans.
SLOWER = 3.0
PICTURES = 4
PROGRAM = "from oddemo.room import tiny_run; tiny_run()"


def browser_check(found: str | None) -> Check:
    """Is there something to show a notebook in?

    Args:
        found: Name of a browser, or None.
    """
    if found:
        return Check("browser", "OK", found, "a browser", about="machine")
    do = "install Firefox or Chromium, or open the address that JupyterLab prints on another machine"
    return Check("browser", "WARN", "none found", "a browser", do, "machine")


def find_browser() -> str | None:
    """Return the name of a browser on the path, or of the one that every Mac has."""
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    return found or ("Safari" if sys.platform == "darwin" and Path(MACOS_OPENER).exists() else None)


def port_is_free(port: int) -> bool:
    """Tell whether this machine's own address can be listened at."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_check(wanted: int = PORT, more: int = MORE_PORTS) -> Check:
    """Is there a port for JupyterLab? It takes the next free one by itself."""
    free = next((port for port in range(wanted, wanted + more + 1) if port_is_free(port)), None)
    tested = f"{wanted}, or one of the next {more}"
    if free is None:
        return Check("port", "FAIL", "none is free", tested, "make lab ARGS='--port 0'", "machine")
    if free == wanted:
        return Check("port", "OK", f"{wanted} is free", tested, about="machine")
    do = f"read the address that JupyterLab prints (it will be {free}), or shut the other one down"
    return Check("port", "WARN", f"{wanted} is taken", tested, do, "machine")


def offline_check(root: Path, lanes: tuple[str, ...]) -> Check:
    """Is everything here that the notebooks read? Nothing is fetched, and no host is asked.

    Args:
        root: Folder of the checkout.
        lanes: Names of the lanes that are made; without any, two live cells show recorded results.
    """
    counts = {pattern: len(list(root.glob(pattern))) for pattern in NEEDED}
    missing = [f"{counts[name]} of {least} {name}" for name, least in NEEDED.items() if counts[name] < least]
    tested = "pictures, detectors, notebooks and results of the checkout"
    if missing:
        return Check("offline", "FAIL", "; ".join(missing), tested, "copy or clone the project anew, whole")
    made = ", ".join(lanes) or "none made (live cells of 13 and 14 show what was recorded)"
    return Check("offline", "OK", f"{sum(counts.values())} files, no network needed; lanes: {made}", tested)


def lanes_made() -> tuple[str, ...]:
    """Return the names of the lanes that are whole on this machine."""
    from oddemo.lanes.cache import find_made
    from oddemo.lanes.registry import LANES

    return tuple(lane.name for lane in LANES if find_made(lane) is not None)


def wheelhouse_check(folder: Path, lock: Path) -> Check:
    """Is there a wheelhouse for machines without network, and is it of this lock? This machine itself needs none."""
    tested = "runs/wheelhouse of this requirements.lock, if machines without network are to be served"
    kept = folder / "requirements.lock"
    if not (folder / "CHECKSUMS").is_file():
        return Check("wheelhouse", "OK", "none (for other machines: make wheelhouse)", tested)
    if not kept.is_file() or not lock.is_file() or kept.read_bytes() != lock.read_bytes():
        return Check("wheelhouse", "WARN", "made from another requirements.lock", tested, "make wheelhouse")
    wheels = list(folder.rglob("*.whl"))
    size_mb = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    return Check("wheelhouse", "OK", f"{len(wheels)} wheels, {size_mb:.0f} MB", tested)


def speed_check(run: dict[str, float] | str, measured: dict[str, Any]) -> Check:
    """Compare the tiny run with the same one on the machine that measured the notebooks' budgets.

    Args:
        run: Seconds of the tiny run, or the last line of what went wrong.
        measured: Content of `results/room_run.json`.

    Wall seconds are what people wait for; processor seconds also hold where another program took part of the machine
    that measured. The worse of the two ratios counts.
    """
    there_s = measured["load_s"] + measured["detect_s"]
    tested = f"{there_s:.1f} s where the budgets were measured"
    if isinstance(run, str):
        return Check("speed", "FAIL", run, tested, "oddemo doctor --deep", "machine")
    here_s = run["load_s"] + run["detect_s"]
    times = max(here_s / there_s, run["processor_s"] / measured["processor_s"])
    found = f"{here_s:.1f} s to load a detector and detect in {PICTURES} pictures (import {run['import_s']:.0f} s)"
    if times <= SLOWER:
        return Check("speed", "OK", found, tested, about="machine")
    do = f"expect about {times:.0f} times the seconds that notebooks name, or share a faster machine"
    return Check("speed", "WARN", f"{found}: about {times:.0f} times slower than the budgets", tested, do, "machine")


def tiny_run() -> None:
    """Load the shipped detector, detect in four pictures and print the seconds; runs in a process of its own."""
    from oddemo.environment import prepare_environment
    from oddemo.quiet import native_stderr_silenced

    prepare_environment()
    began = time.perf_counter()
    from oddemo.data.sample import data_folder, sample_dataset
    from oddemo.detect.detector import load_detector

    dataset = sample_dataset("inspection", "val")
    few = dataset.subset([record.image_id for record in dataset.records[:PICTURES]])
    with native_stderr_silenced():
        import tensorflow  # noqa: F401
        from official.vision.configs import retinanet  # noqa: F401

        imported, processor = time.perf_counter(), time.process_time()
        detector = load_detector(data_folder() / "detectors" / "inspection")
        loaded = time.perf_counter()
        found = detector.predict(few)
        done, processor = time.perf_counter(), time.process_time() - processor
    seconds = {"import_s": imported - began, "load_s": loaded - imported, "detect_s": done - loaded}
    print(json.dumps({**seconds, "processor_s": processor, "detections": sum(map(len, found))}))


def time_tiny_run(program: str = PROGRAM) -> dict[str, float] | str:
    """Return the seconds of the tiny run, or the last line of what went wrong."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    try:
        seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return f"printed no seconds: {done.stdout[-80:]!r}"
    return seconds if seconds["detections"] > 0 else "the detector finds nothing in the sample's pictures"


def examine_room(*, run: bool = True) -> Iterator[Check]:
    """Yield the rows of a workshop's room.

    Args:
        run: Whether to run the detector as well (10 to 60 s).
    """
    close = "shut other kernels and programs down"
    yield amount_check("notebook", free_memory_gb(), NOTEBOOK_GB, close)
    temporary_gb = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    yield amount_check("temporary", temporary_gb, TEMPORARY_GB, "make room there, or set TMPDIR to a larger disk")
    yield browser_check(find_browser())
    yield port_check()
    yield offline_check(CHECKOUT, lanes_made())
    yield wheelhouse_check(WHEELHOUSE, CHECKOUT / "requirements.lock")
    if run:
        try:
            measured = read_json(MEASURED)
        except OddemoError as error:
            yield Check("speed", "WARN", str(error.problem), "a checkout", "run from a clone of the repository")
            return
        yield speed_check(time_tiny_run(), measured)


def said_aloud(checks: tuple[Check, ...]) -> str:
    """Return the one sentence that a person in the room reads out."""
    named = {status: [check.id for check in checks if check.status == status] for status in STATUSES}
    if named["FAIL"]:
        return f"This machine is not ready for the workshop: {', '.join(named['FAIL'])}."
    if named["WARN"]:
        return f"This machine is ready for the workshop; look at {', '.join(named['WARN'])}."
    return "This machine is ready for the workshop."
