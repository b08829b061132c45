"""`oddemo audit`, `record` and `demo` as a user meets them: exit status, JSON, one clear message for bad input."""

from __future__ import annotations

import hashlib
import json
import resource
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from command_line import alone, assert_refused, contents

from oddemo.audit.images import ImageSet, image_set
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.stages import STAGES
from oddemo.audit.trace import load_trace, save_trace
from oddemo.data.coco import write_coco
from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.data.records import Dataset
from oddemo.data.sample import sample_dataset

Reference = Callable[[str], TFVisionSource]
Exports = Callable[[str, str], Path]
#: What `oddemo audit --json` writes at least; other programs rely on it.
CONTRACT = {"verdict", "first_divergence", "causes", "delta_map", "stages", "contract", "provenance"}
FEW = 5


@dataclass(frozen=True)
class Bench:
    """A folder as a user has it: pictures, true boxes, a sound export, and the reference recorded on the pictures."""

    root: Path
    detector: Path

    @property
    def pictures(self) -> Path:
        return self.root / "pictures"

    @property
    def truth(self) -> Path:
        return self.root / "truth.json"

    @property
    def export(self) -> Path:
        return self.root / "saved_model"

    @property
    def recorded(self) -> str:
        """The reference as `trace:FILE`: there at once, where loading the detector takes seconds."""
        return f"trace:{self.root / 'reference.npz'}"

    @property
    def sound(self) -> str:
        return f"savedmodel:{self.export}"


@pytest.fixture(scope="module")
def shared(reference_of: Reference, sound_export: Exports, tmp_path_factory) -> Bench:
    root = tmp_path_factory.mktemp("user")
    reference = reference_of("inspection")
    bench = Bench(root, reference.folder)
    dataset = sample_dataset("inspection")
    bench.pictures.mkdir()
    records = dataset.records[:FEW]
    for record in records:
        shutil.copy(dataset.image_path(record), bench.pictures)
    write_coco(Dataset("few", dataset.root, dataset.class_names, records), bench.truth)
    shutil.copytree(sound_export("inspection", "image_tensor"), bench.export)
    save_trace(reference.trace(image_set(bench.pictures)), root / "reference.npz")
    return bench


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    """The shared folder, which no command may change."""
    before = contents(shared.root)
    yield shared
    assert contents(shared.root) == before


def audit_command(bench: Bench, *more: object, **changes: object) -> tuple[object, ...]:
    options = {"reference": bench.recorded, "candidate": bench.sound, "images": bench.pictures, **changes}
    return ("audit", *(part for name, value in options.items() for part in (f"--{name}", value)), *more)


# What comes out.


def test_a_sound_export_from_start_to_end(bench, tmp_path):
    json_out, html = tmp_path / "deep" / "audit.json", tmp_path / "report.html"
    ended = alone(
        *audit_command(bench, reference=f"tfvision:{bench.detector}"),
        *("--truth", bench.truth, "--json", json_out, "--html", html),
    )
    assert (ended.status, ended.err) == (0, "")
    assert "faithful" in ended.out
    assert ended.out.splitlines()[-2:] == [f"report: {html}", f"JSON: {json_out}"]
    told = json.loads(json_out.read_text())
    assert set(told) >= CONTRACT
    assert (told["verdict"], told["first_divergence"], told["causes"]) == ("faithful", None, [])
    assert set(told["delta_map"]) >= {"point", "low", "high", "images"}
    assert told["delta_map"]["images"] == told["images"] == FEW
    assert [stage["stage"] for stage in told["stages"]] == list(STAGES)
    assert {stage["status"] for stage in told["stages"]} == {"equal", "not_compared"}
    assert told["provenance"]["versions"]["tensorflow"]
    assert told["provenance"]["command"].startswith("__main__.py audit --reference")
    page = html.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "faithful" in page


def test_a_broken_export_from_start_to_end(bench, channel_order_export, tmp_path):
    json_out = tmp_path / "audit.json"
    ended = alone(
        *audit_command(bench, reference=f"tfvision:{bench.detector}", candidate=channel_order_export),
        *("--json", json_out),
    )
    assert (ended.status, ended.err) == (1, "")
    assert "channel_order" in ended.out
    told = json.loads(json_out.read_text())
    assert (told["verdict"], told["first_divergence"], told["delta_map"]) == ("diverges", "pixels", None)
    (cause,) = told["causes"]
    assert set(cause) >= {"id", "stage", "verified", "evidence", "fix"}
    assert (cause["id"], cause["stage"], cause["verified"]) == ("channel_order", "image", True)
    assert any("true boxes" in note for note in told["notes"])
    after = {stage["stage"]: stage["status"] for stage in told["stages_after"]}
    assert after["pixels"] == after["detections"] == "equal"


def test_recorded_here_and_audited_there(bench, oddemo, tmp_path):
    out = tmp_path / "candidate.npz"
    ended = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out)
    assert ended.status == 0, ended
    assert f"{out}: {FEW} pictures, stages image, pixels, heads, decoded, detections, labels" in ended.out
    assert load_trace(out).source == bench.sound
    ended = oddemo(*audit_command(bench, candidate=f"trace:{out}"), "--truth", bench.truth)
    assert (ended.status, ended.err) == (0, "")
    assert "faithful" in ended.out
    again = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out)
    assert_refused(again, "not overwritten", "--overwrite")
    fewer = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out, "--limit", 2, "--overwrite")
    assert fewer.status == 0
    assert len(load_trace(out).image_names) == 2


def test_without_a_bench_a_difference_is_told_and_not_explained(bench, oddemo, tmp_path):
    script = tmp_path / "blind.py"
    script.write_text("def detect(image):\n    return {'boxes': [], 'scores': [], 'classes': []}\n")
    json_out = tmp_path / "audit.json"
    ended = oddemo(*audit_command(bench, candidate=f"python:{script}:detect"), "--json", json_out)
    assert ended.status == 1, ended
    told = json.loads(json_out.read_text())
    assert (told["verdict"], told["first_divergence"], told["causes"]) == ("unexplained", "detections", [])
    assert any("tfvision:DIR" in note for note in told["notes"])


def test_one_picture_gets_a_verdict_and_no_interval(bench, oddemo, tmp_path):
    out, json_out = tmp_path / "one.npz", tmp_path / "audit.json"
    assert oddemo("record", bench.sound, "--images", bench.pictures, "--limit", 1, "--out", out).status == 0
    ended = oddemo(
        *audit_command(bench, reference=f"trace:{out}"), "--truth", bench.truth, "--limit", 1, "--json", json_out
    )
    assert ended.status == 0, ended
    told = json.loads(json_out.read_text())
    assert told["delta_map"] is None
    assert any("too few" in note for note in told["notes"])


def test_the_demo_tells_the_whole_story_in_time(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = alone("demo", "--out", tmp_path / "runs")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (ended.status, ended.err) == (0, "")
    assert "faithful" in ended.out
    assert "planted channel_order/in_graph: verified" in ended.out
    report = tmp_path / "runs" / "demo" / "report.html"
    assert f"report: {report}" in ended.out
    assert report.read_text().startswith("<!DOCTYPE html>")
    told = json.loads((tmp_path / "runs" / "demo" / "audit.json").read_text())
    assert (told["verdict"], told["causes"][0]["id"]) == ("diverges", "channel_order")
    assert told["delta_map"]["high"] < 0
    # Processor time, as the machine may be doing other work: on an idle one it is more than what the clock shows.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 90


# What goes wrong.


def test_nothing_is_run_before_the_outputs_are_known_to_be_free(bench, oddemo, tmp_path):
    """The candidate does not exist, and yet it is the taken file that is told: it is looked at first."""
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    nowhere = audit_command(bench, candidate="savedmodel:nowhere")
    assert_refused(oddemo(*nowhere, "--html", taken), str(taken), "not overwritten", "--overwrite")
    assert_refused(oddemo(*nowhere, "--json", taken), str(taken), "not overwritten")
    assert_refused(oddemo(*nowhere, "--json", tmp_path), "is a folder")
    assert_refused(oddemo(*nowhere, "--html", taken / "below.html"), "cannot be written", str(taken))
    both = tmp_path / "both"
    assert_refused(oddemo(*nowhere, "--html", both, "--json", both), "cannot be one file")
    # With --overwrite and a candidate that fails, what was there stays.
    assert_refused(oddemo(*nowhere, "--html", taken, "--overwrite"), "nowhere is not a SavedModel")
    assert contents(tmp_path) == {"taken.html": hashlib.sha256(b"mine").hexdigest()}


def test_a_missing_folder_ends_a_process_with_one_message(tmp_path):
    arguments = ("--reference", "tfvision:no", "--candidate", "savedmodel:no", "--images", tmp_path / "no")
    assert_refused(alone("audit", *arguments), f"The folder {tmp_path / 'no'} does not exist")


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("savedmodel:{here}/no", ("no is not a SavedModel", "no such folder")),
        ("savedmodel:{here}/empty", ("empty is not a SavedModel", "no saved_model.pb")),
        ("tfvision:{here}/no", ("no is not a detector folder", "oddemo train")),
        ("tfvision:{here}/empty", ("empty is not a detector folder",)),
        ("tflite:{here}/no.tflite", ("no.tflite does not exist",)),
        ("tflite:{here}/empty", ("does not exist",)),
        ("trace:{here}/no.npz", ("no.npz does not exist", "oddemo record")),
        ("trace:{here}/text.npz", ("cannot be read as a trace",)),
        ("python:{here}/no.py:detect", ("no.py does not exist",)),
        ("python:{here}/text.npz:detect", ("not a Python file",)),
        ("python:{here}/script.py", ("names no function", "python:FILE.py:FUNCTION")),
        ("onnx:{here}/model.onnx", ("'onnx' is not a kind of source", "savedmodel:DIR")),
        ("{here}/no", ("is not a source", "no kind")),
        ("savedmodel:", ("is not a source", "no place")),
    ],
)
def test_a_candidate_that_is_not_there(bench, oddemo, tmp_path, candidate, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("not an archive")
    assert_refused(oddemo(*audit_command(bench, candidate=candidate.format(here=tmp_path))), *words)


def test_pictures_that_cannot_be_used(bench, oddemo, tmp_path):
    empty, damaged = tmp_path / "empty", Path(shutil.copytree(bench.pictures, tmp_path / "damaged"))
    empty.mkdir()
    assert_refused(oddemo(*audit_command(bench, images=empty)), "holds no pictures", ".jpg")
    assert_refused(oddemo(*audit_command(bench, images=bench.truth)), "does not exist", "a folder with pictures")
    victim = sorted(damaged.iterdir())[2]
    whole = victim.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"<html>not found</html>", whole[:10] + bytes(500)):
        victim.write_bytes(content)
        assert_refused(oddemo(*audit_command(bench, images=damaged)), victim.name, "cannot be decoded", "data check")


@pytest.mark.parametrize("reference", ["trace", "tfvision"])
def test_other_pictures_than_the_recorded_ones(bench, oddemo, tmp_path, reference):
    others = tmp_path / "others"
    shutil.copytree(bench.pictures, others)
    next(others.iterdir()).rename(others / "renamed.jpg")
    told = {"candidate": bench.recorded, "images": others}
    if reference == "tfvision":
        told["reference"] = f"tfvision:{bench.detector}"
    assert_refused(oddemo(*audit_command(bench, **told)), "recorded on other pictures", f"{FEW - 1} are shared")


def test_a_truncated_saved_model(bench, oddemo, tmp_path):
    export = Path(shutil.copytree(bench.export, tmp_path / "cut"))
    files = [export / "variables" / "variables.data-00000-of-00001", export / "variables" / "variables.index"]
    for file in (*files, export / "saved_model.pb"):
        whole = file.read_bytes()
        for kept in (0, 100, len(whole) // 2, len(whole) - 50):
            file.write_bytes(whole[:kept])
            ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}"))
            assert_refused(ended, f"The SavedModel {export} cannot be loaded", "oddemo inspect")
        file.unlink()
        assert_refused(oddemo(*audit_command(bench, candidate=f"savedmodel:{export}")), str(export))
        file.write_bytes(whole)


def test_a_truncated_tflite_file(bench, oddemo, sound_export, tmp_path):
    whole = sound_export("inspection", "tflite").read_bytes()
    file = tmp_path / "cut.tflite"
    for content in (b"", whole[:4], whole[:1000], whole[: len(whole) // 2], whole[:-1000], b"TFL3" * 100):
        file.write_bytes(content)
        assert_refused(oddemo(*audit_command(bench, candidate=f"tflite:{file}")), f"{file} cannot be loaded")


def test_a_tflite_file_needs_someone_who_preprocesses(bench, oddemo, sound_export):
    candidate = f"tflite:{sound_export('inspection', 'tflite')}"
    assert_refused(oddemo(*audit_command(bench, candidate=candidate)), "must preprocess", "--like tfvision:DIR")


def test_wrong_label_maps(bench, oddemo, tmp_path):
    export = Path(shutil.copytree(bench.export, tmp_path / "export"))
    place = export / "label_map.pbtxt"
    command = audit_command(bench, candidate=f"savedmodel:{export}")
    names = read_label_map(place)
    place.write_text("".join(f'item {{ id: {2 * i + 1} name: "{name}" }}\n' for i, name in enumerate(names)))
    assert_refused(oddemo(*command), str(place), "1 to 5")
    for content in ("", "item { id: 1", "\x00\x01", 'item { id: 1 name: "pit" } item { id: 1 name: "crack" }'):
        place.write_text(content)
        assert_refused(oddemo(*command), str(place))
    place.unlink()
    write_label_map(place, sample_dataset("wildlife").class_names)
    assert_refused(oddemo(*command), "no class name in common", "fox", "scratch")
    detector = Path(shutil.copytree(bench.detector, tmp_path / "detector"))
    write_label_map(detector / "label_map.pbtxt", names[:-1], overwrite=True)
    told = audit_command(bench, reference=f"tfvision:{detector}")
    assert_refused(oddemo(*told), "does not fit the network", "5 names")


def test_one_name_of_the_label_map_differs(bench, oddemo, tmp_path):
    """That can be compared: it is a difference at the stage `labels`, not bad input."""
    export = Path(shutil.copytree(bench.export, tmp_path / "export"))
    names = read_label_map(export / "label_map.pbtxt")
    write_label_map(export / "label_map.pbtxt", ("scuff", *names[1:]), overwrite=True)
    ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}", json=tmp_path / "audit.json"))
    assert ended.status == 1, ended
    assert json.loads((tmp_path / "audit.json").read_text())["first_divergence"] == "labels"


def test_truth_that_does_not_belong_to_the_pictures(bench, oddemo, tmp_path):
    dataset = sample_dataset("inspection")
    fewer, alien, broken = tmp_path / "fewer.json", tmp_path / "alien.json", tmp_path / "broken.json"
    write_coco(Dataset("fewer", dataset.root, dataset.class_names, dataset.records[: FEW - 1]), fewer)
    assert_refused(oddemo(*audit_command(bench, truth=fewer)), "do not cover the pictures", "for 1 of them")
    names = sample_dataset("wildlife").class_names
    write_coco(Dataset("alien", dataset.root, names, dataset.records[:FEW]), alien)
    assert_refused(oddemo(*audit_command(bench, truth=alien)), "no class in common", names[0])
    broken.write_text('{"images": [')
    assert_refused(oddemo(*audit_command(bench, truth=broken)), str(broken))
    assert_refused(oddemo(*audit_command(bench, truth=tmp_path / "no.json")), "no.json does not exist")


def test_pictures_of_one_name_are_not_given_each_others_truth(tmp_path):
    from oddemo.audit.effect import truth_for
    from oddemo.errors import OddemoError

    dataset = sample_dataset("inspection")
    first, second = (type(r)(r.image_id, f"{place}/1.jpg", r.image_size_hw_px, r.boxes_yxyx_px, r.class_ids)
                     for r, place in zip(dataset.records[:2], ("a", "b"), strict=True))  # fmt: skip
    truth = Dataset("two", tmp_path, dataset.class_names, (first, second))
    for names in (("b/1.jpg", "a/1.jpg"), ("above/b/1.jpg", "above/a/1.jpg")):
        found = truth_for(truth, ImageSet(tmp_path, names))
        assert [record.file_name for record in found.records] == ["b/1.jpg", "a/1.jpg"]
    for names in (("1.jpg",), ("c/1.jpg",)):
        with pytest.raises(OddemoError, match="not a clear one, for 1 of them"):
            truth_for(truth, ImageSet(tmp_path, names))
    only = Dataset("one", tmp_path, dataset.class_names, (first,))
    assert len(truth_for(only, ImageSet(tmp_path, ("1.jpg",)))) == 1
    with pytest.raises(OddemoError, match="for 2 of them"):
        truth_for(only, ImageSet(tmp_path, ("c/1.jpg", "d/1.jpg")))


_BOX = "[[1.0, 2.0, 30.0, 40.0]]"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise RuntimeError('out of memory')", ("failed on 000000.jpg", "RuntimeError: out of memory")),
        ("raise SystemExit(0)", ("failed on 000000.jpg", "SystemExit")),
        ("return None", ("does not return a dict", "NoneType")),
        ("return []", ("does not return a dict", "list")),
        ("return {}", ("no output for boxes", "no outputs")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5]}}", ("no output for classes", "boxes, scores")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5, 0.4], 'classes': [1]}}", ("do not fit together", "(2,)")),
        (f"return {{'boxes': [{_BOX}], 'scores': [[0.5]], 'classes': [[1]]}}", ("do not fit together", "(1, 1, 4)")),
        (f"return {{'boxes': {_BOX}, 'scores': [float('nan')], 'classes': [1]}}", ("not finite", "scores")),
        ("return {'boxes': [[float('inf'), 0, 1, 1]], 'scores': [0.5], 'classes': [1]}", ("not finite", "boxes")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': ['pit']}}", ("not an array of numbers", "'pit'")),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': [1.5]}}", ("not whole numbers", "1.5")),
        ("return {'boxes': [[1, 2], [3]], 'scores': [0.5, 0.5], 'classes': [1, 1]}", ("not an array of numbers",)),
        (f"return {{'boxes': {_BOX}, 'scores': [0.5], 'classes': [1], 'count': 7}}", ("count", "0 to 1", "[7]")),
    ],
)
def test_a_function_that_fails_or_talks_nonsense(bench, oddemo, tmp_path, body, words):
    script = tmp_path / "serve.py"
    script.write_text(f"def detect(image):\n    {body}\n")
    assert_refused(
        oddemo(*audit_command(bench, candidate=f"python:{script}:detect")), f"python:{script}:detect", *words
    )


def test_a_script_that_cannot_be_imported_or_lacks_the_function(bench, oddemo, tmp_path):
    script = tmp_path / "serve.py"
    command = audit_command(bench, candidate=f"python:{script}:detect")
    for content, words in {
        "import no_such_module_anywhere": ("cannot be imported", "no_such_module_anywhere"),
        "def detect(image:": ("cannot be imported", "SyntaxError"),
        "exit(0)": ("cannot be imported", "SystemExit"),
        "def predict(image): return {}": ("no function 'detect'", "predict"),
        "detect = 3": ("no function 'detect'",),
        "def detect(): return {}": ("failed on 000000.jpg", "TypeError"),
    }.items():
        script.write_text(content)
        assert_refused(oddemo(*command), *words)


def test_nan_inside_a_network_is_told(bench, oddemo, tmp_path):
    import tensorflow as tf

    from oddemo.detect.detector import load_detector
    from oddemo.export.saved_model import export_saved_model

    detector = load_detector(bench.detector)
    variable = detector.model.trainable_variables[-1]
    variable.assign(np.full(variable.shape, np.nan, np.float32))
    checkpoint = Path(tf.train.Checkpoint(model=detector.model).save(str(tmp_path / "ckpt")))
    export = export_saved_model(bench.detector, tmp_path / "export", checkpoint=checkpoint)
    ended = oddemo(*audit_command(bench, candidate=f"savedmodel:{export}"))
    assert_refused(ended, "not finite", "diverged weights")


# What the help says.


def commands() -> dict[str, object]:
    """Every command's words → click's command, groups opened."""
    import typer

    from oddemo.cli import _register, app

    _register()
    found: dict[str, object] = {}

    def walk(words: tuple[str, ...], command: object) -> None:
        below = getattr(command, "commands", None)
        if below is None:
            found[" ".join(words)] = command
        else:
            for name, one in below.items():
                walk((*words, name), one)

    walk((), typer.main.get_command(app))
    return found


def test_every_command_is_known():
    assert set(commands()) >= {
        *("demo", "doctor", "audit", "inspect", "record", "train", "export", "evaluate"),
        *("data make", "data import", "data check"),
    }


@pytest.mark.parametrize("words", sorted(commands()))
def test_help_ends_with_an_example_that_the_command_takes(words, oddemo):
    import click

    ended = oddemo(*words.split(), "--help")
    assert (ended.status, ended.err) == (0, "")
    command = commands()[words]
    assert isinstance(command, click.Command)
    example = (command.epilog or "").partition("Example: ")[2].partition(";")[0]
    assert example.startswith(f"oddemo {words}")
    assert f"Example: oddemo {words}" in " ".join(ended.out.split())
    # Parsed, not run: its options exist and take such values.
    context = command.make_context(words, shlex.split(example)[1 + len(words.split()) :])
    assert context.params


def test_help_and_wrong_words_of_the_whole(oddemo):
    ended = oddemo("--help")
    assert ended.status == 0
    assert all(name in ended.out for name in ("demo", "audit", "record", "inspect", "doctor", "data"))
    wrong = oddemo("adit")
    assert wrong.status == 2
    assert "No such command" in wrong.err
    assert "Traceback" not in wrong.err
    missing = oddemo("audit", "--reference", "tfvision:x")
    assert missing.status == 2
    assert "--candidate" in missing.err
