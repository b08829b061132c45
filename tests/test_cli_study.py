"""`oddemo study`: what the Makefile asks of it, where results go, and that a part takes no whole's place."""

from __future__ import annotations

import json
import re

import pytest
import study_trials
from command_line import assert_refused

from oddemo.study import registry
from oddemo.study.registry import MODULES, find_study, study_names


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """A study without TensorFlow among the others, and an empty folder to be in."""
    monkeypatch.setattr(registry, "MODULES", {**MODULES, "drawn": study_trials.__name__})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_alone_are_what_a_shell_loop_needs(oddemo):
    ended = oddemo("study", "list", "--names")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.split() == list(study_names())
    told = oddemo("study", "list")
    assert all(find_study(name).question in told.out for name in study_names())


def test_every_declared_study_has_seeds_worlds_and_a_file_of_its_name():
    for name in study_names():
        study = find_study(name)
        assert study.name == name
        assert study.seeds >= 5
        assert "bccd" in study.worlds
        assert {"inspection", "wildlife"} & set(study.worlds)
        assert any(condition.against for condition in study.conditions)


def test_a_run_writes_its_file_and_a_second_one_agrees(oddemo, drawn):
    first = oddemo("study", "run", "drawn", "--jobs", 2)
    assert (first.status, first.err) == (0, ""), first
    path = drawn / "results" / "study_drawn.json"
    result = json.loads(path.read_text())
    assert result["provenance"]["command"] == "oddemo study run drawn"
    assert result["provenance"]["seeds"] == [1, 2, 3, 4, 5]
    keys = {"name", "world", "metric", "point", "low", "high", "seeds"}
    assert result["comparisons"]
    assert all(keys <= set(one) for one in result["comparisons"])
    assert "30/30" in first.out
    assert re.search(r"^land, ap: more against plain \+\d+\.\d \(\+\d", first.out, re.MULTILINE)
    before = path.read_bytes()
    second = oddemo("study", "run", "drawn")
    assert second.status == 0
    assert "/30 " not in second.out
    assert "inside its interval" in second.out
    assert "outside" not in second.out
    assert path.read_bytes() == before


def test_a_part_goes_elsewhere(oddemo, drawn):
    assert oddemo("study", "run", "drawn", "--jobs", 2).status == 0
    stored = (drawn / "results" / "study_drawn.json").read_bytes()
    part = oddemo("study", "run", "drawn", "--seeds", 2, "--world", "sea")
    assert part.status == 0
    assert (drawn / "results" / "study_drawn.json").read_bytes() == stored
    result = json.loads((drawn / "runs" / "study" / "part_of_drawn.json").read_text())
    assert result["worlds"] == ["sea"]
    assert result["provenance"]["command"] == "oddemo study run drawn --seeds 2 --world sea"
    mine = drawn / "mine.json"
    assert oddemo("study", "run", "drawn", "--out", mine).status == 0
    assert_refused(oddemo("study", "run", "drawn", "--out", mine), "not overwritten")


def test_wrong_words_are_refused(oddemo, drawn):
    assert_refused(oddemo("study", "run", "drwan"), "no study", "imbalance")
    assert_refused(oddemo("study", "run", "drawn", "--world", "moon"), "moon", "land, sea")


def test_missing_blood_cells_are_told_before_anything_runs(oddemo, drawn, monkeypatch):
    monkeypatch.setenv("ODDEMO_BCCD", str(drawn / "nowhere"))
    ended = oddemo("study", "run", "imbalance", "--world", "bccd")
    assert_refused(ended, "blood-cell", "nowhere", "--world")
    assert not (drawn / "results").exists()
