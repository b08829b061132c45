"""What readers of other courses complain about most, one test a complaint: none of it may be said of this one.

The ten complaints come from public threads about notebooks and tutorials. Each test applies its check to the whole
course, and then to a copy in which what the readers met has been planted.
"""

from __future__ import annotations

import copy
import hashlib
import re
import shutil
from collections.abc import Callable
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from sys import version_info

import nbformat
import pytest
import yaml
from harmed_lessons import LESSONS, found, notebook, planted, reworded, with_code
from loose_pins import loose_entries, loose_installs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from test_cli_help import commands

import exercises
import lock
import notebook_code
import notebook_policy as policy
import notebooks as tool
from notebook_cells import prose_cells
from oddemo.course.registry import EXERCISES
from oddemo.lanes.registry import find_lane
from oddemo.lanes.scripts.oddemo_odapi.shims import ABSENT
from website.source_links import broken as broken_links
from website.source_links import local_targets

ROOT = Path(__file__).resolve().parents[1]
SOLUTIONS = sorted(exercises.SOLUTIONS.glob("*.ipynb"))
PYTHON = f"{version_info.major}.{version_info.minor}"
#: Files by which somebody gets to a running oddemo.
WAYS_IN = ("README.md", "docs/ways_in.md", "Makefile", "tools/setup.sh", ".binder/postBuild", ".ci/run")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_1_it_ran_last_week_and_today_a_newer_version_breaks_it() -> None:
    text = read("requirements.lock")
    assert len(text) > 100_000
    assert loose_entries(text) == []
    assert loose_entries(re.sub(r"(?m)^(numpy==\S+).*\n(    --hash.*\n)+", r"\1\n", text))
    assert loose_entries(text.replace("\npyyaml==", "\npyyaml>="))
    assert [line for name in WAYS_IN for line in loose_installs(read(name))] == []
    assert loose_installs("python -m pip install -U numpy")
    assert loose_installs("pip install -r requirements.lock")
    assert found(notebook_code.installs_nothing, among=LESSONS + SOLUTIONS) == []
    assert planted(notebook_code.installs_nothing, with_code("!pip install -q -U numpy"))
    assert planted(notebook_code.installs_nothing, with_code("%pip install tf-models-official"))


@cache
def wishes() -> dict[str, list[Requirement]]:
    """What each package of the lock asks for, told from its own metadata where that version is installed."""
    locked = lock.versions(read("requirements.lock"), PYTHON)
    asked = {
        canonicalize_name(one.name): map(Requirement, one.requires or ())
        for one in distributions()
        if locked.get(canonicalize_name(one.name)) == one.version
    }
    return {name: [wish for wish in every if lock.applies(wish, PYTHON)] for name, every in asked.items()}


def unmet(versions: dict[str, str]) -> list[str]:
    """What the packages of a set of versions ask for and do not get in it."""
    missing = []
    for name in versions.keys() & wishes().keys():
        for wish in wishes()[name]:
            got = versions.get(canonicalize_name(wish.name))
            if got is None or not wish.specifier.contains(got, prereleases=True):
                missing.append(f"{name} asks for {wish}, gets {got}")
    return missing


def test_2_the_environment_cannot_be_made_as_it_is_written() -> None:
    text, versions = read("environment.yml"), lock.versions(read("requirements.lock"), lock.CONDA_PYTHON)
    assert lock.with_versions(text, versions) == text
    older = text.replace(f"numpy=={versions['numpy']}", "numpy==1.19.5")
    assert older != text == lock.with_versions(older, versions)
    name = yaml.safe_load(text)["name"]
    assert f"conda env create -f environment.yml && conda activate {name} " in read("README.md")
    here = lock.versions(read("requirements.lock"), PYTHON)
    assert len(wishes()) > 100
    assert unmet(here) == []
    assert unmet(here | {"numpy": "1.19.5"})
    assert unmet({name: version for name, version in here.items() if name != "pyyaml"})


def measured_line(one: nbformat.NotebookNode) -> bool:
    """Whether the stated budget is written as the tool writes what it measured."""
    stated = policy.BUDGET.search(one.cells[0].source)
    assert stated
    again = copy.deepcopy(one)
    tool.write_budget(again, seconds=int(stated[1]), peak_gb=float(stated[2]))
    return bool(again.cells[0].source == one.cells[0].source)


def test_3_it_is_too_slow_or_runs_out_of_memory() -> None:
    assert found(policy.opening, policy.small_outputs) == []
    assert [path.name for path in LESSONS if not measured_line(notebook(path))] == []
    assert "--nbval-cell-timeout=120" in read("tools/test.sh")
    stated = policy.BUDGET.search(notebook(LESSONS[0]).cells[0].source)
    assert stated
    for wrong in ("95 s, 1.0 GB", "30 s, 12.0 GB", "a while"):
        assert planted(policy.opening, reworded(f"{stated[1]} s, {stated[2]} GB", wrong))
    guessed = copy.deepcopy(notebook(LESSONS[0]))
    reworded(f"Budget: {stated[1]} s", "Budget: 42 s")(guessed.cells)
    assert not measured_line(guessed)


def stale_commands(text: str) -> list[str]:
    """Commands of a text, in backticks or indented, that oddemo does not know, or with options it does not take."""
    known = commands()
    stale = []
    for line in re.findall(r"(?:`|^    )oddemo ([a-z][^`\n]*)", text, re.MULTILINE):
        words = re.findall(r"^[a-z]+(?: [a-z]+)?", line)[0].split()
        name = next((one for one in (" ".join(words), words[0]) if one in known), None)
        groups = {one.split()[0] for one in known if " " in one}
        if name is None and line.strip() not in groups:
            stale.append(line)
        elif name is not None:
            takes_more = known[name].context_settings.get("ignore_unknown_options", False)
            options = {option for one in known[name].params for option in (*one.opts, *one.secondary_opts)}
            unknown = set(re.findall(r"(?<=\s)--[a-z-]+", line)) - options
            stale += [f"{line}: {one}" for one in sorted(unknown) if not takes_more]
    return stale


def prose(path: Path) -> str:
    return "\n\n".join(text for _, text in prose_cells(notebook(path)))


def test_4_text_and_notebook_disagree() -> None:
    assert found(policy.figures_with_numbers, policy.closing_asserts, policy.repeatable_outputs) == []
    assert planted(policy.figures_with_numbers, take_printed_lines)
    assert planted(policy.closing_asserts, lambda cells: cells.pop())
    strict = re.search(r"pytest --nbval .*\$found", read("tools/test.sh"))
    assert strict
    assert "lax" not in strict[0]
    assert "-maxdepth 1 -name '*.ipynb'" in read("tools/test.sh")
    texts = [read("README.md"), *map(prose, LESSONS)]
    assert sum(len(re.findall(r"(?:`|^    )oddemo [a-z]", text, re.MULTILINE)) for text in texts) > 20
    assert [line for text in texts for line in stale_commands(text)] == []
    assert stale_commands("`oddemo compare A B`")
    assert stale_commands("    oddemo audit --reference tfvision:A --against savedmodel:B")


def take_printed_lines(cells: list[nbformat.NotebookNode]) -> None:
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]


def changed_files(folder: Path) -> list[str]:
    """Files that are not what `SHA256SUMS` beside them says, or are not there."""
    sums = [line.split("  ") for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert sums
    there = {name for _, name in sums if (folder / name).is_file()}
    same = {one for digest, one in sums if one in there and digest == _sha256(folder / one)}
    return sorted({name for _, name in sums} - same)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_5_the_data_set_has_moved_or_wants_an_account(tmp_path: Path) -> None:
    assert changed_files(ROOT / "data") == []
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "sample")
    shutil.copy(ROOT / "data" / "SHA256SUMS", tmp_path)
    (tmp_path / "sample" / "inspection" / "label_map.pbtxt").unlink()
    picture = next((tmp_path / "sample").rglob("*.jpg"))
    picture.write_bytes(picture.read_bytes()[:-1])
    assert len(changed_files(tmp_path)) == 2
    assert found(notebook_code.fetches_nothing, among=LESSONS + SOLUTIONS) == []
    for source in (
        "place = 'https://example.org/data.zip'",
        "import gdown",
        "import tensorflow_datasets as tfds\ntfds.load('voc')",
        "from getpass import getpass",
        "key = 'ROBOFLOW_API_KEY'",
    ):
        assert planted(notebook_code.fetches_nothing, with_code(source)), source


def unsolved(lessons: Path) -> list[str]:
    """Exercises without a solution or a lesson, and solutions that nobody is asked for."""
    names = {kind: {path.name for path in (lessons / kind).glob("*.ipynb")} for kind in ("exercises", "solutions")}
    there = {path.name for path in lessons.glob("*.ipynb")}
    return sorted((names["exercises"] ^ names["solutions"]) | (names["exercises"] - there))


def test_6_solutions_are_missing_or_wrong(tmp_path: Path) -> None:
    assert len(SOLUTIONS) > 10
    assert unsolved(ROOT / "notebooks") == []
    for kind in ("exercises", "solutions"):
        (tmp_path / kind).mkdir()
    shutil.copy(LESSONS[0], tmp_path)
    shutil.copy(exercises.EXERCISES / LESSONS[0].name, tmp_path / "exercises")
    assert unsolved(tmp_path) == [LESSONS[0].name]
    # The judges run every solution in tests/test_exercises.py: here, that none is without a judge, or out of step.
    asked = [one for path in SOLUTIONS for one, _ in exercises.checks_of(notebook(path))]
    assert asked == list(EXERCISES)
    assert [str(finding) for path in SOLUTIONS for finding in exercises.findings(path)] == []
    harmed = copy.deepcopy(notebook(SOLUTIONS[0]))
    harmed.cells[0].source += "\nMore."
    nbformat.write(harmed, tmp_path / "solutions" / SOLUTIONS[0].name)
    assert [one.rule for one in exercises.findings(tmp_path / "solutions" / SOLUTIONS[0].name)] == ["in_step"]
    # And a lesson leads to them: it has the file beside it in this folder.
    unlinked = copy.deepcopy(notebook(LESSONS[0]))
    for cell in unlinked.cells:
        cell.source = re.sub(r" More to do: \[.*", "", cell.source)
    nbformat.write(unlinked, tmp_path / LESSONS[0].name)
    assert [one.rule for one in policy.check(tmp_path / LESSONS[0].name)] == ["exercise"]
    assert [str(one) for path in LESSONS for one in policy.check(path) if one.rule == "exercise"] == []


def hard_to_build(versions: dict[str, str]) -> list[str]:
    """What is known to fail when it is built with Cython 3, or has to be compiled at all."""
    old = [f"pyyaml {versions['pyyaml']}"] if Version(versions.get("pyyaml", "99")) < Version("6.0.1") else []
    return old + sorted({"cython", "lvis", "avro-python3"} & set(versions))


def test_7_the_object_detection_api_will_not_build() -> None:
    text = find_lane("odapi").lock.read_text(encoding="utf-8")
    versions = lock.versions(text, find_lane("odapi").python)
    assert "tf-object-detection-api" in versions
    assert loose_entries(text) == []
    assert hard_to_build(versions) == []
    assert hard_to_build(versions | {"pyyaml": "5.3"}) == ["pyyaml 5.3"]
    # What the API asks for and an SSD never calls is not installed, so it cannot fail to build either.
    assert {canonicalize_name(name) for name in ABSENT} & set(versions) == set()
    # tf-models-official gets every version that it asks for.
    here = lock.versions(read("requirements.lock"), PYTHON)
    assert hard_to_build({name: version for name, version in here.items() if name != "cython"}) == []
    assert not [line for line in unmet(here) if line.startswith("tf-models-official ")]
    assert [line for line in unmet(here | {"pyyaml": "5.3"}) if line.startswith("tf-models-official ")]


def unlisted(text: str) -> list[str]:
    """Lessons to which the README's text does not lead."""
    there = set(local_targets(text))
    return [path.name for path in LESSONS if f"notebooks/{path.name}" not in there]


def test_8_a_notebook_or_a_link_is_not_there(tmp_path: Path) -> None:
    pages = [*LESSONS, *SOLUTIONS, *exercises.EXERCISES.glob("*.ipynb"), ROOT / "README.md", *ROOT.glob("docs/*.md")]
    assert broken_links(ROOT, [page.relative_to(ROOT) for page in pages]) == []
    (tmp_path / "page.md").write_text("# A\n\n[b](gone.ipynb), [c](#a), [d](#z)\n", encoding="utf-8")
    assert broken_links(tmp_path, [Path("page.md")]) == ["page.md: gone.ipynb", "page.md: #z"]
    assert unlisted(read("README.md")) == []
    assert unlisted(read("README.md").replace(f"](notebooks/{LESSONS[3].name})", "]")) == [LESSONS[3].name]


def test_9_a_step_is_missing_and_nobody_ran_it_from_top_to_bottom() -> None:
    assert found(policy.executed_in_order, policy.nothing_skipped) == []
    assert found(notebook_code.names_in_order, among=LESSONS + SOLUTIONS) == []
    cells = notebook(LESSONS[0]).cells
    steps = [place for place, cell in enumerate(cells) if cell.cell_type == "code"]
    needed = [place for place in steps if planted(notebook_code.names_in_order, without(place))]
    # Most cells make what a later one uses; the doctor's and the last make nothing.
    assert len(needed) > len(steps) / 2
    assert not {steps[0], steps[-1]} & set(needed)
    assert all(planted(policy.executed_in_order, without(place)) for place in steps[:-1])
    assert planted(policy.nothing_skipped, with_code("# NBVAL_" + "SKIP\nprint(1)"))


def without(place: int) -> Callable[[list[nbformat.NotebookNode]], object]:
    return lambda cells: cells.pop(place)


def test_10_is_there_an_example_that_actually_works() -> None:
    assert found(policy.doctor_first, notebook_code.imports_what_is_there, among=LESSONS + SOLUTIONS) == []
    assert found(policy.clean_outputs) == []
    assert planted(policy.doctor_first, lambda cells: cells.pop(1))
    assert planted(notebook_code.imports_what_is_there, with_code("from object_detection.utils import label_map_util"))
    assert planted(notebook_code.imports_what_is_there, with_code("from oddemo.audit.run import audits"))
    failed = nbformat.v4.new_output("error", ename="ModuleNotFoundError", evalue="no module", traceback=[])
    assert planted(policy.clean_outputs, lambda cells: cells[1].outputs.append(failed))


@pytest.mark.parametrize("number", range(1, 11))
def test_each_of_the_ten_has_a_test(number: int) -> None:
    assert len([name for name in globals() if name.startswith(f"test_{number}_")]) == 1
