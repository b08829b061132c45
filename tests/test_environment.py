"""pyproject.toml, requirements.lock, environment.yml and tested_versions.json say the same."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

import lock

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
GROUPS = lock.declared(ROOT)


def conda_versions(text: str) -> dict[str, str]:
    pip = next(entry["pip"] for entry in yaml.safe_load(text)["dependencies"] if isinstance(entry, dict))
    return dict(line.split("==") for line in pip if "==" in line)


@pytest.mark.parametrize("python", lock.PYTHONS)
def test_the_lock_satisfies_every_declared_range(python: str) -> None:
    found = lock.versions(LOCK, python)
    needed = [entry for entries in GROUPS.values() for entry in entries if lock.applies(entry, python)]
    assert len(needed) > 30
    assert [str(entry) for entry in needed if found.get(canonicalize_name(entry.name)) is None] == []
    assert [str(entry) for entry in needed if not entry.specifier.contains(found[canonicalize_name(entry.name)])] == []


def test_every_declared_range_has_a_lower_bound_or_a_pin() -> None:
    entries = [entry for group in GROUPS.values() for entry in group]
    bounds = {str(entry): {part.operator for part in entry.specifier} & {">=", "==", "~="} for entry in entries}
    assert [entry for entry, used in bounds.items() if not used] == []


def test_the_lock_has_hashes_for_every_entry_and_names_no_place() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    bare = [entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
    assert bare == []
    assert len(entries) > 200
    strange = [
        line
        for line in LOCK.splitlines()
        if line
        and not re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[^\s;/@]+( ; [^/@:]+)? \\", line)
    ]
    assert strange == []


def test_environment_yml_holds_every_direct_requirement_in_the_locks_version() -> None:
    needed = {
        canonicalize_name(entry.name)
        for entries in GROUPS.values()
        for entry in entries
        if lock.applies(entry, lock.CONDA_PYTHON)
    }
    found = {canonicalize_name(name): version for name, version in conda_versions(ENVIRONMENT).items()}
    in_lock = lock.versions(LOCK, lock.CONDA_PYTHON)
    assert set(found) == needed
    assert found == {name: in_lock[name] for name in found}
    assert f"python={lock.CONDA_PYTHON} " in ENVIRONMENT


def test_every_line_of_environment_yml_says_what_it_is_for() -> None:
    assert [line for line in ENVIRONMENT.splitlines() if not re.search(r"(^\s*|\S  )# \S.{3,}", line)] == []


def test_the_versions_that_the_doctor_knows_are_the_locks() -> None:
    stored = json.loads((ROOT / "oddemo" / "tested_versions.json").read_text(encoding="utf-8"))
    assert stored["python"] == lock.tested_versions(LOCK, GROUPS)


def test_new_versions_reach_environment_yml() -> None:
    changed = LOCK.replace("tensorflow==2.20.0 ", "tensorflow==2.20.1 ")
    text = lock.with_versions(ENVIRONMENT, lock.versions(changed, lock.CONDA_PYTHON))
    assert conda_versions(text)["tensorflow"] == "2.20.1"
    assert text.replace("2.20.1  # runs", "2.20.0  # runs") == ENVIRONMENT


def test_the_python_versions_are_the_same_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == list(lock.PYTHONS)
    assert re.findall(r"Python :: (3\.\d+)", project) == list(lock.PYTHONS)
    assert 'requires-python = ">=3.10,<3.13"' in project


@pytest.mark.parametrize(
    "target", ["setup", "demo", "test", "lab", "lint", "site", "studies", "notebooks", "lock", "clean"]
)
def test_make_knows_its_targets(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  {target} +\S", shown, re.MULTILINE)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    assert re.search(r"^make test\b", script.read_text(encoding="utf-8"), re.MULTILINE)
