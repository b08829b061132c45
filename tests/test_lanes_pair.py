"""What the course shows of two lanes is recorded where they are not made, and says so; the record fits the matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oddemo.errors import OddemoError
from oddemo.lanes.pair import see
from oddemo.lanes.registry import find_lane

RESULTS = Path(__file__).resolve().parents[1] / "results"
RECORDED = RESULTS / "version_pairs.json"
NAMES = ["detector/keras", "pictures_in/h5"]


@pytest.fixture
def no_lanes(monkeypatch, tmp_path):
    monkeypatch.setenv("ODDEMO_LANES", str(tmp_path / "none"))


def test_without_lanes_the_record_is_shown_and_called_so(no_lanes):
    seen = see(NAMES, "tf2.15", "tf2.18", RECORDED)
    assert list(seen) == NAMES
    assert {one.source for one in seen.values()} == {"recorded: tf2.15 → tf2.18"}
    failed, changed = seen.values()
    assert (failed.outcome, failed.read, failed.difference) == ("fails", (), None)
    assert "keras.src.engine.functional" in str(failed.error)
    assert (changed.outcome, changed.error) == ("changed", None)
    largest = max(abs(a - b) for a, b in zip(changed.written, changed.read, strict=True))
    assert 0.5 * changed.difference < largest <= changed.difference + 1e-6


def test_what_was_not_recorded_is_not_made_up(no_lanes):
    with pytest.raises(OddemoError, match="Nothing was recorded"):
        see(NAMES, "tf2.15", "tf2.20", RECORDED)
    with pytest.raises(OddemoError, match="Nothing was recorded"):
        see(["detector/h5"], "tf2.15", "tf2.18", RECORDED)


def test_the_record_fits_the_matrix_and_the_locks(no_lanes):
    matrix = json.loads((RESULTS / "version_matrix.json").read_text(encoding="utf-8"))
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    for name, one in see(NAMES, "tf2.15", "tf2.18", RECORDED).items():
        (cell,) = [
            cell
            for cell in matrix["cells"]
            if (f"{cell['model']}/{cell['format']}", cell["producer"], cell["consumer"]) == (name, "tf2.15", "tf2.18")
        ]
        assert cell["outcome"] == one.outcome
        if one.difference is not None:
            assert one.difference <= cell["difference"] + 1e-6
    for lane, versions in recorded["lanes"].items():
        assert f"tensorflow-cpu=={versions['tensorflow']} " in find_lane(lane).lock.read_text(encoding="utf-8")
