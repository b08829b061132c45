"""Knobs for notebooks: what they show at a position is what the bench and the metrics say of it."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pytest
from report_page import Page

from oddemo.data.sample import sample_dataset
from oddemo.errors import OddemoError
from oddemo.metrics.coco import coco_metrics
from oddemo.touch import explore_input, explore_output
from oddemo.touch.knobs import Choice, Slider
from oddemo.touch.panel import in_live_notebook


@pytest.fixture
def bench(reference_of):
    return reference_of("inspection").bench


@pytest.fixture
def pictures(few_pictures):
    return few_pictures("inspection")


class Opened:
    """A box of widgets, by the names that a person reads."""

    def __init__(self, box):
        (knobs, self._numbers), self._picture = box.children[0].children, box.children[1]
        self.knobs = {row.children[0].description: row.children for row in knobs.children}

    @property
    def text(self) -> str:
        return Page(self._numbers.value).text

    @property
    def picture(self) -> dict[str, str]:
        return Page(self._picture.value).named("img")[0]


def test_a_turned_knob_after_the_network_shows_what_the_bench_finds(bench, pictures):
    truth = sample_dataset("inspection")
    opened = Opened(explore_output(bench, pictures, truth, live=True))
    before = opened.picture
    field, slider = opened.knobs["score threshold"]
    slider.value = 0.3
    assert field.value == 0.3
    opened.knobs["overlap"][0].value = 0.8
    post = replace(bench.settings.post, score_threshold=0.3, nms_iou=0.8)
    found = bench.trace(pictures, replace(bench.settings, post=post), stages=()).detections
    assert f"threshold 0.30, overlap 0.80: {sum(map(len, found))} detections in 12 pictures" in opened.text
    few = replace(truth, records=truth.records[:12])
    assert f"all classes: mean AP50 {coco_metrics(few, found).ap50:.2f}" in opened.text
    assert opened.picture["src"] != before["src"]
    assert "threshold 0.30, overlap 0.80" in opened.picture["alt"]
    assert plt.get_fignums() == []


def test_a_turned_knob_before_the_network_shows_what_the_bench_sees(bench, pictures):
    truth = sample_dataset("inspection")
    opened = Opened(explore_input(bench, pictures, truth, live=True))
    assert "prepared as in training" in opened.picture["alt"]
    menu = opened.knobs["colours"][0]
    menu.value = dict(menu.options)["BGR"]
    settings = bench.settings.with_preprocessing(channel_order="bgr")
    seen = bench.pixels(pictures, settings.pre).pixels[0]
    assert f"network input: {seen.min():.2f} … {seen.max():.2f}, mean {seen.mean():.2f}" in opened.text
    found = bench.trace(pictures, settings, stages=()).detections
    few = replace(truth, records=truth.records[:12])
    assert f"all classes: mean AP50 {coco_metrics(few, found).ap50:.2f}" in opened.text
    for name in ("normalisation", "resizing", "shape"):
        opened.knobs[name][0].index = 1
    words = r"resized by \S+, stretched to a square, normalised: missing, colours as BGR"
    assert re.search(words, opened.picture["alt"])


def test_where_nobody_turns_anything_the_start_is_printed_and_drawn(bench, pictures, capsys):
    assert not in_live_notebook()
    with warnings.catch_warnings():
        # Agg has no window to show.
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive", category=UserWarning)
        assert explore_output(bench, pictures, sample_dataset("inspection")) is None
    printed = capsys.readouterr().out
    opened = Opened(explore_output(bench, pictures, sample_dataset("inspection"), live=True))
    assert printed.split() == opened.text.split()
    assert plt.get_fignums() == []


def test_knobs_that_cannot_be_are_refused():
    with pytest.raises(OddemoError, match="cannot start there"):
        Slider("threshold", 0.05, 0.95, 0.05, 0.07)
    with pytest.raises(OddemoError, match="cannot start there"):
        Slider("threshold", 0.05, 0.95, 0.05, 1.0)
    with pytest.raises(OddemoError, match="nothing to choose"):
        Choice("class", {})
