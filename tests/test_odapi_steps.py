"""What the steps of the Object Detection API's lane take: how it is measured, and that the docs say what was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import odapi_steps as bench
from oddemo.errors import OddemoError
from oddemo.files import read_json

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "lanes.md"


def test_a_command_is_measured_and_a_failing_one_is_told(tmp_path):
    step = bench.measured(
        "make", ["data", "make", "inspection", "--out", "w", "--splits", "test=2"], tmp_path / "w", tmp_path
    )
    assert step.wall_s > 0 < step.processor_s
    files = [path for path in (tmp_path / "w").rglob("*") if path.is_file()]
    assert step.made_mb == pytest.approx(sum(path.stat().st_size for path in files) / 1e6, abs=0.2)
    with pytest.raises(OddemoError, match="exit status 2"):
        bench.measured("make", ["data", "make", "nowhere", "--out", "n"], tmp_path / "n", tmp_path)


def test_a_file_with_two_names_takes_its_room_once(tmp_path):
    (tmp_path / "one").write_bytes(b"x" * 100_000)
    alone = bench.bytes_in(tmp_path)
    os.link(tmp_path / "one", tmp_path / "two")
    assert bench.bytes_in(tmp_path) == alone >= 100_000


def test_the_docs_hold_every_command_and_what_it_took():
    told, docs = read_json(bench.REPOSITORY / "results" / "odapi_steps.json"), DOCS.read_text(encoding="utf-8")
    assert bench.as_table(told) in docs
    assert [step["name"] for step in told["steps"]] == list(bench.commands(1))
    assert told["steps"][0]["made_mb"] > 1000
    for step in told["steps"]:
        first_words = " ".join(step["command"].split()[:5])
        assert first_words in docs, step["command"]
