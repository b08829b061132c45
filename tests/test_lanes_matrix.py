"""The stored version matrix is whole and says what its cells say; what stops a process is told apart."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from oddemo.errors import OddemoError
from oddemo.lanes import matrix
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.registry import find_lane

RESULT = Path(__file__).resolve().parents[1] / "results" / "version_matrix.json"


@pytest.fixture(scope="module")
def stored():
    return json.loads(RESULT.read_text(encoding="utf-8"))


def cell(stored, model, form, producer, consumer):
    wanted = (model, form, producer, consumer)
    (found,) = [
        one for one in stored["cells"] if (one["model"], one["format"], one["producer"], one["consumer"]) == wanted
    ]
    return found


def test_every_version_reads_what_every_version_wrote(stored):
    assert list(stored["lanes"]) == list(matrix.VERSIONS)
    places = [(one["producer"], one["consumer"], one["model"], one["format"]) for one in stored["cells"]]
    whole = {
        (first, second, model, form)
        for first in matrix.VERSIONS
        for second in matrix.VERSIONS
        for model in matrix.MODELS
        for form in matrix.FORMATS
    }
    assert set(places) == whole
    assert len(places) == len(whole) == stored["summary"]["cells"]


def test_the_summary_follows_from_the_cells(stored):
    assert stored["summary"]["outcomes"] == dict(Counter(one["outcome"] for one in stored["cells"]))
    for one in stored["cells"]:
        if one["outcome"] == "same":
            assert one["difference"] <= stored["same_within"]
        elif one["outcome"] == "changed":
            assert one["error"] or one["difference"] > stored["same_within"]
        else:
            assert one["outcome"] in {"fails", "aborts", "not_made"}
            assert one["error"]
            assert one["difference"] is None


def test_the_versions_are_those_of_the_locks(stored):
    for name, versions in stored["lanes"].items():
        lock = find_lane(name).lock.read_text(encoding="utf-8")
        assert f"tensorflow-cpu=={versions['tensorflow']} " in lock
        assert f"numpy=={versions['numpy']} " in lock
        assert f"keras=={versions['keras']} " in lock


def test_it_holds_what_the_course_teaches(stored):
    """Keras generations do not read each other's files; a checkpoint then restores nothing and says nothing."""
    assert cell(stored, "detector", "saved_model", "tf2.21", "tf2.12")["outcome"] == "same"
    assert cell(stored, "detector", "keras", "tf2.15", "tf2.16")["outcome"] == "fails"
    silent = cell(stored, "detector", "checkpoint", "tf2.15", "tf2.18")
    assert silent["outcome"] == "changed"
    assert silent["difference"] > 1.0
    assert cell(stored, "detector", "checkpoint_asserted", "tf2.15", "tf2.18")["outcome"] == "fails"
    assert cell(stored, "pictures_in", "h5", "tf2.15", "tf2.18")["outcome"] == "changed"


def test_a_model_reads_its_own_files_in_its_own_version(stored):
    for version in matrix.VERSIONS:
        for form in ("code", "saved_model", "keras", "h5", "weights_h5", "checkpoint", "tflite"):
            assert cell(stored, "detector", form, version, version)["outcome"] == "same", (version, form)


def lines(path: Path, *entries: dict[str, object], cut: str = "") -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + cut)
    return path


def test_a_process_that_aborts_is_a_result_and_an_interruption_is_none(tmp_path):
    done = {"name": "a/h5", "outcome": "runs", "difference": 0.0}
    begun = {"name": "a/tflite", "outcome": "begun"}
    path = lines(tmp_path / "x.jsonl", done, begun, cut='{"name": "a/ke')
    assert set(matrix._read(path)) == {"a/h5"}
    found = matrix._read(path, ended=-signal.SIGABRT)
    assert found["a/tflite"]["outcome"] == "aborts"
    assert "SIGABRT" in found["a/tflite"]["error"]


def test_a_killed_process_stops_the_matrix(tmp_path):
    """Real: an interpreter that is killed while it works, as by a machine without memory."""
    killer = tmp_path / "python"
    killer.write_text(f"#!{sys.executable}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    killer.chmod(0o755)

    class Killed:
        lane = find_lane("tf2.15")
        python = killer

    with pytest.raises(OddemoError, match="was stopped"):
        matrix._lines(Killed(), "produce", tmp_path / "w", ["tf2.15/detector/h5"])


def test_errors_are_told_without_the_machine(tmp_path):
    code = (
        "import sys, pathlib; from oddemo_matrix.__main__ import told;"
        "error = OSError(f'{sys.argv[1]}/m.h5 and {sys.prefix}/lib/x.py running on myhost. See /some/where/file.py');"
        "print(told(error, pathlib.Path(sys.argv[1])))"
    )
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.startswith("OSError: FOLDER/m.h5 and ENVIRONMENT")
    assert "myhost" not in done.stdout
    assert "/some" not in done.stdout


def test_what_was_foreseen_is_counted_from_the_cells(stored):
    cells = [matrix.Cell(**one) for one in stored["cells"]]
    assert matrix.summary_of(cells) == stored["summary"]
    foreseen = [one for one in cells if one.predicted is not None]
    assert {one.format for one in foreseen} == set(matrix.FILES)
    assert len(foreseen) == sum(one.format in matrix.FILES and one.outcome != "not_made" for one in cells)
    assert stored["summary"]["agreement"] >= 0.98
    assert stored["summary"]["false_will_load"] == 0
    for one in foreseen:
        assert one.because or one.predicted == "same", one


def test_every_kind_of_miss_is_counted():
    def one(outcome, predicted, form="keras"):
        return matrix.Cell("detector", form, "tf2.15", "tf2.18", outcome, predicted=predicted)

    cells = [one("same", "same"), one("aborts", "fails"), one("fails", "same"), one("aborts", "changed")]
    cells += [one("changed", "same"), one("same", "fails"), one("same", "unknown"), one("not_made", None)]
    summary = matrix.summary_of(cells)
    assert (summary["cells"], summary["predicted_cells"], summary["agreement"]) == (8, 7, 2 / 7)
    assert (summary["false_will_load"], summary["false_will_fail"]) == (2, 1)
    assert (summary["missed_changes"], summary["no_claim"]) == (1, 1)
    assert "agreement" not in matrix.summary_of([one("same", None)])


def test_predictions_are_asked_for_files_only_and_held_out_lanes_are_in_no_table(tmp_path):
    from oddemo.export.loading.offers import keras_versions, tensorflow_versions

    class Reader:
        lane = find_lane("tf2.18")
        versions = {"tensorflow": "2.18.1", "keras": "3.15.1"}  # noqa: RUF012

    asked = []

    def foresee(form, path, versions):
        asked.append((form, path.relative_to(tmp_path).as_posix(), versions["tensorflow"]))
        return "fails", "because"

    cells = [matrix.Cell("detector", form, "tf2.15", "tf2.18", "same") for form in ("code", "keras")]
    found = [matrix._with_prediction(cell, tmp_path, [Reader()], foresee) for cell in cells]
    assert [cell.predicted for cell in found] == [None, "fails"]
    assert asked == [("keras", "tf2.15/detector/keras/model.keras", "2.18.1")]
    asked_keras = set(keras_versions())
    for name in matrix.HELD_OUT:  # their Keras is in no table, whatever TensorFlow it stands beside
        (keras,) = re.findall(r"^keras==(\S+) ", find_lane(name).lock.read_text(encoding="utf-8"), re.MULTILINE)
        assert keras not in asked_keras
    for name in (*matrix.VERSIONS, *matrix.ASKED):
        locked = find_lane(name).lock.read_text(encoding="utf-8")
        assert any(f"tensorflow-cpu=={version} " in locked for version in tensorflow_versions())
        assert any(f"\nkeras=={version} " in locked for version in asked_keras)


def test_the_second_test_of_predictions_is_whole_and_of_versions_that_nobody_had_asked():
    told = json.loads(RESULT.with_name("version_matrix_second_test.json").read_text(encoding="utf-8"))
    cells = [matrix.Cell(**one) for one in told["cells"]]
    pairs = {(one.producer, one.consumer) for one in cells}
    assert pairs == {(a, b) for a in told["lanes"] for b in told["lanes"] if {a, b} & {"tf2.13", "tf2.17"}}
    assert len(cells) == len(pairs) * len(matrix.MODELS) * len(matrix.FORMATS)
    assert told["summary"] == matrix.summary_of(cells)
    assert told["summary"]["false_will_load"] == 0
    # Every other miss is one that docs/lanes.md names.
    missed = {(one.format, *sorted((one.producer, one.consumer))) for one in cells if one.predicted and not one.agrees}
    assert missed == {
        ("weights_h5", "tf2.12", "tf2.13"),
        ("weights_h5", "tf2.13", "tf2.13"),
        ("keras", "tf2.13", "tf2.13"),
        ("weights_h5", "tf2.15", "tf2.17"),
    }


def test_the_files_are_those_that_the_lanes_write():
    code = "import json; from oddemo_matrix.produce import FORMATS as f; print(json.dumps({k: f[k][0] for k in f}))"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert {form: file for form, file in json.loads(done.stdout).items() if file} == matrix.FILES
