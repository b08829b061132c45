"""A study that is killed outright, again and again, ends with the same file as one that never was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Of one run: thirty of them in two processes take a few seconds.
SECONDS = "0.15"


def started(work: Path, out: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE), *sys.path])}
    program = [sys.executable, str(HERE / "study_trials.py"), str(work), str(out), SECONDS]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished_runs(work: Path) -> int:
    return len(list((work / "runs").glob("[!.]*.json")))


def alive(work: Path) -> list[int]:
    pids = [int(path.name) for path in (work / "processes").glob("*")]
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and not is_zombie(pid)]


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_killed_at_random_moments_it_ends_with_the_same_file(tmp_path):
    never = started(tmp_path / "never", tmp_path / "never.json")
    output, _ = never.communicate(timeout=120)
    assert never.returncode == 0, output
    assert finished_runs(tmp_path / "never") == 30

    chance = random.Random(os.getpid())
    work, out = tmp_path / "killed", tmp_path / "killed.json"
    kept: list[int] = []
    while not out.exists():
        assert len(kept) < 60
        process = started(work, out)
        before = finished_runs(work)
        if len(kept) < 3:
            # Not before it did something new, and then at any moment.
            while finished_runs(work) == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.8))
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
        kept.append(finished_runs(work))
    assert process.returncode == 0
    # It was killed in the middle, and went on from where it was.
    assert any(0 < count < 30 for count in kept), kept
    assert kept == sorted(kept)
    assert out.read_bytes() == (tmp_path / "never.json").read_bytes()

    # No process outlives the one that started it, and nothing half done stays.
    patience = time.monotonic() + 20
    while alive(work) and time.monotonic() < patience:
        time.sleep(0.1)
    assert alive(work) == []
    assert not list((work / "scratch").glob("*/*"))
