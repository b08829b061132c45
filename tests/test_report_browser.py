"""The HTML report in a real browser: it renders, fits a phone and a page of paper, and asks the network for nothing."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_page import Page, hostile_audit

from oddemo.audit.report import write_html
from oddemo.audit.verdict import Audit

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
#: Measures the page that it stands in, and tells the page around.
MEASURE = r"""<script>addEventListener("load", () => setTimeout(() => {
  const root = document.documentElement, shown = [...document.querySelectorAll("svg.picture")];
  const wide = [...document.querySelectorAll("body *")].filter(
    e => !e.closest("svg") && e.getBoundingClientRect().right > innerWidth + 1);
  parent.document.getElementById("told").textContent = JSON.stringify({
    inner: innerWidth, scroll: root.scrollWidth, height: root.scrollHeight,
    wide: wide.map(e => e.tagName + "." + e.className),
    fetched: performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:")),
    blank: [...document.images].filter(i => !(i.complete && i.naturalWidth)).length,
    pictures: shown.length,
    empty: shown.filter(s => !(s.querySelector("image, use").getBBox().width > 1)).length,
    torn: [...document.querySelectorAll("[aria-labelledby=errors] tbody th")].filter(e => {
      const words = document.createRange();
      words.selectNodeContents(e);
      return words.getClientRects().length > e.textContent.trim().split(/\s+/).length;
    }).map(e => e.textContent),
    mistakes: document.querySelectorAll("[aria-labelledby=errors] tbody th").length,
    smallest: Math.min(...[...document.querySelectorAll("main *")]
      .filter(e => !e.closest("svg") && e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize))),
  });
}, 50));</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        words = f"no browser: install chromium, or put one of {', '.join(BROWSERS)} on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words} (in CI the report has to be looked at)")
        pytest.skip(words)
    return found


def run(browser: str, place: Path, *options: str) -> str:
    """Run the browser on a file with a profile of its own, and return what it prints."""
    profile = place.parent / "profile"
    command = [browser, *OPTIONS, f"--user-data-dir={profile}", *options, place.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, encoding="utf-8")
    shutil.rmtree(profile, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def measured(browser: str, report: Path, width: int) -> dict:
    """Open a copy that measures itself in a frame of that width: the browser's own window cannot be so narrow."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.read_text(encoding="utf-8"))
    framed = html.escape(text.replace("</body>", f"{MEASURE}</body>"))
    outer = report.with_name(f"outer_{width}.html")
    outer.write_text(
        f'<meta charset="utf-8"><body style="margin:0"><pre id="told"></pre>'
        f'<iframe style="border:0;width:{width}px;height:800px" srcdoc="{framed}"></iframe>',
        encoding="utf-8",
    )
    dom = run(browser, outer, "--virtual-time-budget=5000", "--window-size=1600,900", "--dump-dom")
    told = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert told, dom[:500]
    return json.loads(html.unescape(told.group(1)))


@pytest.fixture(scope="module")
def report(channel_order_audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_html(channel_order_audit, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def hostile(channel_order_audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_html(hostile_audit(channel_order_audit), tmp_path_factory.mktemp("hostile") / "report.html")


def test_the_browser_shows_the_verdict(browser: str, report: Path, channel_order_audit: Audit) -> None:
    dom = Page(run(browser, report, "--dump-dom"))
    assert "The export differs from the reference, first at pixels" in dom.text
    assert channel_order_audit.causes[0].fix in dom.text
    assert len(dom.of_class("picture")) == 18


@pytest.mark.parametrize("width", [320, 360, 768, 901, 1200])
@pytest.mark.parametrize("name", ["report", "hostile"])
def test_it_fits_any_width_and_fetches_nothing(browser: str, name: str, width: int, request) -> None:
    told = measured(browser, request.getfixturevalue(name), width)
    assert told["inner"] == width
    assert told["scroll"] <= width, told["wide"]
    assert told["wide"] == []
    assert told["fetched"] == []
    assert (told["pictures"], told["empty"], told["blank"]) == (18, 0, 0)
    assert told["smallest"] >= 12.0
    assert told["mistakes"] >= 5
    assert told["torn"] == []
    assert 1500 < told["height"] < 40_000


def test_hostile_names_stay_text_in_the_browser(browser: str, report: Path, hostile: Path) -> None:
    harmless, dom = (Page(run(browser, path, "--dump-dom")) for path in (report, hostile))
    assert not dom.named("script")
    assert {tag for tag, _ in dom.tags} == {tag for tag, _ in harmless.tags}
    assert not [attrs for _, attrs in dom.tags if "onerror" in attrs]
    assert len(dom.named("h1")) == 1
    assert "<script>alert(1)</script>.jpg" in dom.text
    assert r"new\nline" in dom.text


def test_a_screenshot_shows_the_pictures(browser: str, report: Path, channel_order_audit: Audit) -> None:
    shot = report.with_name("shot.png")
    run(browser, report, f"--screenshot={shot}", "--window-size=1200,2400")
    with Image.open(shot) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.int16)
    assert pixels.shape == (2400, 1200, 3)
    for colour in ((0x56, 0xB4, 0xE9), (0xEC, 0xE1, 0x33), (0xB3, 0x47, 0x00)):
        assert (np.abs(pixels - colour).max(axis=2) < 12).sum() > 300, colour
    assert len(np.unique(pixels[::10, ::10].reshape(-1, 3), axis=0)) > 1000


def test_it_prints_on_few_pages(browser: str, report: Path) -> None:
    printed = report.with_name("report.pdf")
    run(browser, report, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    content = printed.read_bytes()
    assert content.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 8
