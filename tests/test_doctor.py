"""The doctor's rows for every kind of finding, and its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oddemo import doctor, machine
from oddemo.environment import LEGACY_KERAS, LOG_LEVEL
from oddemo.errors import OddemoError

TESTED = {"numpy": "2.4.6", "scipy": "1.17.1"}


def run(*options: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oddemo", "doctor", *options]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **changes}, check=False)


def test_here_nothing_fails() -> None:
    checks = doctor.examine()
    assert [check for check in checks if check.status == "FAIL"] == []
    assert {"python", "core", "tf", "keras", "memory", "disk", "cores", "sample", "detectors"} <= {c.id for c in checks}
    assert len({check.id for check in checks}) == len(checks)


@pytest.mark.parametrize(
    ("version", "status"), [((3, 9), "FAIL"), ((3, 10), "OK"), ((3, 12), "OK"), ((3, 13), "FAIL"), ((4, 11), "FAIL")]
)
def test_python_is_one_of_the_tested(version: tuple[int, int], status: str) -> None:
    assert doctor.python_check(version, tuple(doctor.tested_versions())).status == status


def test_packages_as_tested_are_fine() -> None:
    assert doctor.group_check("core", TESTED, dict(TESTED)).status == "OK"


def test_extras_for_makers_of_pages_are_no_matter_where_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = {
        f"3.{minor}": {"site": {"no-such-package": "1.0"}, "data": {"neither-this": "1.0"}} for minor in range(99)
    }
    monkeypatch.setattr(doctor, "tested_versions", lambda: tested)
    ids = [check.id for check in doctor.examine()]
    assert "data" in ids
    assert "site" not in ids


def test_another_version_is_a_warning_that_names_both() -> None:
    check = doctor.group_check("core", TESTED, {"numpy": "1.26.0", "scipy": "1.17.1"})
    assert (check.status, check.found) == ("WARN", "numpy 1.26.0 (tested 2.4.6)")


@pytest.mark.parametrize(("group", "status"), [("core", "FAIL"), ("tf", "WARN")])
def test_a_missing_package_says_how_to_get_it(group: str, status: str) -> None:
    check = doctor.group_check(group, TESTED, {"numpy": None, "scipy": "1.17.1"})
    assert (check.status, check.found) == (status, "numpy missing")
    assert "pip install 'oddemo" in check.do


@pytest.mark.parametrize(
    ("tensorflow", "tf_keras", "flag", "status", "do"),
    [
        ("2.20.0", "2.20.1", None, "OK", ""),
        ("2.20.0", "2.20.1", "1", "OK", ""),
        ("2.20.0", "2.20.1", "0", "FAIL", "unset TF_USE_LEGACY_KERAS"),
        ("2.20.0", "2.19.0", None, "FAIL", "pip install 'tf-keras==2.20.*'"),
        ("2.20.0", None, None, "FAIL", "pip install 'tf-keras==2.20.*'"),
        (None, None, None, "WARN", "make setup"),
    ],
)
def test_keras_2_goes_with_tensorflow(
    tensorflow: str | None, tf_keras: str | None, flag: str | None, status: str, do: str
) -> None:
    check = doctor.keras_check(tensorflow, tf_keras, flag)
    assert (check.status, check.do) == (status, do)


@pytest.mark.parametrize(
    ("found_gb", "status"), [(8.0, "OK"), (4.0, "OK"), (3.9, "WARN"), (2.0, "WARN"), (1.9, "FAIL")]
)
def test_amounts_have_two_limits(found_gb: float, status: str) -> None:
    assert doctor.amount_check("memory", found_gb, (4.0, 2.0), "make room").status == status


def test_the_machine_is_measured() -> None:
    assert 0.1 < machine.free_memory_gb() < 100_000
    assert 1 <= machine.usable_cores() <= (os.cpu_count() or 1)


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory.stat").write_text("anon 300000000\nfile 900000000\n")
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert machine.free_memory_gb() == pytest.approx(0.7)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory_gb() > 0.7


def test_files_of_the_checkout_are_looked_for(tmp_path: Path) -> None:
    missing = doctor.files_check("sample", "data/*/a.txt", "a sample", tmp_path)
    assert (missing.status, missing.do) == ("WARN", "run from a clone of the repository")
    (tmp_path / ".git").mkdir()
    assert doctor.files_check("sample", "data/*/a.txt", "a sample", tmp_path).do == "git checkout -- data"
    (tmp_path / "data" / "one").mkdir(parents=True)
    (tmp_path / "data" / "one" / "a.txt").touch()
    found = doctor.files_check("sample", "data/*/a.txt", "a sample", tmp_path)
    assert (found.status, found.found) == ("OK", "data/one")


def test_an_import_that_fails_is_named_by_its_last_line() -> None:
    assert doctor.deep_check("import json").status == "OK"
    check = doctor.deep_check("import no_such_module")
    assert (check.status, check.found) == ("FAIL", "ModuleNotFoundError: No module named 'no_such_module'")


def test_a_row_that_is_not_fine_says_what_to_do() -> None:
    with pytest.raises(OddemoError, match="a step unless it is OK"):
        doctor.Check("cores", "WARN", "1", "2")


def test_the_verdict_is_the_worst_row() -> None:
    fine, warn = doctor.Check("a", "OK", "", ""), doctor.Check("b", "WARN", "", "", "wait")
    fail = doctor.Check("c", "FAIL", "", "", "mend")
    assert [doctor.verdict(rows) for rows in ((fine,), (fine, warn), (fail, warn))] == ["fine", "warn", "fail"]


def test_the_first_cell_prints_one_fixed_line_and_prepares_the_process() -> None:
    program = f"""
import os, sys
from oddemo.doctor import doctor
doctor()
print(os.environ["{LEGACY_KERAS}"], os.environ["{LOG_LEVEL}"], "tensorflow" in sys.modules, file=sys.stderr)
"""
    environment = {name: value for name, value in os.environ.items() if name not in (LEGACY_KERAS, LOG_LEVEL)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == doctor.READY + "\n"
    assert done.stderr == "1 3 False\n"


def test_the_first_cell_names_what_will_not_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEGACY_KERAS, "0")
    doctor.doctor()
    assert capsys.readouterr().out == "[FAIL] keras: TF_USE_LEGACY_KERAS=0 → unset TF_USE_LEGACY_KERAS\n"


def test_the_command_shows_every_check_and_exits_0() -> None:
    done = run()
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith("[")]) == len(doctor.examine())


def test_the_command_exits_1_and_says_so_in_json() -> None:
    done = run("--json", **{LEGACY_KERAS: "0"})
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["verdict"] == "fail"
    assert [check["id"] for check in report["checks"] if check["status"] == "FAIL"] == ["keras"]


def test_the_commands_help_ends_with_an_example() -> None:
    assert "Example: oddemo doctor --deep" in run("--help").stdout
