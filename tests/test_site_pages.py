"""The finished site as a browser shows it; `make site` makes it, and `make test` does so before it runs this."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oddemo.audit.faults.registry import FAULTS
from website.links import check_pages

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "runs" / "site" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: One page of each kind, looked at in every width.
PAGES = (
    "index.html",
    "course.html",
    "faults/index.html",
    "faults/nms_iou.html",
    "faults/resize_kernel.html",
    "notebooks/10_preprocessing_faults.html",
    "notebooks/13_version_mismatch.html",
    "api/oddemo.metrics.html",
    "docs/glossary.html",
    "docs/ways_in.html",
)


@pytest.fixture(autouse=True)
def pages() -> None:
    """Asked when a test runs, as `make test` makes the pages while the first tests run."""
    if not (HTML / "index.html").is_file():
        words = "no site yet: make site"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words} (in CI the site has to be looked at)")
        pytest.skip(words)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    places = [next(filter(None, map(shutil.which, names)), None) for names in (BROWSERS, ("chromedriver",))]
    if None in places:
        words = "no browser: install chromium and its driver"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words} (in CI the site has to be looked at)")
        pytest.skip(words)
    options = ChromeOptions()
    options.binary_location = places[0]
    profile = tmp_path_factory.mktemp("profile")
    for option in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", f"user-data-dir={profile}"):
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(places[1]))
    yield driver
    driver.quit()


def opened(browser: Chrome, page: str, width: int = 1400) -> dict:
    """Open a page in a window of that width, and return what it asked for and how it lies."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("performance")
    path, _, query = page.partition("?")
    browser.get((HTML / path).as_uri() + (f"?{query}" if query else ""))
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    told: dict = browser.execute_script(
        """const root = document.documentElement;
        const held = e => { for (let p = e.parentElement; p; p = p.parentElement)
          if (["auto", "scroll", "hidden"].includes(getComputedStyle(p).overflowX)) return true; return false; };
        return {inner: innerWidth, scroll: root.scrollWidth,
          wide: [...document.querySelectorAll("article *")].filter(
            e => e.getBoundingClientRect().right > innerWidth + 1 && !held(e)).map(e => e.tagName + "." + e.className),
          blank: [...document.images].filter(i => i.loading != "lazy" && !(i.complete && i.naturalWidth)).length,
          pictures: document.images.length, silent: [...document.images].filter(i => !i.hasAttribute("alt")).length}"""
    )
    return {**told, "asked": asked}


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_window_and_asks_nobody(browser: Chrome, page: str, width: int) -> None:
    told = opened(browser, page, width)
    assert told["asked"]
    assert [address for address in told["asked"] if not address.startswith(("file:", "data:"))] == []
    assert told["inner"] == width
    assert told["scroll"] <= width
    assert told["wide"] == []
    assert told["blank"] == 0
    assert told["silent"] == 0


@pytest.mark.parametrize("page", ["faults/index.html", "faults/nms_iou.html", "faults/resize_kernel.html"])
def test_tables_of_costs_have_room_on_a_laptop(browser: Chrome, page: str) -> None:
    opened(browser, page, 1200)
    tables = browser.execute_script(
        """return [...document.querySelectorAll(".pst-scrollable-table-container")].map(
          e => [e.scrollWidth, e.clientWidth])"""
    )
    assert tables
    assert [sizes for sizes in tables if sizes[0] > sizes[1]] == []


def test_each_page_has_a_title_of_its_own(browser: Chrome) -> None:
    pages = [path for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
    titles = [re.search(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.DOTALL)[1] for page in pages]
    twice = {title for title in titles if titles.count(title) > 1}
    assert twice == set()
    opened(browser, "index.html")
    assert browser.title == "Why an exported TensorFlow object detector behaves differently — oddemo"


def test_no_page_scrolls_sideways_on_a_phone(browser: Chrome) -> None:
    pages = [path.relative_to(HTML).as_posix() for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
    assert len(pages) > 70
    assert [page for page in pages if opened(browser, page, 390)["scroll"] > 390] == []


def test_search_finds_a_word(browser: Chrome) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    opened(browser, "search.html?q=letterbox")

    def finds(page: str) -> bool:
        return any(page in link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "ul.search a"))

    for page in ("faults/aspect_ratio.html", "docs/glossary.html", "notebooks/03_export"):
        WebDriverWait(browser, 20).until(lambda _, page=page: finds(page), page)


def test_checks_at_the_end_of_a_notebook_are_folded(browser: Chrome) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    opened(browser, "notebooks/00_start_here.html")
    (folded,) = browser.find_elements(By.CSS_SELECTOR, "details.hide")
    assert folded.get_attribute("open") is None
    assert "assert" not in folded.text
    folded.find_element(By.TAG_NAME, "summary").click()
    WebDriverWait(browser, 20).until(lambda _: "assert" in folded.text)


def test_every_fault_and_notebook_has_its_page_and_all_links_hold() -> None:
    assert [fault.id for fault in FAULTS if not (HTML / "faults" / f"{fault.id}.html").is_file()] == []
    lessons = [path.stem for path in ROOT.glob("notebooks/*.ipynb")]
    assert [name for name in lessons if not (HTML / "notebooks" / f"{name}.html").is_file()] == []
    found = check_pages(HTML)
    assert found.pages > 70
    assert (found.broken, found.loaded, found.without_alt) == ((), (), ())
