"""What is tracked is small, clean, links to what exists, and knows nothing of the machine that it was made on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

import oddemo

ROOT = Path(__file__).resolve().parents[1]
#: Left out where there is no git to ask: what .gitignore names.
IGNORED = re.compile(
    r"(^|/)(\.venv|\.git|\.[a-z]+_cache|\.cache|\.hypothesis|__pycache__|build|dist|runs|\.ipynb_checkpoints)(/|$)"
)
BINARY = {".jpg", ".jpeg", ".png", ".npz", ".tflite", ".pb", ".tfrecord", ".index", ".keras", ".h5"}
CHECKPOINT = re.compile(r"^data/.+/ckpt-\d+\.data-\d{5}-of-\d{5}$")
MB = 1_000_000
# Written so that this file does not find itself.
REGISTRIES = r"pythonhost[e]d\.org|pyp[i]\.org/simple|de[b]\.debian\.org|registry\.npm[j]s|anacond[a]\.org"
PLACES = r"(?<![\w.\]])(/roo[t]/|/(hom[e]|User[s]|wor[k]|tm[p])/[A-Za-z]|/opt/pyp[i])"
FOREIGN = {"a package registry's address": REGISTRIES, "a path of a machine": PLACES}


def project_files() -> list[Path]:
    """Return the files that are tracked or would be, relative to the top."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0 and (ROOT / ".git").exists():
        names = [Path(name) for name in done.stdout.split("\0") if name]
    else:
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        names = [name for name in names if not IGNORED.search(name.as_posix())]
    return sorted(name for name in names if (ROOT / name).is_file())


FILES = project_files()
TEXTS = [name for name in FILES if name.suffix not in BINARY and not CHECKPOINT.match(name.as_posix())]


def read(name: Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_there_is_something_to_look_at() -> None:
    assert len(TEXTS) > 50
    assert Path("README.md") in FILES
    assert Path("LICENSE") in FILES


@pytest.mark.parametrize("meaning", FOREIGN)
def test_no_file_knows_the_machine_or_an_index(meaning: str) -> None:
    pattern = re.compile(FOREIGN[meaning])
    found = [f"{name}: {match.group()}" for name in TEXTS for match in [pattern.search(read(name))] if match]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    index, path = (re.compile(pattern) for pattern in FOREIGN.values())
    assert index.search("https://pypi" + ".org/simple/numpy")
    assert path.search("in /tm" + "p/abc")
    assert path.search('"/hom' + 'e/ada/x"')
    assert not path.search("../hom" + "e/ada")


def test_files_are_small() -> None:
    sizes = {name.as_posix(): (ROOT / name).stat().st_size for name in FILES}
    assert {name: size for name, size in sizes.items() if size > MB and not CHECKPOINT.match(name)} == {}
    assert {name: size for name, size in sizes.items() if size > 3 * MB} == {}


def test_text_is_utf8_with_lf_and_one_closing_newline() -> None:
    wrong = []
    for name in TEXTS:
        data = (ROOT / name).read_bytes()
        text = data.decode("utf-8")
        if b"\r" in data:
            wrong.append(f"{name}: carriage return")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            wrong.append(f"{name}: expected one newline at the end")
        if name.suffix != ".ipynb" and name.name != "LICENSE" and re.search(r"[ \t]+$", text, re.MULTILINE):
            wrong.append(f"{name}: blanks at the end of a line")
        if name.suffix == ".py" and "\t" in text:
            wrong.append(f"{name}: tab")
    assert wrong == []


def links(text: str) -> list[str]:
    """Return the targets of a Markdown text's links and pictures, code left out."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(<?([^)>\s]+)>?(?: \"[^\"]*\")?\)", prose) + re.findall(
        r"(?:src|href)=\"([^\"]+)\"", prose
    )
    return [target for target in targets if not re.match(r"[a-z]+:|#", target)]


def test_links_between_files_resolve() -> None:
    assert links("[a](b.md) `[c](d.md)` ![e](f/g.png) [h](https://i.org) [j](#k)") == ["b.md", "f/g.png"]
    broken = [
        f"{name}: {target}"
        for name in FILES
        if name.suffix == ".md"
        for target in links(read(name))
        if not (ROOT / name.parent / target.split("#")[0]).exists()
    ]
    assert broken == []


def test_the_version_is_the_same_everywhere() -> None:
    project = re.search(r'^version = "(.+)"$', read(Path("pyproject.toml")), re.MULTILINE)
    assert project
    version = project[1]
    assert str(Version(version)) == version == oddemo.__version__
    assert yaml.safe_load(read(Path("CITATION.cff")))["version"] == version
    changes = read(Path("CHANGELOG.md"))
    assert re.search(r"^## \[Unreleased\]$", changes, re.MULTILINE)
    released = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE)
    assert released or f"On the way to {version}." in changes


def workflows() -> list[Path]:
    return [name for name in FILES if name.as_posix().startswith(".github/") and name.suffix == ".yml"]


def test_workflows_are_yaml_with_versioned_actions_and_valid_shell() -> None:
    assert len(workflows()) >= 4
    for name in workflows():
        content = yaml.safe_load(read(name))
        for used in re.findall(r"uses: (\S+)", read(name)):
            assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", used), f"{name}: {used}"
        for job in content.get("jobs", {}).values():
            for step in job["steps"]:
                subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)


def test_scripts_are_valid_shell() -> None:
    for name in ("tools/setup.sh", "tools/test.sh", ".ci/run"):
        subprocess.run(["bash", "-n", str(ROOT / name)], check=True)


def test_the_tables_of_the_readme_are_what_the_results_say():
    import readme

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.filled(text) == text
    # It would say so if they were not.
    assert readme.filled(text.replace("0 of 232", "9 of 232")) == text
