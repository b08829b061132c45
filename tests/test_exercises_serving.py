"""The serving function of notebook 15: the audit judges it, and points without telling the line to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import exercises as tool
from oddemo.course.checking import judged
from oddemo.course.exercise import Outcome
from oddemo.course.registry import EXERCISES

Judged = Callable[[str, str], Outcome]


@pytest.fixture
def script() -> str:
    """The solution's script, without the line that writes it to a file."""
    name = next(tool.SOLUTIONS.glob("15_*.ipynb"))
    cells = [cell.source for cell in nbformat.read(name, as_version=4).cells if tool.is_solution(cell)]
    return next(source.partition("\n")[2] for source in cells if source.startswith("%%writefile"))


@pytest.fixture
def with_change(tmp_path: Path, script: str, sound_export: Callable[[str, str], Path]) -> Judged:
    """Judge the solution's script with one piece of it replaced, beside a real export."""
    (tmp_path / "export").symlink_to(sound_export("inspection", "signature_alone"))

    def judge(old: str, new: str) -> Outcome:
        assert script.count(old) >= 1
        (tmp_path / "serve.py").write_text(script.replace(old, new), encoding="utf-8")
        return judged(EXERCISES["15.1"], f"{tmp_path / 'serve.py'}:detect")

    return judge


def test_the_audit_points_at_the_mistake_and_keeps_the_cure_to_itself(with_change: Judged) -> None:
    assert with_change("    return {", "    return {").right
    frame = with_change("[*scale_yx, *scale_yx]", "1")
    assert not frame.right
    assert "diverges, first at detections: box_scale" in frame.found
    assert "in whose pixels" in frame.hint
    strict = with_change('slice(int(found["num_detections"]))', 'found["detection_scores"] > 0.3')
    assert "score_threshold" in strict.found
    # What a report says as the cure, and what the solution holds, is in neither.
    for outcome in (frame, strict):
        assert not any(word in str(outcome) for word in ("scale_yx", "/ [", "0.05", "pre_nms"))


def test_what_cannot_be_audited_is_told_in_a_line(with_change: Judged, tmp_path: Path) -> None:
    nothing = with_change("    return {", "    found = {")
    assert (nothing.found, nothing.hint) == ("detect returns nothing yet", EXERCISES["15.1"].first_step)
    raising = with_change("    return {", "    1 / 0\n    return {")
    assert "ZeroDivisionError: division by zero" in raising.found
    named = with_change('"boxes": boxes', '"boxen": boxes')
    assert "has no output for boxes" in named.found
    assert "there is no file" in judged(EXERCISES["15.1"], f"{tmp_path / 'other.py'}:detect").found
    assert "there is no file" in judged(EXERCISES["15.1"], print).found
