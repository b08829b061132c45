"""Where a number comes from: commit, versions, machine class, threads, command and date."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

#: Distributions whose version can change a result.
PACKAGES = (
    "oddemo",
    "tensorflow",
    "tf-keras",
    "tf-models-official",
    "ai-edge-litert",
    "numpy",
    "scipy",
    "pycocotools",
    "pillow",
    "opencv-python-headless",
    "faster-coco-eval",
    "scikit-learn",
    "imbalanced-learn",
    "cleanlab",
)


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Return distribution name → installed version, leaving out what is not installed."""
    versions = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def source_commit() -> str:
    """Return the commit of the checkout that this package runs from, `+changed` if files differ, or `unknown`."""
    here = Path(__file__).resolve().parents[1]
    try:
        commit = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(here), "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+changed" if changed else commit


def provenance(*, seeds: list[int] | None = None, command: str | None = None) -> dict[str, Any]:
    """Return the block that every stored result carries.

    Args:
        seeds: Every seed that the result depends on.
        command: The command that makes the result again; the running one if not given.
    """
    return {
        "commit": source_commit(),
        "versions": package_versions(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, no GPU used",
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "seeds": seeds if seeds is not None else [],
        "command": command if command is not None else " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
