"""Figures of notebooks carry what they show in words."""

from __future__ import annotations

import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from report_page import Page

from oddemo.errors import OddemoError
from oddemo.plots import show

ALT = 'A line that rises from "one" to two.'
CELL = f"""
%matplotlib inline
import matplotlib.pyplot as plt
from oddemo.plots import show
plt.plot([1, 2])
show({ALT!r})
"""


def test_a_notebooks_page_says_what_a_figure_shows():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, kernel_name="python3").execute()
    pictures = [one for one in notebook.cells[0].outputs if "image/png" in one.get("data", {})]
    assert [one.metadata["image/png"]["alt"] for one in pictures] == [ALT]
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert [image["alt"] for image in Page(page).named("img")] == [ALT]


def test_elsewhere_a_figure_is_shown_and_closed():
    figure = plt.figure()
    with warnings.catch_warnings():
        # Agg has no window to show.
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive", category=UserWarning)
        show(ALT, figure)
    assert not plt.fignum_exists(figure.number)


def test_words_that_say_nothing_are_refused():
    with pytest.raises(OddemoError, match="says too little"):
        show("a figure")
