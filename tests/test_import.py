"""Importing is cheap, and imports run one way: this is the architecture, as a test."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "oddemo"
#: What takes seconds or hundreds of megabytes, and so is imported inside the functions that need it.
HEAVY = {
    "IPython", "ai_edge_litert", "albumentations", "cleanlab", "faster_coco_eval", "h5py", "imblearn", "ipywidgets",
    "jupyterlab", "keras", "matplotlib", "nbformat", "official", "orbit", "pandas", "pycocotools", "ray", "seaborn",
    "sklearn", "tensorflow", "tensorflow_datasets", "tf_keras",
}  # fmt: skip

#: Modules of the ground floor: everybody may use them, they use one another alone.
BASE = {"__init__", "environment", "errors", "files", "machine", "progress", "provenance", "quiet"}
#: The rooms in the order of the data's way. A room may import itself, the ground floor and the rooms before it.
ROOMS = ("data", "metrics", "detect", "export", "audit", "study")
#: Rooms that stand on the ground floor alone and that some of the others may import.
LANES_FOR = ("audit", "study")
#: Beside the rooms: who they may import.
BESIDE = {
    "lanes": (),
    "doctor": (),
    "room": ("data", "detect", "lanes", "doctor"),
    "plots": ("data", "metrics"),
    # The exercises of the course: the top room, which may look into every other; nobody but its notebooks looks in.
    "course": (*ROOMS, "lanes", "doctor", "plots"),
    "viewers": ("data", "metrics", "detect", "audit", "plots"),
    "touch": (*ROOMS, "plots"),
    "clinic": ("data", "metrics", "detect", "export", "audit"),
    "cli": (*ROOMS, "lanes", "doctor", "room", "plots", "viewers", "clinic"),
    "__main__": ("cli",),
}
#: These run in environments of their own, without oddemo; what each may import is in the lock of its lane.
SCRIPTS = PACKAGE / "lanes" / "scripts"

PROBE = """
import importlib, json, pkgutil, sys
before = set(sys.modules)
import oddemo
alone = sorted({name.split(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
loaded, seen = {}, set(sys.modules)
for module in pkgutil.walk_packages(oddemo.__path__, "oddemo."):
    if module.name != "oddemo.__main__":
        importlib.import_module(module.name)
        loaded[module.name] = sorted({name.split(".")[0] for name in set(sys.modules) - seen})
        seen = set(sys.modules)
print(json.dumps({"alone": alone, "loaded": loaded}))
"""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.fixture(scope="module")
def imports() -> dict[str, dict[str, list[str]]]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return found


def test_the_package_alone_imports_nothing_else(imports: dict[str, dict[str, list[str]]]) -> None:
    assert imports["alone"] == ["oddemo"]


def test_no_module_imports_a_heavy_library(imports: dict[str, dict[str, list[str]]]) -> None:
    assert len(imports["loaded"]) > 20
    heavy = {name: sorted(HEAVY & set(loaded)) for name, loaded in imports["loaded"].items()}
    assert {name: loaded for name, loaded in heavy.items() if loaded} == {}


def place(module: str) -> str:
    """Return the room, or the module of the ground floor, that a dotted name is in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def may_import(place_from: str, place_to: str) -> bool:
    if place_to in BASE or place_from == place_to:
        return True
    if place_to == "lanes" and place_from in LANES_FOR:
        return True
    if place_from in ROOMS:
        return place_to in ROOMS[: ROOMS.index(place_from)]
    return place_to in BESIDE.get(place_from, ())


def imported(source: str) -> list[tuple[int, str]]:
    """Return (line, module of oddemo) of every import in a source text, those inside functions too."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are written from the top: from oddemo.… import …"
            names = [f"oddemo.{alias.name}" for alias in node.names] if node.module == "oddemo" else [node.module or ""]
            found += [(node.lineno, name) for name in names]
    return [(line, name) for line, name in found if name.split(".")[0] == "oddemo"]


def test_imports_run_one_way() -> None:
    wrong = []
    for path in modules():
        relative = path.relative_to(PACKAGE)
        here = relative.parts[0].removesuffix(".py")
        assert here in BASE or here in ROOMS or here in BESIDE, f"{relative}: say in this test where {here} stands"
        for line, name in imported(path.read_text(encoding="utf-8")):
            # `from oddemo import __version__` is the package itself.
            if name != "oddemo.__version__" and not may_import(here, place(name)):
                wrong.append(f"oddemo/{relative}:{line}: {here} may not import {name}")
    assert wrong == []


def test_every_library_that_is_imported_is_declared() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = {canonicalize_name(name) for name in re.findall(r'"([A-Za-z][\w.-]*)[^"]*[><=]=', project)}
    declared.add("protobuf")  # TensorFlow's own; a range of ours beside TensorFlow's would bend the lock
    sources = metadata.packages_distributions()
    undeclared = []
    for path in modules():
        if path.is_relative_to(SCRIPTS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for top in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"oddemo"}:
                if not {canonicalize_name(source) for source in sources.get(top, [])} & declared:
                    undeclared.append(f"{path.relative_to(ROOT)}: {top}")
    assert sorted(set(undeclared)) == []


def test_scripts_of_the_lanes_import_what_is_locked_for_a_lane_and_nothing_of_oddemo() -> None:
    own = {path.name for path in SCRIPTS.iterdir() if (path / "__init__.py").is_file()}
    locked = {"tensorflow", "numpy", "object_detection", "tf_slim", "google", "PIL"}
    locked |= {"keras", "h5py", "flatbuffers"}  # what TensorFlow brings along in every lane
    texts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.py")}
    assert len(texts) > 5
    wrong = []
    for path, text in texts.items():
        # The oldest Python that a lane or a user's machine has.
        for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            tops = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - own - locked
            wrong += [f"{path.relative_to(ROOT)}: {top}" for top in tops]
    assert wrong == []


def test_the_arrows_are_no_decoration() -> None:
    assert may_import("audit", "lanes")
    assert not may_import("lanes", "audit")
    assert not may_import("data", "lanes")
    assert may_import("audit", "detect")
    assert not may_import("detect", "audit")
    assert not may_import("errors", "data")
    assert not may_import("data", "cli")
    assert may_import("course", "study")
    assert not may_import("course", "cli")
    assert not may_import("study", "course")
    assert not may_import("cli", "course")
    assert imported("def f():\n    from oddemo.audit import x") == [(2, "oddemo.audit")]
    assert imported("from oddemo import doctor") == [(1, "oddemo.doctor")]


def test_modules_are_small_and_named_after_their_job() -> None:
    folders = (PACKAGE, ROOT / "tests", ROOT / "tools")
    files = [path for folder in folders for path in folder.rglob("*.py")]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    nameless = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py", "functions.py"}
    assert [path.name for path in files if path.name in nameless] == []
