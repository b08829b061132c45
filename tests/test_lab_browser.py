"""The notebooks with sliders in a real JupyterLab: what is turned by keyboard changes the picture and the numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from lab_page import BROWSERS, Lab, NotebookPage, driven, find_browser, lab_of, needed_cells
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
TOUCHED = {"10_preprocessing_faults": "network input: ", "12_output_handling": "threshold 0.05, overlap 0.50: "}
PICTURE, NUMBERS = "img.oddemo-picture", "pre.oddemo-numbers"
#: Opens a menu and takes its next entry. While it is closed, JupyterLab takes the arrows for itself.
NEXT = (Keys.SPACE, Keys.ARROW_DOWN, Keys.ENTER)
KNOBS = ".jupyter-widgets .noUi-handle, .jupyter-widgets input, .jupyter-widgets select"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on notebooks that hold the cells with sliders and what these need."""
    folder = tmp_path_factory.mktemp("lab")
    for name in TOUCHED:
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        notebook.cells = needed_cells(notebook, "touch")
        for cell in notebook.cells:
            cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, folder / f"{name}.ipynb")
    with lab_of(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    found = find_browser()
    if found is None:
        words = f"no browser: put one of {', '.join(BROWSERS)} and chromedriver on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words} (in CI the sliders have to be moved)")
        pytest.skip(words)
    with driven(found, tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def open_page(lab: Lab, browser: WebDriver) -> Callable[[str], NotebookPage]:
    """Given a notebook, the page on which all its cells have run."""

    def opened(name: str) -> NotebookPage:
        page = NotebookPage(browser, lab, f"{name}.ipynb")
        page.run_all()
        assert page.prompts() == [f"[{number}]:" for number in range(1, len(page.prompts()) + 1)]
        assert page.errors() == []
        return page

    return opened


def shown(page: NotebookPage) -> tuple[str, str, str]:
    """What is seen: the picture's data, the words for it, the numbers."""
    picture = page.seen(PICTURE)
    return str(picture.get_attribute("src")), str(picture.get_attribute("alt")), page.seen(NUMBERS).text


def press(page: NotebookPage, place: int, *keys: str, says: str) -> tuple[str, str, str]:
    """Give keys to a knob by its place among all, wait until the picture's words say so, and return what is seen."""
    before = shown(page)
    for key in keys:
        page.all_of(KNOBS)[place].send_keys(key)
    page.wait_until(lambda: says in shown(page)[1])
    # The numbers are there before the picture is.
    now = shown(page)
    assert now[0] != before[0], f"{says}: the picture is the same"
    assert now[2] != before[2], f"{says}: the numbers are the same"
    return now


def names(page: NotebookPage) -> list[tuple[str, str]]:
    """What a screen reader calls each knob that it has a name for."""
    knobs = [one for one in page.all_of(KNOBS) if one.accessible_name]
    return [(str(one.aria_role), one.accessible_name) for one in knobs]


def test_the_knobs_after_the_network(open_page, tmp_path):
    page = open_page("12_output_handling")
    start = shown(page)
    assert start[0].startswith("data:image/jpeg;base64,")
    assert start[2].startswith(TOUCHED["12_output_handling"])
    assert names(page) == [
        ("spinbutton", "score threshold"),
        ("spinbutton", "overlap"),
        ("spinbutton", "picture"),
        ("combobox", "class of the curve"),
    ]
    # A field and its slider stand side by side.
    stricter = press(page, 1, Keys.ARROW_RIGHT, says="threshold 0.10, overlap 0.50")
    assert stricter[2].startswith("threshold 0.10, overlap 0.50: ")
    press(page, 1, Keys.ARROW_RIGHT, says="threshold 0.15, overlap 0.50")
    looser = press(page, 2, Keys.ARROW_UP, says="threshold 0.15, overlap 0.55")
    other = press(page, 6, *NEXT, says="of the class pit")
    assert other[2].splitlines()[:2] == looser[2].splitlines()[:2]
    assert other[2].splitlines()[2].startswith("pit: ")
    assert page.fits(PICTURE)
    page.browser.save_screenshot(str(tmp_path / "output.png"))
    assert page.errors() == []


def test_the_knobs_before_the_network(open_page, tmp_path):
    page = open_page("10_preprocessing_faults")
    start = shown(page)
    assert start[2].startswith(TOUCHED["10_preprocessing_faults"])
    assert "prepared as in training" in start[1]
    assert [name for _, name in names(page)] == [
        *("normalisation", "colours", "resizing", "shape", "picture", "class of the curve")
    ]
    press(page, 1, *NEXT, says="the network, colours as BGR.")
    press(page, 3, *NEXT, says="the network, stretched to a square, colours as BGR.")
    assert page.fits(PICTURE)
    page.browser.save_screenshot(str(tmp_path / "input.png"))
    assert page.errors() == []
