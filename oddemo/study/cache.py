"""Finished runs on disk, each under a key made from everything that decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.provenance import PACKAGES, package_versions
from oddemo.study.code import code_fingerprint
from oddemo.study.design import Run, as_json, records_in

#: Length of a key, in hexadecimal digits.
KEY_DIGITS = 24


def run_key(run: Run, shared: Mapping[str, Any]) -> str:
    """Return the key of a run.

    The name of the condition is no part of it: two studies that do the same thing share the run.

    Args:
        run: The run.
        shared: What its trial's `prepare` returned.
    """
    trial = run.condition.trial
    content = {"world": run.world, "seed": run.seed, "trial": as_json(trial), "shared": as_json(shared)}
    return content_key(content, [type(record).__module__ for record in records_in(trial)])


def content_key(content: Mapping[str, Any], modules: Iterable[str]) -> str:
    """Return a key of JSON values, of the code of modules, and of the versions of the packages that matter.

    Args:
        content: What decides a result.
        modules: Whose code decides it, too.
    """
    versions = package_versions(tuple(name for name in PACKAGES if name != "oddemo"))
    content = {**content, "code": code_fingerprint(modules), "versions": versions}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:KEY_DIGITS]


class RunCache:
    """A folder of finished runs.

    Args:
        folder: Where they lie; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """Return the file of a run."""
        return self.folder / f"{key}.json"

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def read(self, key: str) -> dict[str, Any]:
        """Return a finished run: `metrics`, `seconds`, `cpu_seconds`.

        Raises:
            OddemoError: If the file is not what `write` wrote.
        """
        content = read_json(self.path(key))
        if not isinstance(content, dict) or not isinstance(content.get("metrics"), dict):
            raise OddemoError(
                f"{self.path(key)} is not a finished run.", do="remove the file; the run is then done again"
            )
        return content

    def write(self, key: str, metrics: Mapping[str, float], *, seconds: float, cpu_seconds: float) -> None:
        """Keep a finished run; a reader sees all of it or nothing."""
        times = {"seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1)}
        write_json(self.path(key), {"metrics": dict(metrics), **times})
