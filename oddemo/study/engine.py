"""Running a study: what is not there yet, over processes, so that a kill at any moment costs one run a process."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.progress import track
from oddemo.study.cache import RunCache, run_key
from oddemo.study.design import Run, Study, runs_of
from oddemo.study.worker import do_run, start_worker

#: So many runs a process does before a fresh one takes over: what TensorFlow does not let go of would pile up.
RUNS_OF_A_PROCESS = 20


@dataclass(frozen=True)
class FinishedRun:
    """A run with its numbers.

    Attributes:
        run: What was run.
        key: Its key in the cache.
        metrics: Name → number.
        seconds: Wall time.
        cpu_seconds: Processor time.
    """

    run: Run
    key: str
    metrics: Mapping[str, float]
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes:
        finished: The run that has just ended.
        done: Runs that are there.
        total: Runs of the study.
        seconds_left: Estimate from the runs done so far.
    """

    finished: FinishedRun
    done: int
    total: int
    seconds_left: float


def run_study(
    study: Study, *, work: Path, jobs: int = 1, on_run: Callable[[Progress], None] | None = None
) -> tuple[FinishedRun, ...]:
    """Do every run that is not kept yet, and return all of them in the study's order.

    Args:
        study: The study.
        work: Folder for pictures, finished runs and logs; studies share it.
        jobs: Processes side by side. Each run gives the same numbers whatever their number.
        on_run: Called after each new run.

    Raises:
        OddemoError: If the study is running already with this folder, or a run fails; what is finished is kept.
    """
    if jobs < 1:
        raise OddemoError("There must be at least one process.", expected="1 or more", found=str(jobs))
    work = Path(work).absolute()
    cache = RunCache(work / "runs")
    with _alone(study, work) as scratch:
        keys = _keys(study, work)
        waiting: dict[str, Run] = {}
        for run, key in keys.items():
            if key not in cache:
                waiting.setdefault(key, run)
        started, known = time.perf_counter(), len(keys) - len(waiting)
        done = _done(waiting, study, work, scratch, jobs)
        for number, (key, run) in enumerate(track(done, study.name, total=len(waiting)), 1):
            if on_run is not None:
                left = (time.perf_counter() - started) / number * (len(waiting) - number)
                on_run(Progress(_finished(cache, run, key), known + number, known + len(waiting), left))
    return tuple(_finished(cache, run, key) for run, key in keys.items())


def _keys(study: Study, work: Path) -> dict[Run, str]:
    """Return run → key, in the study's order, with everything made that the runs share."""
    keys: dict[Run, str] = {}
    shared: dict[tuple[str, str], Mapping[str, Any]] = {}
    for run in runs_of(study):
        place = run.world, run.condition.name
        if place not in shared:
            shared[place] = run.condition.trial.prepare(run.world, work)
        keys[run] = run_key(run, shared[place])
    return keys


def _done(waiting: Mapping[str, Run], study: Study, work: Path, scratch: Path, jobs: int) -> Iterator[tuple[str, Run]]:
    """Yield each run as it ends."""
    left = list(waiting.items())
    size = RUNS_OF_A_PROCESS * jobs
    for start in range(0, len(left), size):
        yield from _done_together(dict(left[start : start + size]), study, work, scratch, jobs)


def _done_together(
    waiting: Mapping[str, Run], study: Study, work: Path, scratch: Path, jobs: int
) -> Iterator[tuple[str, Run]]:
    """Yield each run as it ends, of so many as the same processes do."""
    # Fresh processes, never forks: TensorFlow may be loaded in this one.
    log = work / "logs" / f"{study.name}.log"
    context = get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, len(waiting)), mp_context=context, initializer=start_worker, initargs=(log,)
    ) as pool:
        futures: dict[Future[None], tuple[str, Run]] = {
            pool.submit(do_run, run, key, work, scratch): (key, run) for key, run in waiting.items()
        }
        try:
            open_futures = set(futures)
            while open_futures:
                ended, open_futures = wait(open_futures, return_when=FIRST_COMPLETED)
                for future in ended:
                    _check(future, futures[future][1], log)
                    yield futures[future]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _check(future: Future[None], run: Run, log: Path) -> None:
    error = future.exception()
    if error is None:
        return
    what = f"The run {run} failed."
    if isinstance(error, OddemoError):
        raise OddemoError(what, found=str(error), do="mend that and start the study again: finished runs are kept")
    raise OddemoError(
        what,
        found=f"{type(error).__name__}: {error}"[:500],
        do=f"look into {log}, and start the study again: finished runs are kept",
    ) from error


@contextmanager
def _alone(study: Study, work: Path) -> Iterator[Path]:
    """Hold the study's lock, and yield an empty folder for what runs leave behind."""
    folder = work / "scratch" / study.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{study.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OddemoError(
                f"The study {study.name} is running already in {work}.", do="wait for it, or choose another --work"
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _finished(cache: RunCache, run: Run, key: str) -> FinishedRun:
    kept = cache.read(key)
    return FinishedRun(run, key, kept["metrics"], float(kept["seconds"]), float(kept["cpu_seconds"]))
