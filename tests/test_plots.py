"""Plots draw what they are given, on the axes that they are given."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from oddemo import plots
from oddemo.audit.compare import Comparison, StageResult
from oddemo.audit.stages import STAGES
from oddemo.data.records import Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.interval import Interval

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
NAMES = ("cat", "$dog$ <b>")
FOUND = Detections([[5, 10, 25, 40], [30, 50, 55, 85], [1, 1, 4, 4]], [0.9, 0.5, 0.1], [1, 2, 1])
TRUTH = ImageRecord(1, "a.jpg", (60, 90), [[6, 11, 26, 41]], [1])
COMPARISON = Comparison(
    4,
    tuple(
        StageResult(s, status)
        for s, status in zip(STAGES, ["equal", "differs", "not_compared"] + 4 * ["differs"], strict=True)
    ),
)
HISTORY = [{"step": s, "total_loss": 9.0 / s, "cls_loss": 5.0 / s, "box_loss": 1.0 / s} for s in (50, 100, 150)]


@dataclass(frozen=True)
class Limits:
    point: float
    low: float
    high: float


@pytest.fixture(autouse=True)
def figure():
    with plt.rc_context():
        plots.style()
        drawn = plt.figure()
        yield drawn
        drawn.canvas.draw()
        plt.close(drawn)


def rectangles(ax) -> list[tuple[float, ...]]:
    """Boxes as y_min, x_min, y_max, x_max, from Matplotlib's coordinates."""
    patches = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [
        (p.get_y() + 0.5, p.get_x() + 0.5, p.get_y() + p.get_height() + 0.5, p.get_x() + p.get_width() + 0.5)
        for p in patches
    ]


EACH = {
    "picture": lambda ax: plots.draw_picture(IMAGE, ax),
    "detections": lambda ax: plots.draw_detections(IMAGE, FOUND, NAMES, ax),
    "pixels": lambda ax: plots.plot_pixels(IMAGE / 127.5 - 1.0, ax),
    "interval": lambda ax: plots.plot_interval(Limits(-0.1, -0.2, 0.05), ax),
    "confusion": lambda ax: plots.plot_confusion({("cat", "cat"): 3, ("cat", "dog"): 1}, ax),
    "strip": lambda ax: plots.plot_stage_strip(COMPARISON, ax),
    "curves": lambda ax: plots.plot_learning_curves(HISTORY, ax),
}


@pytest.mark.parametrize("name", EACH)
def test_axes_that_are_given_are_used_and_returned(name: str, figure) -> None:
    first, second = figure.subplots(1, 2)
    assert EACH[name](first) is first
    assert not second.has_data()
    plt.sca(second)
    assert EACH[name](None) is second
    assert figure.axes == [first, second]


def test_a_picture_is_drawn_as_it_is() -> None:
    ax = plots.draw_picture(IMAGE, title="a $b$")
    assert np.array_equal(ax.images[0].get_array(), IMAGE)
    assert list(ax.get_xticks()) == []
    assert ax.get_title() == "a $b$"


def test_boxes_lie_where_they_were_found() -> None:
    ax = plots.draw_detections(IMAGE, FOUND, NAMES, score_from=0.2)
    assert np.allclose(rectangles(ax), FOUND.boxes_yxyx_px[:2])
    assert [text.get_text() for text in ax.texts] == ["cat 0.90", "$dog$ <b> 0.50"]
    assert [to_hex(patch.get_edgecolor()) for patch in ax.patches] == plots.palette(2)
    assert ax.patches[0].get_linestyle() != ax.patches[1].get_linestyle()


def test_true_boxes_have_no_score_and_unknown_ids_no_name() -> None:
    ax = plots.draw_detections(IMAGE, TRUTH, NAMES)
    assert [text.get_text() for text in ax.texts] == ["cat"]
    other = plots.draw_detections(IMAGE, Detections([[1, 1, 9, 9]], [0.9], [0]), NAMES, plt.figure().gca(), truth=TRUTH)
    assert [text.get_text() for text in other.texts] == ["id 0 0.90"]
    assert np.allclose(rectangles(other), [[6, 11, 26, 41], [1, 1, 9, 9]])
    plt.close(other.figure)


@pytest.mark.parametrize("top", [0, 2, 12])
def test_names_stay_inside_the_picture(top: int, figure) -> None:
    ax = plots.draw_detections(IMAGE, Detections([[top, 3, top + 12, 20]], [0.9], [1]), NAMES, figure.gca())
    figure.canvas.draw()
    assert ax.texts[0].get_window_extent().y1 <= ax.bbox.y1 + 1


def test_a_pair_shows_both_sides(figure) -> None:
    left, right = plots.draw_pair(IMAGE, FOUND, FOUND.above(0.8), NAMES)
    assert figure.axes == [left, right]
    assert [len(rectangles(ax)) for ax in (left, right)] == [2, 1]
    assert [ax.get_title() for ax in (left, right)] == ["reference", "candidate"]
    with pytest.raises(OddemoError, match="two axes"):
        plots.draw_pair(IMAGE, FOUND, FOUND, NAMES, [left])


def test_two_network_inputs_can_share_a_range() -> None:
    pixels = np.zeros((4, 4, 3), np.float32)
    pixels[0, 0] = 1.0
    alone = plots.plot_pixels(pixels).images[0].get_array()
    assert (alone[0, 0] == 255).all()
    shared = plots.plot_pixels(pixels, value_range=(-1.0, 3.0))
    assert shared.images[-1].get_array()[0, 0, 0] == 128
    assert shared.images[-1].get_array()[1, 1, 0] == 64
    assert shared.get_xlabel() == "0 … 1"
    assert plots.plot_pixels(np.ones((2, 2, 3)))
    with pytest.raises(OddemoError, match="shape"):
        plots.plot_pixels(np.zeros((1, 4, 4, 3)))


def test_intervals_are_drawn_with_their_limits() -> None:
    interval = Interval(-0.05, -0.1, 0.02, 20, 1000, 0.95, 0, "expanded")
    ax = plots.plot_intervals({"a_$x$": interval, "b": Limits(0.2, 0.1, 0.3)}, negligible=0.01)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a_$x$", "b"]
    ends = [container.lines[2][0].get_segments()[0][:, 0].tolist() for container in ax.containers]
    assert np.allclose(ends, [[-0.1, 0.02], [0.1, 0.3]])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    with pytest.raises(OddemoError, match="no interval"):
        plots.plot_intervals({})


def test_a_confusion_table_tells_right_from_wrong_by_colour_and_shape() -> None:
    ax = plots.plot_confusion({("b", "b"): 12, ("b", "none"): 1, ("$a$", "b"): 2, ("$a$", "$a$"): 0})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "$a$"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "$a$", "none"]
    assert [(text.get_text(), *text.get_position()) for text in ax.texts] == [("12", 0, 0), ("1", 2, 0), ("2", 0, 1)]
    assert [line.get_marker() for line in ax.lines] == ["o", "s", "s"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color() == ax.lines[2].get_color()
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    with pytest.raises(OddemoError, match="no counts"):
        plots.plot_confusion({})


def test_the_strip_marks_the_first_difference_alone() -> None:
    ax = plots.plot_stage_strip(COMPARISON)
    texts = [text.get_text() for text in ax.texts]
    assert [text for text in texts if text in STAGES] == list(STAGES)
    assert texts.count("first difference") == 1
    assert [patch.get_linewidth() > 0 for patch in ax.patches] == [stage == "pixels" for stage in STAGES]
    assert (texts.count("✓ equal"), texts.count("✗ differs")) == (1, 5)


def test_learning_curves_are_the_history() -> None:
    ax = plots.plot_learning_curves(HISTORY, keys=("total_loss", "box_loss"))
    assert [line.get_label() for line in ax.lines] == ["total loss", "box loss"]
    assert ax.lines[0].get_xydata().tolist() == [[line["step"], line["total_loss"]] for line in HISTORY]
    for wrong in ([], [{"step": 1}]):
        with pytest.raises(OddemoError, match="learning curves"):
            plots.plot_learning_curves(wrong)


@pytest.mark.parametrize("name", EACH)
def test_letters_can_be_read_from_the_back(name: str, figure) -> None:
    ax = EACH[name](None)
    figure.canvas.draw()
    assert figure.get_size_inches().tolist() == [8.0, 4.0]
    words = [text for text in ax.findobj(plt.Text) if text.get_text() and text.get_visible()]
    assert [
        text.get_text() for text in words if FontProperties.get_size_in_points(text.get_fontproperties()) < 12
    ] == []


def test_the_palette_repeats_after_ten() -> None:
    assert len(set(plots.palette())) == 10
    assert plots.palette(12)[10:] == plots.palette(2)
