"""The rows of a workshop's room: each with what it says of a machine that has it, and of one that has not."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from oddemo import room
from oddemo.doctor import CHECKOUT, Check, examine
from oddemo.files import read_json

OK, WARN, FAIL = (Check(status, status, "", "", "" if status == "OK" else "mend") for status in ("OK", "WARN", "FAIL"))


@pytest.fixture
def taken_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


def test_here_nothing_fails_without_the_run() -> None:
    rows = tuple(room.examine_room(run=False))
    assert [row for row in rows if row.status == "FAIL"] == []
    assert {row.id for row in rows} == {"notebook", "temporary", "browser", "port", "offline", "wheelhouse"}
    assert not {row.id for row in rows} & {row.id for row in examine()}


def test_the_command_runs_the_detector_and_says_one_sentence() -> None:
    command = [sys.executable, "-m", "oddemo", "doctor", "--room"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("This machine is ready for the workshop")
    assert any(line.startswith(("[OK]   speed", "[WARN] speed")) and "4 pictures" in line for line in lines)


def test_without_the_option_nothing_of_it_is_said() -> None:
    done = subprocess.run([sys.executable, "-m", "oddemo", "doctor"], capture_output=True, text=True, check=False)
    assert "port" not in done.stdout.split()
    assert "This machine" not in done.stdout


def test_a_browser_is_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(room, "MACOS_OPENER", str(tmp_path / "none"))
    assert room.find_browser() is None
    (tmp_path / "firefox").write_text("#!/bin/sh\n")
    (tmp_path / "firefox").chmod(0o755)
    assert room.find_browser() == "firefox"
    assert [room.browser_check(found).status for found in ("firefox", None)] == ["OK", "WARN"]


def test_a_taken_port_is_no_obstacle_and_no_port_is(taken_port: int) -> None:
    assert not room.port_is_free(taken_port)
    check = room.port_check(taken_port, 20)
    assert (check.status, check.found) == ("WARN", f"{taken_port} is taken")
    assert room.port_check(taken_port, 0).status == "FAIL"


def test_what_the_notebooks_read_is_here_and_missed_where_it_is_not(tmp_path: Path) -> None:
    here = room.offline_check(CHECKOUT, ("tf2.18",))
    assert here.status == "OK"
    assert here.found.endswith("lanes: tf2.18")
    assert "none made" in room.offline_check(CHECKOUT, ()).found
    missing = room.offline_check(tmp_path, ())
    assert missing.status == "FAIL"
    assert all(pattern in missing.found for pattern in room.NEEDED)


def test_a_wheelhouse_is_of_this_lock_or_it_is_said(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.4.6\n")
    house = tmp_path / "wheelhouse"
    assert room.wheelhouse_check(house, lock).status == "OK"
    (house / "wheels").mkdir(parents=True)
    (house / "CHECKSUMS").touch()
    assert room.wheelhouse_check(house, lock).status == "WARN"
    (house / "requirements.lock").write_text("numpy==2.4.5\n")
    assert room.wheelhouse_check(house, lock).status == "WARN"
    (house / "requirements.lock").write_text("numpy==2.4.6\n")
    (house / "wheels" / "a.whl").write_bytes(bytes(2_000_000))
    found = room.wheelhouse_check(house, lock)
    assert (found.status, found.found) == ("OK", "1 wheels, 2 MB")


@pytest.mark.parametrize(("times", "status"), [(0.5, "OK"), (3.0, "OK"), (3.1, "WARN"), (9.0, "WARN")])
def test_a_slow_machine_is_told_how_slow(times: float, status: str) -> None:
    measured = {"load_s": 1.5, "detect_s": 0.5, "processor_s": 2.5}
    wall = {"import_s": 1.0, "load_s": times, "detect_s": times, "processor_s": 2.5}
    check = room.speed_check(wall, measured)
    assert check.status == status
    processor = {"import_s": 1.0, "load_s": 1.0, "detect_s": 1.0, "processor_s": times * 2.5}
    assert room.speed_check(processor, measured).status == status
    assert ("times slower" in check.found) == (status == "WARN")
    assert status == "OK" or f"about {times:.0f} times" in check.do


def test_a_run_that_fails_is_named_by_its_last_line() -> None:
    assert room.time_tiny_run("import no_such_module") == "ModuleNotFoundError: No module named 'no_such_module'"
    assert "printed no seconds" in str(room.time_tiny_run("print('no')"))
    none = (
        "import json; print(json.dumps({'load_s': 1, 'detect_s': 1, 'import_s': 1, 'processor_s': 1, 'detections': 0}))"
    )
    assert "finds nothing" in str(room.time_tiny_run(none))
    measured = {"load_s": 1.5, "detect_s": 0.5, "processor_s": 2.5}
    assert room.speed_check("ModuleNotFoundError", measured).status == "FAIL"


def test_the_measured_run_is_kept_with_where_it_is_from() -> None:
    kept = read_json(room.MEASURED)
    assert kept["pictures"] == room.PICTURES
    for part in ("import_s", "load_s", "detect_s", "processor_s"):
        assert kept[part] == statistics.median(turn[part] for turn in kept["turns"]) > 0
    assert len(kept["turns"]) >= 3
    assert max(turn["others"] for turn in kept["turns"]) < 0.05
    assert {"commit", "versions", "machine", "date"} <= set(kept["provenance"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((OK,), "This machine is ready for the workshop."),
        ((OK, WARN), "This machine is ready for the workshop; look at WARN."),
        ((OK, WARN, FAIL), "This machine is not ready for the workshop: FAIL."),
    ],
)
def test_one_sentence_is_read_aloud(rows: tuple[Check, ...], said: str) -> None:
    assert room.said_aloud(rows) == said


def test_a_full_memory_fails_in_json_and_in_the_exit_status(tmp_path: Path) -> None:
    changed = "from oddemo import doctor, machine, room\n"
    changed += "room.free_memory_gb = lambda: 0.5\nroom.time_tiny_run = lambda: 'left out'\n"
    changed += "from oddemo.cli import main\nimport sys\nsys.argv = ['oddemo', 'doctor', '--room', '--json']\nmain()\n"
    done = subprocess.run(
        [sys.executable, "-c", changed], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [check["id"] for check in report["checks"] if check["status"] == "FAIL"] == ["notebook", "speed"]
