"""The report on a terminal and in a pipe."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from report_page import HOSTILE, hostile_audit, printed
from rich.console import Console

from oddemo.audit.report import print_report
from oddemo.audit.stages import STAGES
from oddemo.audit.verdict import Audit


@pytest.mark.parametrize("width", [20, 80, 200])
def test_in_a_pipe_nothing_is_coloured_broken_or_cut(width: int, channel_order_audit: Audit) -> None:
    lines = printed(channel_order_audit, width=width).splitlines()
    assert "\x1b" not in "".join(lines)
    assert f"  fix  {channel_order_audit.causes[0].fix}" in lines
    assert [line.split()[1] for line in lines if line[:3].strip() in ("✓", "✗", "–")] == list(STAGES)
    assert "pixels      differs  ← first difference  12 of 12 pictures" in "\n".join(lines)


def test_on_a_terminal_the_fix_stays_whole(channel_order_audit: Audit) -> None:
    told = printed(channel_order_audit, width=60, terminal=True)
    assert "\x1b[1;31m" in told
    plain = re.sub(r"\x1b\[[\d;]*m", "", told).splitlines()
    assert f"  fix  {channel_order_audit.causes[0].fix}" in plain
    assert all(len(line) <= 60 for line in plain if not line.startswith("  fix"))


def test_a_name_cannot_steer_the_terminal(channel_order_audit: Audit) -> None:
    told = printed(hostile_audit(channel_order_audit))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", told)
    assert r"\x1b[31mred" in told
    assert HOSTILE[5] in told


def test_a_console_without_unicode_gets_plain_signs(channel_order_audit: Audit) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stream:
        print_report(hostile_audit(channel_order_audit), Console(file=stream), html=Path("out") / "r.html")
        stream.flush()
        told = raw.getvalue().decode("ascii")
    assert told.startswith("x DIVERGES")
    assert "change in mAP -0.3" in told
    assert r"\u05d0" in told
    assert "r.html" in told
