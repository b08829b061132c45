"""`oddemo inspect` as a user calls it, and what it must not import."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from card_artefacts import field, made, node, saved_model, write_saved_model

from oddemo.export.cards import card_from_json
from oddemo.export.loading import every_target, parse_target

COMMAND = [sys.executable, "-W", "error", "-m", "oddemo", "inspect"]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )


def test_a_card_is_printed_with_where_it_was_found() -> None:
    done = run(made() / "combined")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in (
        "uint8 [?, ?, ?, 3]",
        "CombinedNonMaxSuppression",
        "0.45",
        "mean [123.675, 116.28, 103.53]",
        "Not found:",
    ):
        assert text in done.stdout
    assert "No operation that touches files" in done.stdout


def test_the_json_is_a_card() -> None:
    done = run(made() / "post.tflite", "--json")
    assert done.returncode == 0, done.stderr
    card = card_from_json(json.loads(done.stdout))
    assert card.value("nms_iou_threshold") == 0.55
    assert card.kind == "tflite"


def test_dangers_are_printed_before_anyone_loads_it() -> None:
    done = run(made() / "dangerous")
    assert done.returncode == 0, done.stderr
    assert "Not safe to load" in done.stdout
    for text in ("ReadFile reads files", "WriteFile writes files", "EagerPyFunc runs Python", "gs://elsewhere"):
        assert text in done.stdout


def test_two_paths_print_the_difference() -> None:
    done = run(made() / "combined", made() / "letterbox")
    assert done.returncode == 0, done.stderr
    for text in ("Channel order", "reversed inside", "Class ids start at another number", "All variables are equal."):
        assert text in done.stdout
    same = run(made() / "raw" / "w", made() / "trained")
    assert "No difference" in same.stdout


def test_two_paths_as_json() -> None:
    done = run(made() / "trained", made() / "averaged", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"first", "second", "differences", "weights"}
    assert told["weights"]["relation"] == "averaged"
    assert [difference["field"] for difference in told["differences"]] == ["weights"]
    assert set(told["differences"][0]) == {"field", "label", "stage", "first", "second", "meaning"}


def test_a_loader_that_a_file_is_not_for_is_told_from_one_that_fails(tmp_path: Path) -> None:
    """At 80 columns, with the status and the JSON that count the format's own loader."""
    done = run(made() / "combined", "--for", "all", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "✗" not in done.stdout
    rows = [line for line in done.stdout.splitlines() if "not for this" in line]
    assert len(rows) == len(every_target())
    for row, target in zip(rows, every_target(), strict=True):
        (runtime,) = target.runtimes
        assert row.split()[0] == runtime.tensorflow
        assert row.replace("│", " ").split()[1] == runtime.keras
        assert "✓ loads" in row
        assert len(row) <= 80
    assert any(line.startswith("– ") for line in done.stdout.splitlines())
    told = json.loads(run(made() / "combined", "--for", "tensorflow==2.15", "--json").stdout)["predictions"][0]
    assert (told["outcome"], told["readings"][1]["outcome"]) == ("loads", "fails")
    assert set(told["readings"][1]) == {"how", "outcome", "reasons"}
    # Of a model that Keras 2 wrote, that Keras 3 does not take it is a failure.
    of_keras = tmp_path / "m"
    shutil.copytree(made() / "combined", of_keras)
    (of_keras / "keras_metadata.pb").touch()
    said = run(of_keras, "--for", "tensorflow==2.21")
    assert said.returncode == 0
    assert "✗ fails with keras.models.load_model" in said.stdout
    assert "not for this" not in said.stdout


@pytest.mark.parametrize("arguments", [["nowhere"], ["."], [".", ".", "."], [__file__]])
def test_bad_input_ends_with_one_message_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    places = [tmp_path if argument == "." else argument for argument in arguments]
    done = run(*places)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("oddemo: ")
    assert "Traceback" not in done.stderr


def test_names_from_a_file_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    name = "\x1b[31mred\x1b]0;title\x07 [bold]x[/bold]"
    data = saved_model([node(name, "ReadFile")], [], {"out": f"{name}:0"})
    done = run(write_saved_model(tmp_path / "m", data))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "[bold]x[/bold]" in done.stdout


def test_numbers_that_json_cannot_write_are_text(tmp_path: Path) -> None:
    tensor = field(8, field(1, 1) + field(2, b"") + field(4, b"\x00\x00\xc0\x7f"))  # a float32 NaN
    nodes = [node("t", "Const", value=tensor), node("x", "NonMaxSuppressionV3", "b", "s", "m", "t", "t")]
    done = run(write_saved_model(tmp_path / "m", saved_model(nodes, [], {"out": "x:0"})), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["facts"]["nms_iou_threshold"]["value"] == "nan"


@pytest.mark.parametrize("name", ["combined", "post.tflite", "trained", "keras3.keras", "keras2.h5"])
def test_nothing_heavy_is_imported(name: str) -> None:
    code = (
        "import sys; from oddemo.export.cards import read_card; read_card(sys.argv[1]);"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'h5py', 'numpy', 'torch', 'google.protobuf'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(made() / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_inspect_itself_imports_no_tensorflow_and_is_quick() -> None:
    """Measured in processor time, which a busy machine does not change much; the wall time is in results/."""
    done = run(made() / "combined", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not {"tensorflow", "keras", "tf_keras", "h5py"} & imported
    before = os.times()
    run(made() / "combined")
    after = os.times()
    assert (after.children_user + after.children_system) - (before.children_user + before.children_system) < 1.0


def test_a_file_named_like_a_library_in_the_current_folder_is_not_run(tmp_path: Path) -> None:
    """HDF5 is read in a process of its own, which must not pick up what lies around the artefact."""
    marker = tmp_path / "ran"
    for library in ("h5py", "numpy", "json", "card"):
        (tmp_path / f"{library}.py").write_text(f"open({str(marker)!r}, 'w')")
    script = Path(sys.executable).with_name("oddemo")
    command = [str(script)] if script.exists() else COMMAND[:-1]
    done = subprocess.run(
        [*command, "inspect", str(made() / "keras3.h5")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not marker.exists()


@pytest.mark.parametrize(
    ("asked", "versions"),
    [
        ("tensorflow==2.16,keras==3.15.1", ("2.16", "3.15.1")),
        ("tensorflow-cpu==2.15", ("2.15", "2.15.0")),
        ("tf-keras==2.15.0, tensorflow==2.15.1", ("2.15.1", "2.15.0")),
    ],
)
def test_a_runtime_is_told_in_two_columns(asked: str, versions: tuple[str, str]) -> None:
    assert parse_target(asked).versions == versions
