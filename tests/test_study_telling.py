"""Lines of a stored study: its own numbers, a star where Holm's correction leaves a difference standing."""

from __future__ import annotations

import pytest

from oddemo.errors import OddemoError
from oddemo.study.telling import level, told

STORED = {
    "worlds": ["land"],
    "metrics": ["ap"],
    "conditions": [{"name": "plain", "words": "left alone"}, {"name": "more", "words": "more of it"}],
    "comparisons": [
        {"name": "more", "world": "land", "metric": "ap", "point": 0.0312, "low": 0.011, "high": 0.05, "p_holm": 0.04},
        {"name": "plain", "world": "land", "metric": "ap", "point": -0.2, "low": -0.4, "high": 0.1, "p_holm": 0.06},
    ],
    "levels": [{"condition": "more", "world": "land", "metric": "ap", "point": 0.5, "low": 0.4, "high": 0.6}],
}


def test_a_line_a_comparison():
    assert list(told(STORED, world="land", metric="ap")) == [
        "land, change in ap:",
        "  more of it   +3.1* [ +1.1,  +5.0]  p 0.040",
        "  left alone  -20.0  [-40.0, +10.0]  p 0.060",
    ]
    assert level(STORED, world="land", condition="more", metric="ap") == "0.500 [0.400, 0.600]"


def test_what_is_not_there_is_refused():
    with pytest.raises(OddemoError, match="compares nothing in sea by ap"):
        list(told(STORED, world="sea", metric="ap"))
    with pytest.raises(OddemoError, match="no ap50 of more in land"):
        level(STORED, world="land", condition="more", metric="ap50")
