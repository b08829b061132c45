"""Slides of the short course: what the rule takes from a notebook, and how the decks behave in a real browser."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_report_browser import BROWSERS

import slides
from slides_rule import first_sentences, parted
from slides_rule import slides as slides_of

ROOT = Path(__file__).resolve().parents[1]
COURSE = [path for number in slides.SHORT_COURSE for path in sorted((ROOT / "notebooks").glob(f"{number}_*.ipynb"))]
#: What is cut off, or stands where it should not, in the deck that is open: every page is laid out and looked at.
MEASURE = """
const root = document.documentElement, wrong = [];
root.classList.remove("shown");
for (const page of document.querySelectorAll("section")) {
  const box = page.getBoundingClientRect(), foot = page.querySelector("footer").getBoundingClientRect();
  for (const part of page.querySelectorAll("*:not(footer):not(footer *)")) {
    const at = part.getBoundingClientRect();
    if (at.bottom > foot.top + 1 || at.top < box.top || at.right > box.right || at.left < box.left)
      wrong.push(`${page.id}: ${part.tagName} ${part.className} ends at ${Math.round(at.bottom - box.top)}`);
    const size = parseFloat(getComputedStyle(part).fontSize);
    if (part.innerText && size < 13) wrong.push(`${page.id}: ${part.tagName} in ${size} px`);
  }
  for (const image of page.querySelectorAll("img")) {
    const high = image.naturalWidth ? image.clientHeight : 0;
    if (high < 220) wrong.push(`${page.id}: a figure ${high} px high`);
  }
}
root.classList.add("shown");
return wrong;
"""


def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def small() -> nbformat.NotebookNode:
    """A notebook with one of everything."""
    figure = new_output(
        "display_data", {"image/png": "AAAA", "text/plain": "<Figure>"}, metadata={"image/png": {"alt": "x"}}
    )
    lines = "".join(f"line {number}\n" for number in range(9))
    return new_notebook(
        cells=[
            new_markdown_cell("# Title\n\n**You will be able to**\n\n- see\n\n<!-- budget --> Budget: 5 s, 0.3 GB"),
            new_code_cell("from oddemo.doctor import doctor\n\ndoctor()", outputs=[said("ready\n")], execution_count=1),
            new_markdown_cell("## Part\n\nA lead. **Predict:** what comes? Write it down."),
            new_code_cell("import os\nprint(1)", outputs=[said("one\n")], execution_count=2),
            new_code_cell("plot()", outputs=[said("two\n"), figure], execution_count=3),
            new_markdown_cell("After it. **Predict:** and then?\n\n1. this\n2. that"),
            new_code_cell("plot()", outputs=[said(lines), figure], execution_count=4),
            new_markdown_cell("**What this does not show.** Much.\n\n**You can now**\n\n- see"),
            new_code_cell(
                "assert True", outputs=[said("hidden\n")], metadata={"tags": ["hide-cell"]}, execution_count=5
            ),
        ]
    )


def said(text: str) -> nbformat.NotebookNode:
    return new_output("stream", name="stdout", text=text)


def test_the_rule_makes_these_slides_of_a_notebook() -> None:
    found = slides_of(small())
    assert [(slide.kind, slide.heading) for slide in found] == [
        ("title", "Title"),
        ("section", "Part"),
        *[("output", "Part"), ("question", "Part"), ("output", "Part"), ("output", "Part"), ("note", "Part")],
    ]
    title, part, both, question, long, figure, note = found
    assert title.words == "**You will be able to**\n\n- see"
    assert (part.words, part.question) == ("A lead.", "**Predict:** what comes? Write it down.")
    assert (both.printed, both.words, both.counts) == ("one\ntwo", "After it.", (2, 3))
    assert both.image == ("image/png", "AAAA", "x")
    assert question.question == "**Predict:** and then?\n\n1. this\n2. that"
    assert (long.image, long.printed.count("\n")) == (None, 8)
    assert figure.image
    assert not figure.printed
    assert note.words == "**What this does not show.** Much."


@pytest.mark.parametrize(
    ("text", "letters", "kept"),
    [
        ("One. Two. Three.", 100, "One. Two. Three."),
        ("One. Two. Three.", 10, "One. Two."),
        ("One is long enough. Two.", 3, "One is long enough."),
        ("mAP is 0.5 here. `x` is it.", 100, "mAP is 0.5 here. `x` is it."),
        ("mAP is 0.5 here. `x` is it.", 17, "mAP is 0.5 here."),
    ],
)
def test_words_are_cut_at_the_end_of_a_sentence(text: str, letters: int, kept: str) -> None:
    assert first_sentences(text, letters) == kept


@pytest.mark.parametrize(
    ("paragraph", "asked"),
    [
        ("So it is.", ""),
        ("So it is. **Predict:** what?", "**Predict:** what?"),
        ("So it is. **Which of the nine?**", "**Which of the nine?**"),
        ("So it is. Again, **predict** it.", "Again, **predict** it."),
        ("**What this does not show.** Is it?", ""),
        ("A **bold** word.", ""),
    ],
)
def test_a_question_starts_with_its_sentence(paragraph: str, asked: str) -> None:
    said, found = parted(paragraph)
    assert found == asked
    assert f"{said} {found}".strip() == paragraph


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_every_figure_and_question_of_a_notebook_is_in_its_deck(path: Path) -> None:
    whole, found = notebook(path), slides_of(notebook(path))
    shown = [
        "".join(value).replace("\n", "")
        for cell in whole.cells
        for output in cell.get("outputs", [])
        for kind, value in output.get("data", {}).items()
        if kind.startswith("image/")
    ]
    assert [slide.image[1] for slide in found if slide.image] == shown
    words = "".join(cell.source for cell in whole.cells if cell.cell_type == "markdown")
    assert sum("**Predict" in slide.question for slide in found) == words.count("**Predict")
    hidden = next(cell for cell in whole.cells if "hide-cell" in cell.metadata.get("tags", []))
    assert not any(hidden.source.splitlines()[-1] in slide.code for slide in found)


def test_the_short_course_is_that_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Short of time, an hour of reading and running: {', '.join(slides.SHORT_COURSE)}." in readme
    assert len(COURSE) == len(slides.SHORT_COURSE)


def test_links_into_the_repository_are_words_in_a_deck() -> None:
    words = "[here](../docs/lanes.md) and [there](https://example.org/x)"
    assert slides.without_local_links(words) == "here and [there](https://example.org/x)"


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("slides")
    for path in COURSE:
        (folder / f"{path.stem}.slides.html").write_text(slides.deck(path), encoding="utf-8")
    return sorted(folder.iterdir())


def test_a_deck_names_nothing_outside_but_links(decks: list[Path]) -> None:
    for path in decks:
        page = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in page
        without_links = re.sub(r'<a href="https?://[^"]+"', "<a", page)
        assert re.findall(r"""(?:src|href)\s*=\s*["'](?!data:)[^"']*|@import|url\(""", without_links) == []
        figures = re.findall(r"<img [^>]*>", page)
        assert figures
        assert all('src="data:image/' in figure and re.search(r'alt="[^"]{5,}"', figure) for figure in figures)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    found, driver = next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which("chromedriver")
    if found is None or driver is None:
        words = "no chromium with its chromedriver on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words} (in CI the slides have to be looked at)")
        pytest.skip(words)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = found
    profile = tmp_path_factory.mktemp("profile")
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"):
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={profile}")
    page = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    window = webdriver.Chrome(options=options, service=Service(driver))
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", page)
    yield window
    window.quit()


def seen(browser, selector: str) -> list[str]:
    script = f"return [...document.querySelectorAll('{selector}')].filter(e => e.offsetParent).map(e => e.id)"
    return browser.execute_script(script)


def test_decks_open_from_a_file_ask_for_nothing_and_fit_their_pages(browser, decks: list[Path]) -> None:
    for path in decks:
        browser.get(path.as_uri())
        asked = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
        assert [name for name in asked if not name.startswith("data:")] == []
        assert browser.execute_script(MEASURE) == [], path.name
        assert seen(browser, "section") == ["slide-1"]
    # It would see what is cut off.
    browser.execute_script("document.querySelector('#slide-2').firstElementChild.style.paddingTop = '700px'")
    assert any(wrong.startswith("slide-2:") for wrong in browser.execute_script(MEASURE))


def test_keys_go_on_and_back_and_a_page_can_be_named(browser, decks: list[Path]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.get(decks[0].as_uri())
    count = len(browser.find_elements(By.TAG_NAME, "section"))
    body = browser.find_element(By.TAG_NAME, "body")
    places = []
    for key in (Keys.ARROW_RIGHT, Keys.SPACE, Keys.ARROW_LEFT, Keys.END, Keys.ARROW_RIGHT, Keys.HOME, Keys.ARROW_LEFT):
        body.send_keys(key)
        (place,) = seen(browser, "section")
        places.append(int(place.removeprefix("slide-")))
    assert places == [2, 3, 2, count, count, 1, 1]
    assert browser.current_url.endswith("#1")
    browser.execute_script("location.hash = '4'")
    assert seen(browser, "section") == ["slide-4"]


def test_each_slide_is_a_printed_page(browser, decks: list[Path]) -> None:
    browser.get(decks[0].as_uri())
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    count = browser.execute_script("return document.querySelectorAll('section').length")
    assert max(map(int, re.findall(rb"/Type /Pages\s+/Count (\d+)", pdf))) == count > 10
