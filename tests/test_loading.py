"""What is predicted of an artefact, from real files and graphs made by hand, held against what really happens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from card_artefacts import calls, field, function, made, node, oracle, write_saved_model

from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.loading import OUTCOMES, Reason, parse_target, predict
from oddemo.export.loading.offers import Runtime, keras_table, runtimes, standing_for, tensorflow_versions
from oddemo.export.loading.target import every_target

VERSIONS = Path(__file__).resolve().parents[1] / "data" / "versions"
TYPE_INT16, BFLOAT16 = field(6, 5), field(6, 14)


def rules(path: Path, target: str, reading: int = 0) -> set[str]:
    return {reason.rule for reason in predict(path, target).readings[reading].reasons}


def test_the_tables_say_what_this_tensorflow_registers() -> None:
    """The lane and this environment hold the same version: two ways to the same list."""
    (version,) = oracle()["registry"]
    listed = {op for op in oracle()["registry"][version] if not op.startswith("_")}
    assert set(Runtime(version, "3.15.1").operations) == listed
    older = set(Runtime("2.12.1", "2.12.0").operations)
    assert {"Conv2D", "NonMaxSuppressionV5"} <= older
    assert "DisableCopyOnRead" in older
    assert len(listed - older) > 10


def test_the_tables_name_the_lanes_that_were_asked() -> None:
    assert runtimes()["provenance"]["command"] == "python tools/lane_offers.py"
    assert tensorflow_versions() == tuple(sorted(tensorflow_versions(), key=lambda v: [int(n) for n in v.split(".")]))
    assert set(keras_table()["versions"]) == {one["keras"] for one in runtimes()["lanes"].values()}


def test_a_runtime_is_named_as_for_pip() -> None:
    (only,) = parse_target("tensorflow==2.15").runtimes
    assert (only.tensorflow, only.keras) == ("2.15.1", "2.15.0")
    (other,) = parse_target("tensorflow==2.16, keras==3.15.1").runtimes
    assert (other.tensorflow, other.keras) == ("2.16.2", "3.15.1")
    assert [parse_target(f"tensorflow=={one}").runtimes[0].keras for one in ("2.13", "2.17")] == ["2.13.1", "3.5.0"]
    between = parse_target("tensorflow==2.18,keras==3.7.0")
    assert [(one.tensorflow, one.keras) for one in between.runtimes] == [("2.18.1", "3.5.0"), ("2.18.1", "3.9.2")]
    assert "both agree" in str(between.note)
    assert parse_target("tensorflow==2.21.0,keras==3.15.1").note is None


@pytest.mark.parametrize("text", ["", "2.15", "tensorflow", "tensorflow>=2.15", "keras==3.3", "torch==2.1", "tf==2.15"])
def test_what_is_no_runtime_is_refused(text: str) -> None:
    with pytest.raises(OddemoError, match="runtime"):
        parse_target(text)


@pytest.mark.parametrize("text", ["tensorflow==1.15", "tensorflow==2.99", "tensorflow==2.15,keras==4.0"])
def test_nothing_is_said_of_versions_outside_of_the_table(text: str) -> None:
    with pytest.raises(OddemoError, match="Nothing is known"):
        parse_target(text)


def test_a_version_stands_for_its_minor_version_and_neighbours_for_one_in_between() -> None:
    known = ("2.12.1", "2.15.1", "2.16.2")
    assert standing_for("2.15.0", known) == ("2.15.1",)
    assert standing_for("2.13.0", known) == ("2.12.1", "2.15.1")
    assert standing_for("2.11.0", known) == standing_for("2.17.0", known) == ()


def graph(
    folder: Path, *nodes: bytes, functions: tuple[bytes, ...] = (), versions: bytes = b"", stripped: int = 1
) -> Path:
    """Write a SavedModel by hand."""
    graph_def = b"".join(field(1, one) for one in nodes) + field(2, b"".join(field(1, one) for one in functions))
    meta = field(1, field(4, "serve") + field(7, stripped)) + field(2, graph_def + field(4, versions))
    return write_saved_model(folder / "m", field(1, 1) + field(2, meta))


def test_an_operation_that_came_later_is_found_wherever_it_stands(tmp_path: Path) -> None:
    late = sorted(set(Runtime("2.21.0", "3.15.1").operations) - set(Runtime("2.20.0", "3.15.1").operations))[0]
    inner = function("f", ["a"], {"y": "z:0"}, [node("z", late, "a")])
    path = graph(tmp_path, node("x", "PartitionedCall", "a", f=calls("f")), functions=(inner,))
    assert predict(path, "tensorflow==2.21").outcome == "loads"
    old = predict(path, "tensorflow==2.20")
    assert (old.outcome, rules(path, "tensorflow==2.20")) == ("fails", {"op_not_registered"})
    assert old.readings[0].reasons[0].found_at == "z in f"
    assert rules(graph(tmp_path / "b", node("x", "MyOwnOp")), "tensorflow==2.21") == {"op_not_registered"}


def test_an_unknown_attribute_is_dropped_and_one_that_only_names_is_no_matter(tmp_path: Path) -> None:
    policy = {"bad_indices_policy": field(2, "IGNORE")}
    path = graph(tmp_path, node("x", "GatherNd", "a", "b", **policy))
    assert rules(path, "tensorflow==2.15") == {"attribute_dropped"}
    assert predict(path, "tensorflow==2.15").outcome == "changes"
    assert predict(path, "tensorflow==2.18").outcome == "loads"
    whole = graph(tmp_path / "c", node("x", "GatherNd", "a", "b", **policy), stripped=0)
    assert predict(whole, "tensorflow==2.15").outcome == "unknown"
    named = graph(tmp_path / "b", node("x", "VarHandleOp", debug_name=field(2, "w"), _class=field(2, "c")))
    assert predict(named, "tensorflow==2.12").outcome == "loads"


def test_a_type_that_an_attribute_does_not_take_there_fails(tmp_path: Path) -> None:
    path = graph(tmp_path, node("x", "TopKV2", "a", "b", index_type=TYPE_INT16))
    assert rules(path, "tensorflow==2.12") == {"attribute_dropped"}
    assert predict(path, "tensorflow==2.12").outcome == "fails"
    assert predict(path, "tensorflow==2.18").outcome == "loads"
    narrow = graph(tmp_path / "b", node("x", "ImageProjectiveTransformV3", "a", "b", "c", "d", dtype=BFLOAT16))
    assert rules(narrow, "tensorflow==2.15") == {"value_not_allowed"}
    assert predict(narrow, "tensorflow==2.16").outcome == "loads"


def test_an_operation_without_a_kernel_fails(tmp_path: Path) -> None:
    path = graph(tmp_path, node("x", "ApproxTopK", "a"))
    assert rules(path, "tensorflow==2.12") == {"no_kernel"}
    assert predict(path, "tensorflow==2.15").outcome == "loads"


def test_a_graph_that_asks_for_a_newer_reader_fails(tmp_path: Path) -> None:
    path = graph(tmp_path, node("x", "Conv2D"), versions=field(1, 2000) + field(2, 1700))
    assert rules(path, "tensorflow==2.15") == {"graph_version"}
    assert predict(path, "tensorflow==2.16").outcome == "loads"


def test_a_real_saved_model_loads_everywhere_but_not_as_a_keras_model() -> None:
    for target in every_target():
        found = predict(made() / "combined", target)
        assert found.outcome == "loads", target.asked
        assert found.readings[1].outcome == "fails"


def test_a_variable_that_cannot_take_its_weights_is_told_by_the_card_and_by_every_runtime() -> None:
    assert "(2, 3)" in oracle()["other_classes"] or "incompatible" in oracle()["other_classes"]
    assert "head/kernel is declared [2, 4] and stored [2, 3]" in read_card(made() / "other_classes").notes[-1]
    for target in every_target():
        assert rules(made() / "other_classes", target.asked) == {"variable_shape"}
        assert predict(made() / "three_classes", target).outcome == "loads"
    assert not any("cannot be loaded" in note for note in read_card(made() / "raw_export").notes)


def test_keras_files_of_both_generations() -> None:
    """The files are of Keras 3.15.1 and of tf-keras 2.20, of which nothing is claimed where it was not asked."""
    assert predict(made() / "keras3.keras", "tensorflow==2.21").outcome == "loads"
    assert rules(made() / "keras3.keras", "tensorflow==2.15") >= {"module_missing"}
    assert rules(made() / "keras3.h5", "tensorflow==2.15") >= {"class_missing"}
    assert rules(made() / "keras2.keras", "tensorflow==2.18") >= {"module_unknown"}
    assert predict(made() / "keras2.keras", "tensorflow==2.18").outcome in ("unknown", "fails")
    weights = predict(made() / "keras3.weights.h5", "tensorflow==2.15")
    assert weights.outcome == "loads"
    assert "weights only" in weights.notes[-1]
    assert rules(made() / "keras3.weights.h5", "tensorflow==2.12") == {"weights_layout"}


def test_python_code_in_a_model_is_no_part_of_keras() -> None:
    assert "class_unknown" in rules(made() / "keras3_lambda.keras", "tensorflow==2.21")


def test_hdf5_that_is_called_keras(tmp_path: Path) -> None:
    shutil.copy(VERSIONS / "pictures_in.h5", tmp_path / "m.keras")
    assert rules(tmp_path / "m.keras", "tensorflow==2.18") >= {"hdf5_in_keras"}
    assert predict(tmp_path / "m.keras", "tensorflow==2.15").outcome == "loads"


def test_the_files_of_the_course_say_what_happened_to_them() -> None:
    recorded = json.loads((VERSIONS.parents[1] / "results" / "version_pairs.json").read_text(encoding="utf-8"))
    target = f"tensorflow=={recorded['lanes'][recorded['consumer']]['tensorflow']}"
    outcome = {"detector/keras": "detector.keras", "pictures_in/h5": "pictures_in.h5"}
    for name, kept in outcome.items():
        line = recorded["files"][name]
        happened = "fails" if line["error"] else "changes" if line["difference"] > 1e-5 else "loads"
        assert predict(VERSIONS / kept, target).outcome == happened


def test_a_checkpoint_of_the_other_generation_restores_nothing_and_says_nothing() -> None:
    found = predict(made() / "trained", "tensorflow==2.18")
    assert [reading.outcome for reading in found.readings] == ["changes", "fails"]
    assert [reading.outcome for reading in predict(made() / "trained", "tensorflow==2.15").readings] == [
        "loads",
        "loads",
    ]


def test_tflite_files() -> None:
    assert predict(made() / "float32.tflite", "tensorflow==2.12").outcome == "loads"
    assert predict(made() / "post.tflite", "tensorflow==2.15").outcome == "loads"


def test_a_newer_version_of_a_built_in_operation_fails(tmp_path: Path) -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf((made() / "float32.tflite").read_bytes(), 0)
    dense = next(code for code in model.operatorCodes if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED)
    dense.version = 12
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    (tmp_path / "m.tflite").write_bytes(builder.Output())
    assert rules(tmp_path / "m.tflite", "tensorflow==2.16") == {"builtin_version"}
    assert predict(tmp_path / "m.tflite", "tensorflow==2.18").outcome == "loads"


#: Run by this environment's own Keras: does each file load?
LOADER = """
import json, sys
import keras

found = {}
for path in sys.argv[1:]:
    try:
        keras.models.load_model(path, compile=False)
    except Exception as error:
        found[path] = type(error).__name__
    else:
        found[path] = "loads"
print(json.dumps(found))
"""


def test_this_environment_does_what_is_predicted_of_it() -> None:
    files = [
        made() / name for name in ("keras3.keras", "keras3.h5", "keras2.keras", "keras2.h5", "keras2_lambda.keras")
    ]
    files += [VERSIONS / "detector.keras", VERSIONS / "pictures_in.h5", made() / "combined"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *map(str, files)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    happened = json.loads(done.stdout.splitlines()[-1])
    said = {path: predict(path, "tensorflow==2.20.0,keras==3.15.1") for path in files}
    outcome = {path: found.readings[1 if path.name == "combined" else 0].outcome for path, found in said.items()}
    assert {"loads", "changes", "fails"} <= set(outcome.values())
    for path, told in outcome.items():
        if told != "unknown":
            assert (told == "fails") == (happened[str(path)] != "loads"), (path.name, told, happened[str(path)])


def test_between_two_versions_only_what_both_say_is_said() -> None:
    between, file = "tensorflow==2.18,keras==3.2.0", VERSIONS / "detector.keras"  # between Keras 2.15 and 3.3
    assert (predict(file, between).outcome, rules(file, between)) == ("unknown", {"between_versions"})
    assert predict(made() / "combined", between).outcome == "loads"


def test_a_reason_has_an_outcome_of_the_list() -> None:
    assert OUTCOMES[0] == "loads"
    with pytest.raises(OddemoError, match="no such outcome"):
        Reason("rule", "loads", "words")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "oddemo", "inspect", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"})


def test_the_command_says_it_with_its_status() -> None:
    good = run(made() / "combined", "--for", "tensorflow==2.15")
    assert (good.returncode, good.stderr) == (0, "")
    assert "✓ loads" in good.stdout
    bad = run(VERSIONS / "pictures_in.h5", "--for", "tensorflow==2.18")
    assert bad.returncode == 1
    assert "loads, and changes" in bad.stdout
    assert "hard_sigmoid" in bad.stdout
    every = run(VERSIONS / "detector.keras", "--for", "all")
    assert every.returncode == 1
    rows = [line.replace("│", " ").split()[:2] for line in every.stdout.splitlines()]
    assert all(list(target.versions) in rows for target in every_target())
    for arguments in ((made() / "combined", "--for", "2.15"), (VERSIONS, VERSIONS, "--for", "tensorflow==2.15")):
        wrong = run(*arguments)
        assert (wrong.returncode, wrong.stdout) == (2, "")


def test_the_json_is_the_card_with_predictions_beside() -> None:
    done = run(VERSIONS / "detector.keras", "--for", "tensorflow==2.18", "--for", "tensorflow==2.15", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["facts"]["keras_version"]["value"] == "2.15.0"
    assert [one["outcome"] for one in told["predictions"]] == ["fails", "loads"]
    first = told["predictions"][0]
    assert set(first) == {"prediction_format", "path", "kind", "target", "outcome", "readings", "notes"}
    assert set(first["readings"][0]["reasons"][0]) == {"rule", "outcome", "text", "found_at"}


def test_a_prediction_imports_nothing_heavy() -> None:
    code = (
        "import sys; from oddemo.export.loading import predict; predict(sys.argv[1], 'tensorflow==2.18');"
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'h5py', 'numpy', 'google.protobuf'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    for path in (VERSIONS / "detector.keras", made() / "combined", made() / "dynamic.tflite"):
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
