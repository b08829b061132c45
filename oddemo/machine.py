"""How much of the machine this process may use."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def free_memory_gb() -> float:
    """Return the memory that a new process can take, with a container's limit where there is one."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        free = int(_fields(meminfo)["MemAvailable:"]) * 1024
    else:
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, _container_free()) / 1e9


def _container_free() -> float:
    """Return the container's limit less what cannot be given back: pages of files can."""
    limit, stat = CGROUP / "memory.max", CGROUP / "memory.stat"
    if not (limit.is_file() and stat.is_file()):
        return float("inf")
    text = limit.read_text(encoding="ascii").strip()
    return float("inf") if text == "max" else max(0.0, float(text) - float(_fields(stat)["anon"]))


def _fields(path: Path) -> dict[str, str]:
    return {line.split()[0]: line.split()[1] for line in path.read_text(encoding="ascii").splitlines()}


def usable_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
