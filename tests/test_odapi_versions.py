"""The API's exports in other TensorFlows: parts of the benchmark that need no lane, and what it has written."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
from card_artefacts import made

from benchmarks import odapi_versions as bench
from benchmarks.odapi_artefacts import ARTEFACTS, Artefact, made_artefact
from benchmarks.odapi_cells import AGAIN, READERS, foresee, limits_of
from benchmarks.odapi_reading import read_in, told_of, without_machine
from benchmarks.odapi_same import PARTNER_WITHIN, Compared
from oddemo.data.sample import data_folder
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json
from oddemo.lanes.matrix import SAME_WITHIN, Cell, summary_of
from oddemo.lanes.registry import find_lane

ROOT = Path(__file__).resolve().parents[1]
CONTROL, CHANGING = "num_classes_90", "tflite_dynamic"
PLACES = (Path("/somewhere/export/saved_model"), Path("/elsewhere/lanes/tf2.18-0a"))


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return read_json(ROOT / "results" / "odapi_versions.json")


@pytest.fixture(scope="module")
def words() -> str:
    """What docs/lanes.md says, in one line."""
    return " ".join((ROOT / "docs" / "lanes.md").read_text(encoding="utf-8").split())


def cells_of(told: dict[str, Any]) -> list[Cell]:
    return [Cell(**{field.name: one[field.name] for field in fields(Cell)}) for one in told["cells"]]


def test_one_lane_reads_for_each_tensorflow() -> None:
    assert [find_lane(name).name for name in READERS] == READERS
    versions = [tuple(map(int, name.removeprefix("tf").split("."))) for name in READERS]
    assert versions == sorted(set(versions)) == [(2, minor) for minor in range(12, 22)]


def test_how_a_recording_ended_is_told_without_this_machine() -> None:
    assert told_of(0, "warnings", PLACES) == {"outcome": "runs", "error": None}
    refused = f"warning: x\nprobe: TensorFlow 2.18.1 cannot load {PLACES[0]}: ValueError: no\n  do: this\n"
    expected = "TensorFlow 2.18.1 cannot load ARTEFACT: ValueError: no do: this"
    assert told_of(2, refused, PLACES) == {"outcome": "fails", "error": expected}
    raised = f"Traceback\n  File x\nOSError: {PLACES[1]}/lib/a.so and /usr/lib/b.so\n"
    assert told_of(1, raised, PLACES) == {"outcome": "fails", "error": "OSError: ENVIRONMENT/lib/a.so and b.so"}
    aborted = told_of(-signal.SIGABRT, "", PLACES)
    assert (aborted["outcome"], "SIGABRT" in aborted["error"]) == ("aborts", True)
    for number in (signal.SIGKILL, signal.SIGTERM):
        with pytest.raises(OddemoError, match="was stopped"):
            told_of(-number, "", PLACES)
    assert len(without_machine("x" * 5000, *PLACES)) <= 600


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    """There is no interpreter here at all: what is kept has to do."""

    class Nowhere:
        python = tmp_path / "no_python"
        folder = tmp_path

    write_json(tmp_path / "seen.json", {"outcome": "fails", "error": "once"})
    found = read_in(Nowhere(), ["versions"], tmp_path / "x", tmp_path / "seen.npz", settings={})
    assert (found.outcome, found.error, found.trace) == ("fails", "once", None)


def test_an_artefact_that_lies_there_stays(tmp_path: Path) -> None:
    for one in ARTEFACTS[:1] + ARTEFACTS[-2:-1]:
        (tmp_path / one.name).mkdir()
        assert made_artefact(one, tmp_path, tmp_path) == tmp_path / one.name / one.place
    assert len({one.name for one in ARTEFACTS}) == len(ARTEFACTS)


def test_predictions_come_from_files_alone_and_name_the_rules() -> None:
    class Lane:
        def __init__(self, name: str) -> None:
            self.versions = {"tensorflow": find_lane(name).requirements[0].partition("==")[2], "keras": "3.15.1"}

    places = {Artefact(name, input_type="image_tensor"): made() / name for name in ("combined", "other_classes")}
    found = foresee(places, {name: Lane(name) for name in READERS})
    assert len(found.pop("rules_sha256")) == 64
    assert {name: {outcome for outcome, _ in said.values()} for name, said in found.items()} == {
        "combined": {"same"},
        "other_classes": {"fails"},
    }
    assert set(found["combined"]) == set(READERS)


def test_the_list_s_end_is_that_of_the_configuration() -> None:
    assert asdict(limits_of(data_folder() / "odapi" / "inspection")) == {"detections": 50, "score": 0.05}


def test_every_artefact_was_read_in_every_tensorflow(told) -> None:
    places = [(one["format"], one["consumer"]) for one in told["cells"]]
    assert places == [(one.name, name) for one in ARTEFACTS for name in READERS]
    assert list(told["lanes"]) == ["odapi", *READERS]
    for name, versions in told["lanes"].items():
        assert f"tensorflow-cpu=={versions['tensorflow']} " in find_lane(name).lock.read_text(encoding="utf-8")
    assert told["artefacts"] == {one.name: asdict(one) | {"format": one.format} for one in ARTEFACTS}
    assert told["pictures"]["images"] == len(told["pictures"]["sizes_hw_px"]) == bench.PICTURES


def test_outcomes_follow_from_the_rule(told) -> None:
    assert (told["rule"]["same_within"], told["rule"]["partner_within"]) == (SAME_WITHIN, PARTNER_WITHIN)
    for one in told["cells"]:
        compared = one["compared"]
        if compared is None:
            assert (one["outcome"] in ("fails", "aborts"), bool(one["error"])) == (True, True)
            continue
        assert one["outcome"] == ("same" if Compared(**compared).same else "changed")
        assert one["difference"] == max(compared["box"], compared["score"])
        assert compared["decoded"] in (None, 0), "the pictures themselves were decoded otherwise"
        assert compared["pairs"] > 100


def test_the_number_of_the_rule_lies_well_above_what_a_lane_differs_from_itself(told) -> None:
    assert set(told["spread"]) == {one.name for one in ARTEFACTS}
    for name, settings in told["spread"].items():
        assert set(settings) == (set() if name == CONTROL else set(AGAIN))
        for setting, compared in settings.items():
            assert (compared["alone"], compared["at_edge"]) == (0, 0), (name, setting)
            largest = max(compared["box"], compared["score"], compared["raw"] or 0.0)
            assert largest == 0.0 if setting == "again" else largest < SAME_WITHIN / 5


def test_what_was_foreseen_is_counted_from_the_cells_and_every_miss_is_named_in_the_docs(told, words) -> None:
    cells = cells_of(told)
    assert told["summary"] == summary_of(cells)
    assert told["summary"]["predicted_cells"] == len(cells)
    assert told["summary"]["false_will_load"] == 0
    missed = [(one.format, one.consumer) for one in cells if not one.agrees]
    assert missed == [(CHANGING, name) for name in READERS if int(name.rpartition(".")[2]) >= 17]
    right, every = sum(one.agrees for one in cells), len(cells)
    assert (
        f"{right} of {every} cells came out as foreseen, {told['summary']['agreement']:.1%}".replace("%", " %") in words
    )
    without = [one.agrees for one in cells if one.format != CONTROL]
    share = f"{sum(without) / len(without):.1%}".replace("%", " %")
    assert f"(without the control {sum(without)} of {len(without)}, {share})" in words
    assert f"The {len(missed)} others are all of the file with weights of 8 bits" in words
    assert re.fullmatch(r"[0-9a-f]{64}", told["rules_sha256"])


def test_nobody_can_load_the_control_and_its_files_say_so(told) -> None:
    control = [one for one in cells_of(told) if one.format == CONTROL]
    assert {(one.outcome, one.predicted) for one in control} == {("fails", "fails")}
    for one in control:
        assert f"TensorFlow {told['lanes'][one.consumer]['tensorflow']} cannot load" in str(one.error)
        assert "declared" in str(one.because)


def test_the_docs_show_the_table_and_its_numbers(told, words) -> None:
    text = (ROOT / "docs" / "lanes.md").read_text(encoding="utf-8")
    for one in ARTEFACTS:
        count = Counter(cell.outcome for cell in cells_of(told) if cell.format == one.name)
        assert re.search(
            rf"^\| `{re.escape(one.name)}` \|.*\| {count['same']} \| {count['changed']} \| {count['fails']} \|$",
            text,
            re.M,
        ), one.name
    same = [cell["difference"] for cell in told["cells"] if cell["outcome"] == "same"]
    own = [max(c["box"], c["score"]) for settings in told["spread"].values() for c in settings.values()]
    assert f"at most {max(same):.1e} apart" in words
    assert f"other kernels and threads move nothing by more than {max(own):.1e}" in words
    assert f"differs by more than {SAME_WITHIN:.0e}" in words
    changed = [cell["compared"] for cell in told["cells"] if cell["outcome"] == "changed"]
    lone, scores = [one["alone"] for one in changed], [one["score"] for one in changed]
    assert f"{min(lone)} to {max(lone)} detections have no partner" in words
    assert f"scores of the others lie up to {max(scores):.3f} apart" in words
    assert f"on {told['pictures']['images']} rendered pictures" in words


def test_what_changed_is_a_delegate_s_doing(told, words) -> None:
    lite = [one.name for one in ARTEFACTS if not one.input_type]
    assert list(told["without_delegates"]) == lite
    for name in lite:
        assert list(told["without_delegates"][name]) == READERS
        assert all(Compared(**one).same for one in told["without_delegates"][name].values()), name
    plain = [max(one["box"], one["score"]) for one in told["without_delegates"][CHANGING].values()]
    assert f"that file is at most {max(plain):.1e} apart in all ten" in words


def test_it_says_where_it_comes_from_and_names_no_place_of_a_machine(told) -> None:
    assert told["provenance"]["command"] == "python -m benchmarks.odapi_versions"
    assert told["provenance"]["seeds"] == [bench.SEED]
    assert "+changed" not in told["provenance"]["commit"]
    text = json.dumps(told)
    assert not any(word in text for word in (str(Path(tempfile.gettempdir())), "/lanes/", str(ROOT)))
