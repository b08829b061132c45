"""The version matrix as a picture: every cell is there, told by sign and colour, and nothing is left out."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import Rectangle

from oddemo import plots
from oddemo.errors import OddemoError
from oddemo.plots.versions import OUTCOMES

STORED = json.loads((Path(__file__).resolve().parents[1] / "results" / "version_matrix.json").read_text("utf-8"))
LANES = list(STORED["lanes"])


def cells(model: str, form: str) -> list[dict]:
    return [cell for cell in STORED["cells"] if (cell["model"], cell["format"]) == (model, form)]


@pytest.fixture(autouse=True)
def figure():
    with plt.rc_context():
        plots.style()
        drawn = plt.figure()
        yield drawn
        drawn.canvas.draw()
        plt.close(drawn)


def test_a_grid_shows_each_pair_where_it_belongs(figure) -> None:
    ax = plots.plot_version_grid(cells("pictures_in", "keras"), figure.gca(), versions=LANES, title="$x$")
    signs = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts}
    for cell in cells("pictures_in", "keras"):
        place = (LANES.index(cell["producer"]), LANES.index(cell["consumer"]))
        assert signs[place] == OUTCOMES[cell["outcome"]][0]
    assert len([patch for patch in ax.patches if isinstance(patch, Rectangle)]) == 36
    assert len({sign for sign, *_ in OUTCOMES.values()}) == len(OUTCOMES)
    assert [text.get_text() for text in ax.get_yticklabels()] == [name.removeprefix("tf2") for name in LANES]


def test_a_pair_that_is_missing_or_there_twice_is_refused() -> None:
    whole = cells("detector", "h5")
    for broken in (whole[1:], [*whole, whole[0]]):
        with pytest.raises(OddemoError, match="each pair"):
            plots.plot_version_grid(broken, versions=LANES)


def test_the_legend_names_what_is_seen_and_nothing_else(figure) -> None:
    some = cells("pictures_in", "saved_model") + cells("pictures_in", "keras")
    plots.draw_version_matrix(some, figure, versions=LANES, formats={"saved_model": "SavedModel", "keras": ".keras"})
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["same outputs", "✗  fails"]
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["SavedModel", ".keras"]


def test_what_was_foreseen_is_counted_and_a_miss_has_no_frame(figure) -> None:
    told = [("same", "same"), ("same", "same"), ("aborts", "fails"), ("changed", "same"), ("same", "unknown")]
    some = [{"outcome": outcome, "predicted": predicted} for outcome, predicted in told]
    ax = plots.plot_foreseen([*some, {"outcome": "same", "predicted": None}], figure.gca())
    numbers = {(round(t.get_position()[1]), round(t.get_position()[0])): int(t.get_text()) for t in ax.texts}
    assert {place: count for place, count in numbers.items() if count} == {(0, 0): 2, (2, 2): 1, (0, 1): 1, (3, 0): 1}
    assert [patch.get_linewidth() for patch in ax.patches].count(3.0) == 3
    with pytest.raises(OddemoError, match="Nothing was predicted"):
        plots.plot_foreseen([{"outcome": "same", "predicted": None}])
