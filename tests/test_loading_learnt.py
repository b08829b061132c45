"""What was learnt from tests of prediction: forms of a Keras model's ends, and weights of 8 bits in TFLite files.

The scripts that ask the lanes run here too, in this environment: two ways to the same tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from card_artefacts import made

from oddemo.export.cards.tflite_model import parse_tflite
from oddemo.export.loading import Prediction, predict
from oddemo.export.loading.keras_forms import form_of
from oddemo.export.loading.offers import keras_table, keras_versions, runtimes, tensorflow_versions
from oddemo.lanes.probe_file import SCRIPTS

HERE = "2.20.0"
ASK = """
import json, sys
from pathlib import Path
from oddemo_offers import dynamic, forms

folder = Path(sys.argv[1])
told = {"forms": forms.forms_taken(folder), "delegated": dynamic.write_models(folder)}
print(json.dumps(told | {"distances": dynamic.distances(folder)}))
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with the files that the scripts wrote here, and what they said."""
    folder = tmp_path_factory.mktemp("asked")
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    command = [sys.executable, "-W", "ignore", "-c", ASK, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def rules(found: Prediction) -> set[str]:
    return {reason.rule for reason in found.readings[0].reasons}


def test_this_keras_takes_the_forms_that_the_table_says(asked: tuple[Path, dict[str, Any]]) -> None:
    assert asked[1]["forms"] == keras_table()["forms"]["3.15.1"]


def test_the_table_knows_a_keras_that_refuses_a_form_and_others_that_take_it() -> None:
    taken = {version: set(forms["archive"]["input_layers"]) for version, forms in keras_table()["forms"].items()}
    assert set(taken) == set(keras_versions())
    assert all("listed" in forms for forms in taken.values())
    assert {"flat" in forms for forms in taken.values()} == {True, False}


@pytest.mark.parametrize("container", ["archive", "h5"])
def test_a_form_is_refused_where_the_table_says_so(asked: tuple[Path, dict[str, Any]], container: str) -> None:
    """Real files of this Keras, in which one end of the model was put into another form."""
    suffix = ".keras" if container == "archive" else ".h5"
    for version, forms in keras_table()["forms"].items():
        for key in ("input_layers", "output_layers"):
            for form in ("flat", "listed", "named"):
                found = predict(asked[0] / f"{key}_{form}{suffix}", f"tensorflow=={HERE},keras=={version}")
                # The other end is as this Keras writes it, which is flat.
                refused = "flat" not in forms[container]["output_layers"] or form not in forms[container][key]
                assert ("form_refused" in rules(found)) == refused, (version, key, form)
                assert found.outcome != "loads" if refused else True


def test_the_flat_form_of_a_newer_keras_is_said_with_its_place(asked: tuple[Path, dict[str, Any]]) -> None:
    found = predict(asked[0] / "own.keras", "tensorflow==2.16.2,keras==3.3.3")
    assert found.outcome == "fails"
    reason = next(one for one in found.readings[0].reasons if one.rule == "form_refused")
    assert "input_layers names them as one flat list" in reason.text
    assert reason.found_at == "probe.input_layers"
    assert predict(asked[0] / "own.keras", f"tensorflow=={HERE}").outcome == "loads"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (["given", 0, 0], "flat"),
        ([["given", 0, 0]], "listed"),
        ([["a", 0, 0], ["b", 0, 1]], "listed"),
        ({"a": ["a", 0, 0]}, "named"),
        ([], "listed"),
        ([[["a", 0, 0]]], None),
        (["given", 0], None),
        (["given", 0, "0"], None),
        ({"a": [["a", 0, 0]]}, None),
        (None, None),
        (7, None),
    ],
)
def test_forms_are_told_apart(value: object, form: str | None) -> None:
    assert form_of(value) == form


def test_a_form_that_nobody_was_asked_about_is_left_open(asked: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    import zipfile

    config = json.loads(zipfile.ZipFile(asked[0] / "own.keras").read("config.json"))
    config["config"]["input_layers"] = [[[["given", 0, 0]]]]
    with zipfile.ZipFile(asked[0] / "own.keras") as own, zipfile.ZipFile(tmp_path / "m.keras", "w") as other:
        for name in own.namelist():
            other.writestr(name, json.dumps(config) if name == "config.json" else own.read(name))
    found = predict(tmp_path / "m.keras", f"tensorflow=={HERE}")
    assert (found.outcome, rules(found)) == ("unknown", {"form_unknown"})


def test_this_tflite_runtime_has_the_delegate_that_the_table_says(asked: tuple[Path, dict[str, Any]]) -> None:
    table = runtimes()["dynamic_range"]
    assert asked[1]["delegated"] == {op: HERE in entry["delegated"] for op, entry in table.items()}
    assert {True, False} == set(asked[1]["delegated"].values())
    for ways in asked[1]["distances"].values():
        assert ways == {"default": 0.0, "plain": 0.0}, "a file here, again"


def test_without_delegates_every_version_computes_the_same() -> None:
    """What the delegate changes is a delegate's doing: without it nothing but files that do not open are left out."""
    for op, entry in runtimes()["dynamic_range"].items():
        having = runtimes()["tflite"][op]
        for writer, same in entry["same_without_delegates"].items():
            assert writer in same
            assert writer in entry["same"][writer]
            assert set(entry["same"][writer]) <= set(same)
            opening = [version for version in tensorflow_versions() if having[version][1] >= having[writer][1]]
            assert set(opening) <= set(same), (op, writer)


def test_a_file_with_weights_of_8_bits_changes_where_the_table_says_so(asked: tuple[Path, dict[str, Any]]) -> None:
    found = set()
    for op, entry in runtimes()["dynamic_range"].items():
        path = asked[0] / f"{op}.tflite"
        assert parse_tflite(path.read_bytes()).converter == HERE
        for target in tensorflow_versions():
            told = predict(path, f"tensorflow=={target}")
            changes = target not in entry["same"][HERE]
            assert ("dynamic_range" in rules(told)) == changes
            if changes and told.outcome != "fails":
                assert told.outcome == "changes"
                assert f"which converted the file{'; TFLite hands' if target in entry['delegated'] else ''}" in str(
                    told.readings[0].reasons[0].text
                )
            found.add(told.outcome)
    assert found == {"loads", "changes", "fails"}


def test_without_the_converter_s_version_it_cannot_be_told(asked: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    data = (asked[0] / "CONV_2D.tflite").read_bytes()
    for name, one in {
        "none": data.replace(b"CONVERSION_METADATA", b"CONVERSION_METADATX"),
        "old": data.replace(HERE.encode(), b"1.15.0"),
    }.items():
        assert one != data
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(one)
        found = predict(path, "tensorflow==2.18")
        assert (found.outcome, rules(found)) == ("unknown", {"dynamic_range"})
    assert "names no converter" in str(
        predict(tmp_path / "none.tflite", "tensorflow==2.18").readings[0].reasons[0].text
    )
    shutil.copy(asked[0] / "DEPTHWISE_CONV_2D.tflite", tmp_path / "own_kernels.tflite")
    for target in tensorflow_versions():
        assert predict(tmp_path / "own_kernels.tflite", f"tensorflow=={target}").outcome == "loads"


def test_files_of_floats_and_of_whole_numbers_are_no_matter() -> None:
    for target in tensorflow_versions():
        for name in ("float32.tflite", "int8.tflite"):
            assert "dynamic_range" not in rules(predict(made() / name, f"tensorflow=={target}"))
        has = target not in runtimes()["dynamic_range"]["CONV_2D"]["same"][HERE]
        assert ("dynamic_range" in rules(predict(made() / "dynamic.tflite", f"tensorflow=={target}"))) == has
