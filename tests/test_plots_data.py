"""Galleries, box middles and runs draw what they are given."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection

from oddemo import plots
from oddemo.data.box_measures import BoxMeasures
from oddemo.errors import OddemoError

IMAGES = {name: np.random.default_rng(k).integers(0, 256, (20 + k, 30, 3), np.uint8) for k, name in enumerate("abcd")}
ONE = BoxMeasures(np.array([1, 2]), np.array([0.2, 0.4]), np.array([[0.25, 0.5], [0.5, 0.75]]), 2)


@pytest.fixture(autouse=True)
def figure():
    with plt.rc_context():
        plots.style()
        drawn = plt.figure()
        yield drawn
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")


def points(ax) -> list[np.ndarray]:
    return [np.asarray(part.get_offsets()) for part in ax.collections if isinstance(part, PathCollection)]


def test_a_gallery_makes_room_for_every_picture(figure):
    axes = plots.draw_gallery(IMAGES)
    assert axes[0].figure is not figure
    assert [ax.get_title() for ax in axes] == list(IMAGES)
    for ax, image in zip(axes, IMAGES.values(), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
    assert [ax.axison for ax in axes[0].figure.axes] == [True] * 4 + [False] * 2
    given = list(figure.subplots(1, 4))
    assert plots.draw_gallery(IMAGES, given) is given
    with pytest.raises(OddemoError, match="do not fit"):
        plots.draw_gallery(IMAGES, given[:2])
    with pytest.raises(OddemoError, match="do not fit"):
        plots.draw_gallery({})


def test_middles_lie_as_in_the_picture(figure):
    ax = figure.gca()
    assert plots.plot_box_middles({"one": ONE, "other": ONE}, ax) is ax
    np.testing.assert_allclose(points(ax)[0], [[0.5, 0.25], [0.75, 0.5]])
    sizes = ax.collections[0].get_sizes()
    assert sizes[1] > sizes[0]
    assert ax.yaxis_inverted()
    paths = [part.get_paths()[0].vertices.shape for part in ax.collections]
    assert paths[0] != paths[1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "other"]
    with pytest.raises(OddemoError, match="no boxes"):
        plots.plot_box_middles({})


def test_every_run_is_a_point_and_the_mean_a_line(figure):
    ax = plots.plot_runs({"first": [0.5, 0.6], "second": [0.7]}, band=0.1)
    np.testing.assert_allclose(points(ax)[0], [[0.5, 0], [0.6, 0]])
    np.testing.assert_allclose(points(ax)[1], [[0.7, 1]])
    assert ax.lines[0].get_xdata()[0] == pytest.approx(0.55)
    assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == (pytest.approx(0.5), pytest.approx(0.1))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["first", "second"]
    for nothing in ({}, {"first": []}):
        with pytest.raises(OddemoError, match="no runs"):
            plots.plot_runs(nothing)
