"""Stored studies read run by run: means and limits are those of the file, choices those of a slow search."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from study_trials import study

from oddemo.errors import OddemoError
from oddemo.plots import plot_curves
from oddemo.study.engine import run_study
from oddemo.study.reading import chosen_by, difference_of, level_of, seed_values
from oddemo.study.results import study_result


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    one = study()
    return study_result(one, run_study(one, work=tmp_path_factory.mktemp("study")), {"seeds": [1]})


def test_levels_are_those_of_the_file(stored):
    for one in stored["levels"]:
        told = level_of(stored, world=one["world"], condition=one["condition"], metric=one["metric"])
        assert (told.point, told.low, told.high) == pytest.approx((one["point"], one["low"], one["high"]))


def test_differences_are_those_of_the_file(stored):
    against = {one["name"]: one["against"] for one in stored["conditions"]}
    for one in stored["comparisons"]:
        where = {"world": one["world"], "condition": one["name"], "against": against[one["name"]]}
        told = difference_of(stored, **where, metric=one["metric"])
        assert (told.point, told.low, told.high) == pytest.approx((one["point"], one["low"], one["high"]))


def test_values_come_seed_by_seed_whatever_the_order_of_the_file(stored):
    turned = {**stored, "runs": stored["runs"][::-1]}
    arguments = {"world": "land", "condition": "more", "metric": "ap"}
    values = seed_values(turned, **arguments)
    assert values == seed_values(stored, **arguments)
    by_seed = {one["seed"]: one["metrics"]["ap"] for one in stored["runs"] if one["condition"] == "more"}
    assert len(values) == len(by_seed) == 5


def test_the_best_by_another_number_is_chosen_seed_by_seed(stored):
    names = ["plain", "more"]
    chosen = chosen_by(stored, world="sea", candidates=names, by="ap")
    for seed, name in enumerate(chosen, 1):
        runs = {r["condition"]: r["metrics"]["ap"] for r in stored["runs"] if (r["world"], r["seed"]) == ("sea", seed)}
        assert runs[name] == max(runs[one] for one in names)
    assert chosen_by(stored, world="sea", candidates=["same", "plain"], by="ap")[0] in {"same", "plain"}


def test_what_is_not_there_is_refused(stored):
    with pytest.raises(OddemoError, match="no val_ap of more"):
        seed_values(stored, world="land", condition="more", metric="val_ap")
    with pytest.raises(OddemoError, match="conditions more, plain"):
        seed_values(stored, world="land", condition="most", metric="ap")


def test_curves_show_every_value_and_its_limits(stored):
    mpl.use("Agg")
    levels = {name: level_of(stored, world="land", condition=name, metric="ap") for name in ("plain", "more")}
    ax = plot_curves({"land": levels, "again": levels}, plt.figure().subplots(), title="both")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["plain", "more"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["land", "again"]
    drawn = ax.containers[0].lines[0].get_ydata()
    assert list(drawn) == pytest.approx([one.point for one in levels.values()])
    ends = ax.containers[0].lines[2][0].get_segments()
    assert [list(end[:, 1]) for end in ends] == [pytest.approx([one.low, one.high]) for one in levels.values()]
    plt.close("all")
    with pytest.raises(OddemoError, match="same settings"):
        plot_curves({"a": levels, "b": {"plain": levels["plain"]}})
