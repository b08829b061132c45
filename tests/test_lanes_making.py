"""Lanes are made whole or not at all: by real uv, from a lock of one small package, without network.

The package is a wheel that the test builds; everything else is what a lane with TensorFlow goes through.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from oddemo.errors import OddemoError
from oddemo.lanes.cache import copies_of, find_made, lanes_root, place_of
from oddemo.lanes.making import make_lane, remove_lane
from oddemo.lanes.registry import LANES, Lane, find_lane
from oddemo.lanes.running import run_in_lane

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
#: What runs in the lane: says its versions, tells a log that it ran, and waits if it is asked to.
MAIN = """
import json, os, pathlib, platform, sys, time
if "LANE_LOG" in os.environ:
    with open(os.environ["LANE_LOG"], "a") as log:
        log.write("ran\\n")
time.sleep(float(os.environ.get("LANE_WAIT", "0")))
if sys.argv[1:] == ["fail"]:
    sys.exit("it went wrong")
print(json.dumps({"python": platform.python_version(), "tiny": "1.0"}))
"""


def tiny_wheel(folder: Path) -> Path:
    files = {
        "tiny/__init__.py": "",
        "tiny/__main__.py": MAIN,
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "tiny-1.0.dist-info/RECORD"
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text)}")
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, record: "\n".join([*lines, f"{record},,", ""])}.items():
            archive.writestr(name, text)
    return path


def lane_of(folder: Path, digest: str | None = None) -> Lane:
    wheel = tiny_wheel(folder)
    known = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "tiny.txt").write_text(f"tiny @ {wheel.as_uri()} \\\n    --hash=sha256:{known}\n")
    return Lane("tiny", "for a test", ("tiny==1.0",), module="tiny", size_mb=1, python=PYTHON, locks=folder)


@pytest.fixture
def lane(tmp_path, monkeypatch) -> Lane:
    monkeypatch.setenv("ODDEMO_LANES", str(tmp_path / "lanes"))
    # Nothing here may need the network, and nothing that was kept earlier may help.
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return lane_of(tmp_path)


def left_over(lane: Lane) -> list[str]:
    return [path.name for path in lanes_root().iterdir() if path.is_dir() and path != place_of(lane)]


def test_a_lane_is_made_runs_and_is_removed(lane):
    assert find_made(lane) is None
    made = make_lane(lane)
    assert made.versions["tiny"] == "1.0"
    assert made.versions["python"].startswith(PYTHON)
    assert json.loads(run_in_lane(made, ["versions"], what="asking"))["tiny"] == "1.0"
    assert left_over(lane) == []
    assert remove_lane(lane) == [made.folder]
    assert find_made(lane) is None
    assert remove_lane(lane) == []


def test_one_that_is_there_is_used_again(lane, tmp_path, monkeypatch):
    monkeypatch.setenv("LANE_LOG", str(tmp_path / "log"))
    first, second = make_lane(lane), make_lane(lane)
    assert (first.folder, first.seconds) == (second.folder, second.seconds)
    assert (tmp_path / "log").read_text() == "ran\n"


def test_another_lock_or_python_is_another_place(lane, tmp_path):
    before = place_of(lane)
    assert place_of(replace(lane, python="3.9")) != before
    (tmp_path / "tiny.txt").write_text((tmp_path / "tiny.txt").read_text() + "\n")
    assert place_of(lane) != before


def test_a_failing_script_is_told_with_its_own_words(lane):
    with pytest.raises(OddemoError, match="it went wrong") as caught:
        run_in_lane(make_lane(lane), ["fail"], what="Recording failed")
    assert caught.value.problem == "Recording failed."


def start(lane: Lane, **environment: str) -> subprocess.Popen[str]:
    told = {"name": lane.name, "module": lane.module, "size_mb": 1, "python": lane.python, "locks": str(lane.locks)}
    code = (
        "import json, pathlib, sys; from oddemo.lanes.registry import Lane; from oddemo.lanes.making import make_lane;"
        "told = json.loads(sys.argv[1]); told['locks'] = pathlib.Path(told['locks']);"
        "print(make_lane(Lane(meaning='', requirements=(), **told)).folder)"
    )
    command = [sys.executable, "-c", code, json.dumps(told)]
    place = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        command, env=os.environ | place | environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never came")


def test_a_killed_installation_is_never_used_and_is_cleared_away(lane, tmp_path):
    log = tmp_path / "log"
    with start(lane, LANE_LOG=str(log), LANE_WAIT="300") as process:
        wait_for(log)  # everything is installed by now, only the last step is missing
        os.killpg(process.pid, signal.SIGKILL)
    assert find_made(lane) is None
    assert len(left_over(lane)) == 1
    assert make_lane(lane).folder == place_of(lane)
    assert left_over(lane) == []


def test_two_at_once_make_it_once(lane, tmp_path):
    log = tmp_path / "log"
    processes = [start(lane, LANE_LOG=str(log), LANE_WAIT="1") for _ in range(2)]
    printed = [process.communicate()[0].strip() for process in processes]
    assert printed == [str(place_of(lane))] * 2
    assert log.read_text() == "ran\n"


@pytest.mark.parametrize("damage", ["no stamp", "half a stamp", "another key", "no interpreter"])
def test_a_damaged_lane_is_made_again(lane, damage):
    made = make_lane(lane)
    stamp = made.folder / "lane.json"
    if damage == "no stamp":
        stamp.unlink()
    elif damage == "half a stamp":
        stamp.write_bytes(stamp.read_bytes()[:20])
    elif damage == "another key":
        stamp.write_text(stamp.read_text().replace(lane.key, "0" * 16))
    else:
        made.python.unlink()
        made.python.symlink_to(made.folder / "uninstalled")
    assert find_made(lane) is None
    assert copies_of(lane) == [made.folder]
    again = make_lane(lane)
    assert run_in_lane(again, ["versions"], what="asking")
    assert left_over(lane) == []


def refused(lane: Lane, match: str) -> OddemoError:
    with pytest.raises(OddemoError, match=match) as caught:
        make_lane(lane)
    assert find_made(lane) is None
    assert copies_of(lane) == []
    assert caught.value.do
    return caught.value


def test_a_package_with_another_hash_is_refused(lane, tmp_path):
    error = refused(lane_of(tmp_path, digest="0" * 64), "not the one that the lock names")
    assert "0" * 64 in str(error)


def test_without_network_it_says_so(lane, tmp_path):
    (tmp_path / "tiny.txt").write_text(find_lane("tf2.15").lock.read_text())
    refused(lane, "cannot be reached")


def test_a_missing_python_is_named(lane):
    assert "3.99" in str(refused(replace(lane, python="3.99"), "Python that it needs is not there"))


def test_too_small_a_disk_is_refused_before_anything_is_fetched(lane):
    refused(replace(lane, size_mb=10**9), "too little space")


def test_a_folder_that_cannot_be_written_is_refused(lane, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ODDEMO_LANES", str(tmp_path / "file"))
    with pytest.raises(OddemoError, match="cannot be written"):
        make_lane(lane)


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
def test_every_lock_pins_everything_with_hashes_and_names_no_place(lane):
    text = lane.lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    for entry in entries:
        head, *hashes = entry.split("\n")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^/@:]+)? \\", head), head
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
    pinned = {entry.split(" ")[0] for entry in entries}
    assert {wish for wish in (*lane.requirements, *lane.alone) if "==" in wish} <= pinned


def test_a_lane_that_does_not_exist_is_refused():
    with pytest.raises(OddemoError, match=r"tf2\.12.*odapi"):
        find_lane("tf1")


def test_no_lane_s_folders_are_taken_for_those_of_another(tmp_path, monkeypatch):
    """`tf2.18` and `tf2.18+keras3.7` lie side by side; removing one leaves the other."""
    monkeypatch.setenv("ODDEMO_LANES", str(tmp_path))
    for lane in LANES:
        (tmp_path / f"{lane.name}-{lane.key}").mkdir()
        (tmp_path / f"{lane.name}-older").mkdir()
    for lane in LANES:
        assert {path.name for path in copies_of(lane)} == {f"{lane.name}-{lane.key}", f"{lane.name}-older"}
