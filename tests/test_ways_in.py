"""All ways in name the same Python and the same pins, and every file and command that they name is there."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import lock
from lock import tomllib
from oddemo.cli import _register, app
from website.source_links import headings

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "ways_in.md").read_text(encoding="utf-8")
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
BINDER = ROOT / ".binder"
#: Files by which somebody gets to a running oddemo.
WAYS = (
    "docs/ways_in.md",
    ".devcontainer/devcontainer.json",
    ".binder/runtime.txt",
    ".binder/requirements.txt",
    ".binder/postBuild",
    "environment.yml",
    "Makefile",
    "tools/setup.sh",
    ".ci/run",
    "README.md",
)


def commands(text: str) -> list[str]:
    """Return the lines of a page's blocks of commands; those of a notebook's cell without their exclamation mark."""
    blocks = re.findall(r"```(?:console|ipython)\n(.*?)```", text, re.DOTALL)
    return [line.lstrip("!") for block in blocks for line in block.splitlines() if line]


def written(way: str) -> str:
    return (ROOT / way).read_text(encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
def test_no_way_names_a_python_that_is_not_tested(way: str) -> None:
    named = set(re.findall(r"\bpython[-=:]?(3\.\d+)", written(way))) | set(re.findall(r"Python (3\.\d+)", written(way)))
    assert named <= set(lock.PYTHONS)


@pytest.mark.parametrize("way", WAYS)
def test_every_pin_is_the_locks(way: str) -> None:
    locked = lock.versions(written("requirements.lock"), lock.CONDA_PYTHON)
    pins = [Requirement(text) for text in re.findall(r"\b[a-z][a-z0-9-]*==\d[\d.]*\d", written(way))]
    pins += [Requirement(f"tensorflow=={version}") for version in re.findall(r"TensorFlow (2\.\d+\.\d+)", written(way))]
    if way != "README.md":  # whose tables name the versions that were compared
        assert [str(pin) for pin in pins if locked[pin.name] not in pin.specifier] == []
    assert pins or way != "environment.yml"


def test_where_one_python_is_named_it_is_the_same() -> None:
    python = lock.CONDA_PYTHON
    assert CONTAINER["image"] == f"python:{python}"
    assert CONTAINER["postCreateCommand"] == f"make setup PYTHON=python{python}"
    assert (BINDER / "runtime.txt").read_text(encoding="utf-8") == f"python-{python}\n"
    assert yaml.safe_load(written("environment.yml"))["dependencies"][0] == f"python={python}"
    assert f"it is {python}." in PAGE
    assert [line for line in commands(PAGE) if line == f"python{python} -m venv .venv"]


def test_binder_installs_the_lock_and_then_oddemo_alone() -> None:
    entries = [line for line in written(".binder/requirements.txt").splitlines() if not line.startswith("#")]
    assert entries == ["-r ../requirements.lock"]
    assert (BINDER / "../requirements.lock").is_file()
    post = BINDER / "postBuild"
    assert post.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(post)], check=True)
    assert "pip install --no-deps --no-build-isolation -e .\n" in post.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["docs/ways_in.md", "tools/setup.sh", "Makefile"])
def test_the_lock_is_never_installed_without_its_hashes(way: str) -> None:
    lines = [line for line in written(way).splitlines() if "install" in line and "-r requirements.lock" in line]
    assert [line for line in lines if "--require-hashes" not in line] == []
    assert lines or way == "Makefile"


def test_every_command_of_the_page_exists() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^  (\w+) ", shown, re.MULTILINE))
    text = "\n".join([*commands(PAGE), CONTAINER["postCreateCommand"], *re.findall(r"`make (\w+)`", PAGE)])
    used = set(re.findall(r"\bmake (\w+)", text))
    assert used
    assert used <= targets
    _register()
    known = {command.name: command.callback for command in app.registered_commands}
    called = re.findall(r"oddemo (\w+)((?: --?\w+ \S+)*)$", text, re.MULTILINE)
    assert {name for name, _ in called} == {"doctor", "demo"}
    for name, options in called:
        taken = {f"--{one}" for one in inspect.signature(known[name]).parameters}
        assert set(re.findall(r"--\w+", options)) <= taken
    files = re.findall(r"(?:-r|-f) (\S+)", text)
    assert sorted(set(files)) == ["environment.yml", "requirements.lock"]
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_the_page_says_of_every_way_whether_it_was_tried() -> None:
    rows = re.findall(r"^\| \[(.+?)\]\(#(.+?)\) \| (.+?) \|$", PAGE, re.MULTILINE)
    sections = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    assert {name for name, _, _ in rows} == sections
    assert {anchor for _, anchor, _ in rows} <= headings(PAGE)
    assert all(re.search(r"^(by|not tried (here|there))", tried) for _, _, tried in rows)


def test_the_cell_for_colab_is_python_but_for_its_commands() -> None:
    (cell,) = re.findall(r"```ipython\n(.*?)```", PAGE, re.DOTALL)
    compile("\n".join(line for line in cell.splitlines() if not line.startswith("!")), "cell", "exec")
    for line in cell.splitlines():
        if line.startswith("!"):
            shell = re.sub(r"\{[\w.]+\}", "python3", line[1:])
            subprocess.run(["bash", "-n"], input=shell, text=True, check=True)


def test_the_lock_suits_pip_which_heeds_what_a_package_says_of_python() -> None:
    # uv overlooks an upper bound in Requires-Python; pip finds no such release at all.
    constraints = tomllib.loads(written("pyproject.toml"))["tool"]["uv"]["constraint-dependencies"]
    for python in lock.PYTHONS:
        locked = lock.versions(written("requirements.lock"), python)
        for constraint in map(Requirement, constraints):
            assert locked[constraint.name] in constraint.specifier
