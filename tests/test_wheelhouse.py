"""The kit for rooms without network: what belongs into it, and when it refuses. Nothing is downloaded here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import wheelhouse
from oddemo.errors import OddemoError
from wheel_target import Entry, Target, entries
from wheelhouse import kept

ROOT = Path(__file__).resolve().parents[1]
LOCK = wheelhouse.LOCK.read_text(encoding="utf-8")
HERE = Target(f"3.{sys.version_info.minor}")
ABOUT = "python={python}\ncommit=abc\ninstalled_mb={mb}\nplatform=here\n"


def test_the_kit_for_here_is_what_is_installed_here() -> None:
    wanted = {entry.name: entry.version for entry in entries(LOCK, HERE)}
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    assert len(wanted) > 200
    assert {name: installed.get(name) for name in wanted} == wanted


def test_markers_are_asked_of_the_target_and_not_of_this_machine() -> None:
    mac, arm, old = (
        {entry.name: entry.version for entry in entries(LOCK, target)}
        for target in (Target("3.12", "macosx_14_0_arm64"), Target("3.12", "manylinux_2_28_aarch64"), Target("3.10"))
    )
    assert "appnope" in mac
    assert "array-record" not in mac
    assert "array-record" in arm
    assert "appnope" not in arm
    assert "exceptiongroup" in old
    assert "exceptiongroup" not in arm
    assert old["numpy"] != arm["numpy"]


def test_every_package_has_one_version_and_hashes() -> None:
    wanted = entries(LOCK, HERE)
    assert len({entry.name for entry in wanted}) == len(wanted)
    for entry in wanted:
        assert entry.hashes
        assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one in entry.hashes)
        assert ";" not in entry.line()
        assert entry.line().count("--hash=sha256:") == len(entry.hashes) == LOCK_HASHES[entry.name, entry.version]


def count_hashes() -> dict[tuple[str, str], int]:
    """(Name, version) → hashes, counted line by line as the lock is written."""
    found: dict[tuple[str, str], int] = {}
    now = ("", "")
    for line in LOCK.splitlines():
        if line.startswith("    --hash"):
            found[now] = found.get(now, 0) + 1
        else:
            name, _, version = line.split(" ")[0].partition("==")
            now = (canonicalize_name(name), version)
    return found


LOCK_HASHES = count_hashes()


def test_pip_is_told_every_name_of_a_platform() -> None:
    assert HERE.is_here
    assert HERE.options() == []
    options = Target("3.12", "manylinux_2_28_x86_64").options()
    assert {"manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"} <= set(options)
    assert options[:2] == ["--python-version", "3.12"]
    assert Target("3.12", "macosx_14_0_arm64").options()[-2:] == ["--platform", "macosx_14_0_arm64"]


@pytest.mark.parametrize(
    "wrong", [("3.9", ""), ("3.11", "windows"), ("3.11", "manylinux_2_28"), ("3.11", "../x_arm64")]
)
def test_other_targets_are_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(OddemoError, match="no such kit"):
        Target(*wrong)


def test_a_wheel_counts_if_it_is_whole(tmp_path: Path) -> None:
    content = b"a wheel"
    entry = Entry("tf-slim", "1.1.0", frozenset({hashlib.sha256(content).hexdigest()}))
    assert kept(entry, tmp_path) is None
    (tmp_path / "wheels").mkdir()
    wheel = tmp_path / "wheels" / "tf_slim-1.1.0-py2.py3-none-any.whl"
    wheel.write_bytes(content)
    assert kept(entry, tmp_path) == wheel
    assert kept(Entry("tf-slim", "1.1.1", entry.hashes), tmp_path) is None
    assert kept(Entry("tf-slam", "1.1.0", entry.hashes), tmp_path) is None
    wheel.write_bytes(content[:3])
    assert kept(entry, tmp_path) is None
    assert not wheel.exists()


def test_a_wheel_built_here_counts_without_a_hash_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    wheel = tmp_path / "built" / "seqeval-1.2.2-py3-none-any.whl"
    wheel.write_bytes(b"built")
    assert kept(Entry("seqeval", "1.2.2", frozenset({"0" * 64})), tmp_path) == wheel


def test_without_room_it_refuses_and_downloads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheelhouse.refuse_full_disk(tmp_path / "not" / "there", 10, 10)
    monkeypatch.setattr(wheelhouse, "KIT_MB", 10**12)
    wheelhouse.refuse_full_disk(tmp_path, 0, 10)
    with pytest.raises(OddemoError, match="too little space"):
        wheelhouse.refuse_full_disk(tmp_path, 1, 10)
    monkeypatch.setattr(sys, "argv", ["wheelhouse.py", "--out", str(tmp_path / "kit")])
    assert wheelhouse.main() == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_project_in_the_kit_is_that_of_the_commit(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        with pytest.raises(OddemoError, match="commit is not known"):
            wheelhouse.project(tmp_path)
        return
    commit = wheelhouse.project(tmp_path)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert head.startswith(commit)
    with tarfile.open(tmp_path / "oddemo.tar.gz") as archive:
        names = set(archive.getnames())
    assert {"oddemo/pyproject.toml", "oddemo/requirements.lock", "oddemo/notebooks/00_start_here.ipynb"} <= names
    assert not any(name.startswith("oddemo/runs") for name in names)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit without wheels: enough to be refused for every reason."""
    folder = tmp_path / "kit"
    folder.mkdir()
    shutil.copyfile(wheelhouse.INSTALLER, folder / wheelhouse.INSTALLER.name)
    (folder / "ABOUT").write_text(ABOUT.format(python=HERE.python, mb=1))
    (folder / "oddemo.tar.gz").write_bytes(b"no archive")
    write_checksums(folder)
    return folder


def write_checksums(folder: Path) -> None:
    (folder / "CHECKSUMS").write_text("\n".join(wheelhouse.checksums(folder)) + "\n")


def install(kit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(kit / wheelhouse.INSTALLER.name), str(kit.parent / "room"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=kit.parent)


def test_the_script_is_valid_shell() -> None:
    subprocess.run(["sh", "-n", str(wheelhouse.INSTALLER)], check=True)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("unfinished", "this kit is not whole"),
        ("python", "this kit is for Python 3.99"),
        ("taken", "is not empty"),
        ("room", "MB are needed"),
        ("damaged", "are damaged"),
    ],
)
def test_the_script_refuses_before_it_installs(kit: Path, what: str, said: str) -> None:
    if what == "unfinished":
        (kit / "CHECKSUMS").unlink()
    if what == "python":
        (kit / "ABOUT").write_text(ABOUT.format(python="3.99", mb=1))
    if what == "taken":
        (kit.parent / "room").mkdir()
        (kit.parent / "room" / "mine").touch()
    if what == "room":
        (kit / "ABOUT").write_text(ABOUT.format(python=HERE.python, mb=10**12))
    if what == "damaged":
        (kit / "oddemo.tar.gz").write_bytes(b"not even that")
    done = install(kit, sys.executable)
    assert done.returncode == 2, done
    assert said in done.stderr
    assert "  do: " in done.stderr
    assert not (kit.parent / "room" / ".venv").exists()


def test_a_whole_kit_gets_past_its_checks(kit: Path) -> None:
    done = install(kit, sys.executable)
    assert "Checking the kit\nUnpacking the project (commit abc)\n" in done.stdout
    assert done.returncode != 0  # there is no project in this one
