"""What is installed here, what was tested, and what to do about the difference.

`oddemo doctor` shows every check; the first cell of every notebook calls `doctor()`, which says nothing of a machine
where all is well but one fixed line.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from oddemo import environment
from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.machine import free_memory_gb, usable_cores

STATUSES = ("OK", "WARN", "FAIL")
#: Extras that make pages of the course and that no notebook needs: no word of them where they are not installed at all.
FOR_MAKERS = frozenset({"site", "workshop"})
READY = "oddemo is ready: what is installed here is what was tested."
SETUP = "make setup"
CHECKOUT = Path(__file__).resolve().parents[1]
#: Training and auditing took up to 2.5 GB of memory when it was measured; exports and reports take tens of MB.
MEMORY_GB = (4.0, 2.0)
DISK_GB = (2.0, 0.2)


@dataclass(frozen=True)
class Check:
    """One row of the doctor's table.

    Args:
        id: Short name, fixed.
        status: `OK`, `WARN` (works, perhaps not as tested) or `FAIL` (something will not run).
        found: What is there.
        tested: What the project was tested with, or needs.
        do: The command or step that puts it right; empty where nothing is to be done.
        about: `software` or `machine`; notebooks leave warnings about the machine to `oddemo doctor`.
    """

    id: str
    status: str
    found: str
    tested: str
    do: str = ""
    about: str = "software"

    def __post_init__(self) -> None:
        if self.status not in STATUSES or (self.status != "OK" and not self.do):
            raise OddemoError(f"{self.id} is no row.", expected=f"one of {STATUSES}, and a step unless it is OK")


def tested_versions() -> dict[str, dict[str, dict[str, str]]]:
    """Return what `make lock` froze: Python's minor version → group of packages → name → version."""
    tested: dict[str, dict[str, dict[str, str]]] = read_json(Path(__file__).with_name("tested_versions.json"))["python"]
    return tested


def installed_version(name: str) -> str | None:
    """Return the version of a distribution from its metadata, or None; nothing is imported."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def python_check(version: tuple[int, int], tested: tuple[str, ...]) -> Check:
    """Is this Python one of those that the lock was made for?"""
    found = ".".join(map(str, version))
    if found in tested:
        return Check("python", "OK", platform.python_version(), ", ".join(tested))
    do = "install Python 3.11 and run `make setup PYTHON=python3.11`"
    return Check("python", "FAIL", found, ", ".join(tested), do)


def group_check(group: str, tested: dict[str, str], installed: dict[str, str | None]) -> Check:
    """Compare the installed versions of one group of packages with the tested ones.

    Args:
        group: `core` or the name of an extra.
        tested: Distribution → version of the lock.
        installed: Distribution → version found, None where it is missing.
    """
    missing = sorted(name for name in tested if installed[name] is None)
    other = {name: found for name, found in sorted(installed.items()) if found not in (None, tested[name])}
    texts = [f"{name} missing" for name in missing]
    texts += [f"{name} {found} (tested {tested[name]})" for name, found in other.items()]
    if not texts:
        return Check(group, "OK", f"{len(tested)} packages as tested", f"{len(tested)} packages")
    extra = "oddemo" if group == "core" else f"oddemo[{group}]"
    do = f"{SETUP} (or: pip install '{extra}')" if missing else SETUP
    status = "FAIL" if missing and group == "core" else "WARN"
    return Check(group, status, "; ".join(texts), f"{len(tested)} packages", do)


def keras_check(tensorflow: str | None, tf_keras: str | None, flag: str | None) -> Check:
    """Keras 2 must be there, of TensorFlow's own minor version, and must not be switched off.

    Args:
        tensorflow: Installed version of TensorFlow, or None.
        tf_keras: Installed version of tf-keras, or None.
        flag: Value of `TF_USE_LEGACY_KERAS`; None if it is not set.
    """
    name, tested = "keras", "tf-keras of TensorFlow's minor version, TF_USE_LEGACY_KERAS=1"
    if tensorflow is None:
        return Check(name, "WARN", "no TensorFlow: inspect works, nothing can be run", tested, SETUP)
    if tf_keras is None or tf_keras.split(".")[:2] != tensorflow.split(".")[:2]:
        minor = ".".join(tensorflow.split(".")[:2])
        do = f"pip install 'tf-keras=={minor}.*'"
        return Check(name, "FAIL", f"tensorflow {tensorflow}, tf-keras {tf_keras or 'missing'}", tested, do)
    if flag not in (None, "1", "true", "True"):
        return Check(name, "FAIL", f"{environment.LEGACY_KERAS}={flag}", tested, f"unset {environment.LEGACY_KERAS}")
    return Check(name, "OK", f"tensorflow {tensorflow}, tf-keras {tf_keras}", tested)


def amount_check(name: str, found_gb: float, limits_gb: tuple[float, float], do: str) -> Check:
    """Compare an amount of memory or disk with what is comfortable and what is the least."""
    comfortable, least = limits_gb
    status = "OK" if found_gb >= comfortable else "WARN" if found_gb >= least else "FAIL"
    text = f"{found_gb:.1f} GB free"
    return Check(name, status, text, f"{comfortable:g} GB", "" if status == "OK" else do, "machine")


def files_check(name: str, pattern: str, needs: str, root: Path) -> Check:
    """Are the files there that come with the checkout?

    Args:
        name: Id of the check.
        pattern: Where they are, below `root`.
        needs: What the matching files are, in words.
        root: Folder of the checkout.
    """
    found = sorted(path.parent.relative_to(root).as_posix() for path in root.glob(pattern))
    if found:
        return Check(name, "OK", ", ".join(found), needs)
    do = "git checkout -- data" if (root / ".git").exists() else "run from a clone of the repository"
    return Check(name, "WARN", f"none below {root.name}/data", needs, do)


def deep_check(program: str = "import tensorflow, tf_keras; from official.vision.configs import retinanet") -> Check:
    """Import TensorFlow, Keras 2 and TF-Vision in a process of its own; takes 10 to 30 seconds."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Check("import", "OK", "TensorFlow, tf_keras and TF-Vision import", "they import")
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Check("import", "FAIL", last, "they import", f"{SETUP}, after removing .venv")


def examine(*, deep: bool = False) -> tuple[Check, ...]:
    """Run every check.

    Args:
        deep: Import TensorFlow as well, in a process of its own.
    """
    return tuple(_checks(deep))


def _checks(deep: bool) -> Iterator[Check]:
    tested = tested_versions()
    minor = ".".join(platform.python_version_tuple()[:2])
    yield python_check((sys.version_info.major, sys.version_info.minor), tuple(tested))
    for group, versions in tested.get(minor, {}).items():
        installed = {name: installed_version(name) for name in versions}
        if group not in FOR_MAKERS or any(installed.values()):
            yield group_check(group, versions, installed)
    flag = os.environ.get(environment.LEGACY_KERAS)
    yield keras_check(installed_version("tensorflow"), installed_version("tf-keras"), flag)
    yield amount_check("memory", free_memory_gb(), MEMORY_GB, "close other programs, or raise the container's limit")
    free_disk_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    yield amount_check("disk", free_disk_gb, DISK_GB, "make room on this disk")
    enough = usable_cores() >= 2
    do = "" if enough else "nothing; everything takes about twice as long"
    yield Check("cores", "OK" if enough else "WARN", str(usable_cores()), "2", do, "machine")
    yield files_check("sample", "data/**/world.json", "the built-in sample", CHECKOUT)
    yield files_check("detectors", "data/**/params.yaml", "the shipped detectors", CHECKOUT)
    if deep:
        yield deep_check()


def verdict(checks: tuple[Check, ...]) -> str:
    """Return the worst status as `fine`, `warn` or `fail`."""
    worst = max(STATUSES.index(check.status) for check in checks)
    return ("fine", "warn", "fail")[worst]


def as_json(checks: tuple[Check, ...]) -> dict[str, Any]:
    """Return the checks as JSON values."""
    return {"verdict": verdict(checks), "checks": [asdict(check) for check in checks]}


def doctor() -> None:
    """Make this process ready for TensorFlow and say so; the first cell of every notebook.

    Prints one line that is the same on every machine where all is well. A difference from the tested software, or
    anything that will not run, takes its place.
    """
    late = environment.tensorflow_came_first()
    environment.prepare_environment()
    rows = [
        check for check in examine() if check.status == "FAIL" or (check.status, check.about) == ("WARN", "software")
    ]
    for check in rows[:4]:
        print(f"[{check.status}] {check.id}: {check.found} → {check.do}")
    if late:
        print("[WARN] TensorFlow was imported before this cell → restart the kernel and run this cell first")
    elif not rows:
        print(READY)
    if len(rows) > 4:
        print(f"… and {len(rows) - 4} more → oddemo doctor")
