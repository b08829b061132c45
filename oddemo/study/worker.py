"""The processes that do the runs: started once, kept, and gone as soon as the one that started them is."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from oddemo.study.cache import RunCache
from oddemo.study.design import Run


def start_worker(log: Path) -> None:
    """Set a fresh process up: its chatter goes to a file, an interrupt is for the process that started it.

    Args:
        log: File that standard output and error are added to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(handle, stream.fileno())
    os.close(handle)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process killed outright cannot tell its workers: they watch it instead, and do not outlive it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def do_run(run: Run, key: str, work: Path, scratch: Path) -> None:
    """Do one run and keep it.

    Args:
        run: The run.
        key: Its key.
        work: Folder of all studies.
        scratch: Folder for what the run leaves behind; below it every run has one of its own, removed at its end.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=scratch))
    clock = time.perf_counter(), time.process_time()
    try:
        metrics = run.condition.trial.measure(run.world, run.seed, work, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds, cpu_seconds = time.perf_counter() - clock[0], time.process_time() - clock[1]
    RunCache(work / "runs").write(key, metrics, seconds=seconds, cpu_seconds=cpu_seconds)
