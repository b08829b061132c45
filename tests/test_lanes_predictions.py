"""The third test of predictions, and the second one filled again after learning: whole, and told in docs/lanes.md."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from oddemo.export.loading.offers import keras_versions, tensorflow_versions
from oddemo.files import read_json
from oddemo.lanes import matrix
from oddemo.lanes.registry import find_lane

ROOT = Path(__file__).resolve().parents[1]


def told(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_json(ROOT / "results" / f"version_matrix_{name}.json")
    return found


def cells_of(name: str) -> list[matrix.Cell]:
    return [matrix.Cell(**one) for one in told(name)["cells"]]


def missed(cells: list[matrix.Cell]) -> list[matrix.Cell]:
    return [one for one in cells if one.predicted is not None and not one.agrees]


@pytest.fixture(scope="module")
def words() -> str:
    """What docs/lanes.md says, in one line."""
    return " ".join((ROOT / "docs" / "lanes.md").read_text(encoding="utf-8").split())


def in_words(summary: dict[str, Any]) -> str:
    right = round(summary["agreement"] * summary["predicted_cells"])
    return f"{right} of {summary['predicted_cells']} cells{{}}, {summary['agreement']:.1%}".replace("%", " %")


def test_the_third_test_is_whole_and_of_pairs_that_nobody_had_asked() -> None:
    third, cells = told("third_test"), cells_of("third_test")
    pairs = {(one.producer, one.consumer) for one in cells}
    assert pairs == {(a, b) for a in third["lanes"] for b in third["lanes"] if {a, b} & set(matrix.HELD_OUT)}
    assert len(cells) == len(pairs) * len(matrix.MODELS) * len(matrix.FORMATS)
    assert third["summary"] == matrix.summary_of(cells)
    assert set(matrix.HELD_OUT) < set(third["lanes"])
    for name, versions in third["lanes"].items():
        lock = find_lane(name).lock.read_text(encoding="utf-8")
        assert f"tensorflow-cpu=={versions['tensorflow']} " in lock
        assert f"\nkeras=={versions['keras']} " in lock
        assert versions["tensorflow"] in tensorflow_versions()
        assert (versions["keras"] in keras_versions()) == (name not in matrix.HELD_OUT)
    assert "+changed" not in third["provenance"]["commit"]


def test_every_miss_of_the_third_test_is_one_that_the_docs_name(words: str) -> None:
    summary, cells = told("third_test")["summary"], missed(cells_of("third_test"))
    loading = [one for one in cells if one.predicted == "same" and one.outcome == "fails"]
    assert {(one.model, one.format, one.producer, one.consumer) for one in loading} == {
        ("detector", form, "tf2.20+keras3.11", "tf2.16") for form in ("keras", "h5")
    }
    opened = [one for one in cells if one.predicted == "unknown"]
    assert {one.outcome for one in opened} == {"fails"}
    weights = [one for one in cells if one not in loading and one not in opened]
    assert {(one.format, one.predicted, one.outcome) for one in weights} == {("weights_h5", "same", "changed")}
    counts = Counter(false=len(loading), opened=len(opened), weights=len(weights))
    assert (counts["false"], counts["opened"]) == (summary["false_will_load"], summary["no_claim"])
    assert in_words(summary).format(" came out as foreseen") in words
    assert summary["agreement"] < 0.98
    assert "misses the 98 % that are aimed at" in words
    assert f"and {counts['false']} files were said to load and failed" in words
    others = counts["opened"] + counts["weights"]
    assert f"Of the {others} others {counts['opened']} were left open" in words
    assert f"and {counts['weights']} are weights alone" in words


def test_the_second_test_filled_again_has_the_same_outcomes_and_fewer_misses(words: str) -> None:
    before, after = cells_of("second_test"), cells_of("second_rerun")
    place = [(one.model, one.format, one.producer, one.consumer, one.outcome) for one in before]
    assert [(one.model, one.format, one.producer, one.consumer, one.outcome) for one in after] == place
    summary = told("second_rerun")["summary"]
    assert summary == matrix.summary_of(after)
    better = [one.predicted for one, now in zip(before, after, strict=True) if now.agrees and not one.agrees]
    assert Counter(better) == {"unknown": 4, "fails": 2}
    assert not [now for one, now in zip(before, after, strict=True) if one.agrees and not now.agrees]
    assert {(one.format, one.outcome) for one in missed(after)} == {("weights_h5", "changed")}
    assert f"a re-run after learning and no test: {in_words(summary).format('')}" in words
    assert "+changed" not in told("second_rerun")["provenance"]["commit"]


def test_the_first_and_second_test_are_told_as_they_came_out(words: str) -> None:
    second = told("second_test")["summary"]
    assert in_words(second).format(" came out as foreseen") in words
    false_first = told("first_test")["summary"]["false_will_load"]
    assert false_first == 4
    assert "Four files were said to load and did not" in words
    assert second["no_claim"] == 4
    assert "Of the eight others four were left open" in words
    assert len(missed(cells_of("second_test"))) == 8


def test_the_command_of_each_test_names_its_lanes() -> None:
    text = re.sub(r"\\\n\s+", "", (ROOT / "docs" / "lanes.md").read_text(encoding="utf-8"))
    said = re.findall(r"oddemo lanes matrix --lanes (\S+) --only-with (\S+) --out", text)
    lanes = [(first.split(","), only.split(",")) for first, only in said]
    assert lanes == [
        (list(told("second_test")["lanes"]), ["tf2.13", "tf2.17"]),
        (list(told("third_test")["lanes"]), list(matrix.HELD_OUT)),
    ]
