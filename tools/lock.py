"""What follows from requirements.lock: the versions in environment.yml and oddemo/tested_versions.json.

`make lock` runs this after it has made the lock; `tests/test_environment.py` checks that the three agree.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oddemo.files import write_json, write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12")
CONDA_PYTHON = "3.11"


def declared(root: Path = ROOT) -> dict[str, list[Requirement]]:
    """Return the top-level requirements of pyproject.toml: `core` and the name of each extra."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    return {group: [Requirement(text) for text in texts] for group, texts in groups.items()}


def locked(text: str) -> Iterator[Requirement]:
    """Yield each `name==version ; marker` of a lock's text."""
    for line in text.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            yield Requirement(line.rstrip("\\ "))


def applies(entry: Requirement, python: str) -> bool:
    """Tell whether an entry's marker holds on Linux with one minor version of Python."""
    place = {
        "python_version": python,
        "python_full_version": f"{python}.99",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return entry.marker is None or entry.marker.evaluate(place)


def versions(text: str, python: str) -> dict[str, str]:
    """Return name → version of a lock's text on Linux with one minor version of Python."""
    return {
        canonicalize_name(entry.name): next(iter(entry.specifier)).version
        for entry in locked(text)
        if applies(entry, python)
    }


def tested_versions(text: str, groups: dict[str, list[Requirement]]) -> dict[str, dict[str, dict[str, str]]]:
    """Return Python → group → top-level package → version of the lock; developers' tools are left out."""
    tested: dict[str, dict[str, dict[str, str]]] = {}
    for python in PYTHONS:
        found = versions(text, python)
        tested[python] = {}
        for group, entries in groups.items():
            if group == "dev":
                continue
            names = [canonicalize_name(entry.name) for entry in entries if applies(entry, python)]
            tested[python][group] = {name: found[name] for name in names}
    return tested


def with_versions(environment: str, found: dict[str, str]) -> str:
    """Return environment.yml's text with every `name==version` set to the lock's version."""
    return re.sub(
        r"(?m)^(\s+- )([\w.-]+)==\S+",
        lambda match: f"{match[1]}{match[2]}=={found[canonicalize_name(match[2])]}",
        environment,
    )


def main() -> int:
    """Write both files."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    tested = {"made_by": "make lock", "python": tested_versions(text, declared())}
    write_json(ROOT / "oddemo" / "tested_versions.json", tested)
    path = ROOT / "environment.yml"
    write_text(path, with_versions(path.read_text(encoding="utf-8"), versions(text, CONDA_PYTHON)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
