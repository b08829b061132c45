"""What the site is made of: links, alternative texts, docstrings, the catalogue of faults, the list of notebooks."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from oddemo.audit.faults.registry import FAULTS
from website.alt_text import stored_words
from website.catalogue import overview, read_results
from website.costs import DETECTORS, story_of, trials_of
from website.course import course_page, lessons
from website.docstrings import as_rest
from website.examples import as_jpeg, found_on_picture, seen_by_network
from website.external import problem, problems
from website.links import check_pages
from website.practice import opening_of
from website.reference import packages
from website.source_links import broken, headings, local_targets, prose
from website.staging import MOVED, copy_page, repository_pages

ROOT = Path(__file__).resolve().parents[1]
RESULTS = read_results(ROOT)


def picture(grey: int) -> str:
    data = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), grey, np.uint8)).save(data, format="PNG")
    return base64.b64encode(data.getvalue()).decode()


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    def shown(grey: int, alt: str | None) -> nbformat.NotebookNode:
        metadata = {} if alt is None else {"image/png": {"alt": alt}}
        data = {"image/png": picture(grey), "text/plain": ["<Figure>"]}
        return nbformat.v4.new_output("display_data", data=data, metadata=metadata)

    cells = [
        nbformat.v4.new_markdown_cell("# A notebook"),
        nbformat.v4.new_code_cell(
            "show()", execution_count=1, outputs=[shown(10, 'Two "boxes" & a line'), shown(20, None)]
        ),
        nbformat.v4.new_code_cell("assert True", execution_count=2, metadata={"tags": ["hide-cell"]}),
    ]
    source = tmp_path / "source"
    source.mkdir()
    metadata = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), source / "index.ipynb")
    return source / "index.ipynb"


def test_stored_words_become_alternative_texts_and_checks_are_folded(notebook: Path, tmp_path: Path) -> None:
    out = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-C", "-b", "html", "-D", "nb_execution_mode=off"]
    command += ["-D", "extensions=myst_nb,website.alt_text", str(notebook.parent), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    subprocess.run(command, check=True, env=environment)
    page = (out / "index.html").read_text(encoding="utf-8")
    images = re.findall(r"<img [^>]*src=\"_images/[^>]*>", page)
    assert [re.search(r'alt="([^"]*)"', image)[1] for image in images] == ["Two &quot;boxes&quot; &amp; a line", ""]
    folded = re.search(r"<details.*?</details>", page, re.DOTALL)
    assert folded
    assert "True" in folded[0]


def test_words_are_found_by_the_hash_of_the_picture(notebook: Path) -> None:
    words = stored_words(json.loads(notebook.read_text(encoding="utf-8")))
    assert sorted(words.values()) == ["", 'Two "boxes" & a line']
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in words)


def test_docstrings_become_plain_rest() -> None:
    assert as_rest(["`kind:place` of `Audit`s, |a| * b", "", "    `x:y` *"]) == [
        r"``kind:place`` of `Audit`\ s, \|a\| \* b",
        "",
        r"    ``x:y`` \*",
    ]
    assert as_rest(["As follows:", "", "    a `b:c` *", "", "Then `d:e`."]) == [
        "As follows::",
        "",
        "    a `b:c` *",
        "",
        "Then ``d:e``.",
    ]
    assert as_rest(["Args:", "    one: `a/b`."]) == ["Args:", "    one: ``a/b``."]


def test_links_in_pages_and_notebooks_of_the_repository_hold() -> None:
    pages = [Path("README.md"), *repository_pages(ROOT)]
    assert len([page for page in pages if page.suffix == ".ipynb"]) >= 15
    assert broken(ROOT, pages) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = "# Top\n\n[a](b.md) [c](b.md#two-words) [d](#top) [e](https://f.org) `[g](h.md)`\n\n## Two `words`\n"
    (tmp_path / "a.md").write_text(page, encoding="utf-8")
    (tmp_path / "b.md").write_text("# Two words\n", encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell("[x](b.md#gone) ![y](none.png)"), nbformat.v4.new_code_cell("[z](z.md)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
    assert broken(tmp_path, [Path("a.md"), Path("n.ipynb")]) == ["n.ipynb: b.md#gone", "n.ipynb: none.png"]
    assert headings(page) == {"top", "two-words"}
    assert headings("# a\n\n# a\n") == {"a", "a-1"}
    assert local_targets(page) == ["b.md", "b.md#two-words", "#top"]


def test_the_check_of_pages_finds_what_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "a.css").write_text("@import 'https://fonts.example/a.css';", encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="there">', encoding="utf-8")
    links = '<a href="b.html#there">1</a><a href="b.html#gone">2</a><a href="c.html">3</a><a href="#">4</a>'
    loads = '<script src="https://cdn.example/x.js"></script><link rel="canonical" href="https://a.example/">'
    pictures = '<img src="d.png"><img alt="" src="data:image/png;base64,AA">'
    style = '<style>a { background: url("//e.example/f.png") }</style>'
    outside = '<a href="https://g.example/">5</a><a href="../outside.html">6</a>'
    (tmp_path / "a.html").write_text(links + loads + pictures + style + outside, encoding="utf-8")
    found = check_pages(tmp_path)
    assert found.broken == (
        "a.html: b.html#gone",
        "a.html: c.html",
        "a.html: ../outside.html",
        "a.html: d.png",
    )
    assert found.loaded == (
        "a.html: https://cdn.example/x.js",
        "a.html: //e.example/f.png",
        "_static/a.css: https://fonts.example/a.css",
    )
    assert found.external == ("https://a.example/", "https://g.example/")
    assert found.without_alt == ("a.html: d.png",)


def test_addresses_outside_are_asked(tmp_path: Path) -> None:
    codes = {"/there": 200, "/gone": 404, "/busy": 429}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        top = f"http://127.0.0.1:{server.server_port}"
        gone = problems([top + path for path in codes])
        server.shutdown()
        thread.join()
    assert gone == {f"{top}/gone": "HTTP 404"}
    assert "refused" in problem(f"{top}/there", tries=1).lower()


def test_every_planted_trial_is_in_the_catalogue() -> None:
    told = [trial for fault in FAULTS for trial in trials_of(RESULTS, fault.id)]
    assert len(told) == sum(trial["kind"] == "single" for trial in RESULTS["trials"]) > 200
    assert {trial.detector for trial in told} == set(DETECTORS)
    assert [f"{one.fault}/{one.variant}" for one in told if not story_of(one.fault, one.variant)] == []
    page = overview(RESULTS)
    assert [fault.id for fault in FAULTS if f"[`{fault.id}`]({fault.id}.md)" not in page] == []


def test_costs_are_those_of_the_result() -> None:
    (stored,) = [one for one in RESULTS["trials"] if one["name"] == "inspection channel_order/in_graph"]
    (told,) = [
        one for one in trials_of(RESULTS, "channel_order") if (one.detector, one.variant) == ("inspection", "in_graph")
    ]
    assert (told.point, told.low, told.high) == tuple(stored["delta_map"][key] for key in ("point", "low", "high"))
    assert (told.named, told.first_stage) == ("channel_order", stored["first_divergence"])


def test_examples_show_the_fault_and_say_so() -> None:
    turned, order = seen_by_network("channel_order"), found_on_picture("box_order")
    assert turned
    assert "blue, green, red" in turned.words
    assert order
    assert "y for x" in order.words
    assert seen_by_network("label_map") is None
    assert found_on_picture("ema_weights") is None
    sizes = [Image.open(io.BytesIO(as_jpeg(one.figure))).size for one in (turned, order)]
    assert min(min(size) for size in sizes) > 300


def test_the_list_of_lessons_is_made_of_the_notebooks_own_words() -> None:
    found = lessons(ROOT)["Notebooks"]
    assert [lesson.path for lesson in found] == sorted(p.relative_to(ROOT) for p in ROOT.glob("notebooks/*.ipynb"))
    page = course_page(ROOT)
    for lesson in found:
        assert lesson.aims
        assert lesson.budget
        assert lesson.title in page
        assert f"- {lesson.aims[0]}" in prose(ROOT / lesson.path)


def test_the_reference_leaves_no_package_out() -> None:
    found = packages(ROOT)
    assert {"oddemo", "oddemo.audit", "oddemo.audit.faults", "oddemo.metrics", "oddemo.plots"} <= set(found)
    assert "oddemo.audit.run" in found["oddemo.audit"]
    assert not [name for names in found.values() for name in names if "__" in name or ".cli." in name]


def test_links_to_the_readme_lead_to_the_page_that_tells_it_here(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("[symptoms](../README.md#what-it-finds), [top](../README.md)", encoding="utf-8")
    copy_page(page, tmp_path / "site" / "page.md")
    told = (tmp_path / "site" / "page.md").read_text(encoding="utf-8")
    assert told == "[symptoms](../faults/index.md), [top](../README.md)"
    for place, page_there in MOVED.items():
        name, _, heading = place.partition("#")
        assert heading in headings(prose(ROOT / name))
        assert page_there == "faults/index.md"


def test_solutions_have_a_title_of_their_own_and_exercises_say_how_they_are_run(tmp_path: Path) -> None:
    told = lessons(ROOT)
    titles = [[lesson.title for lesson in told[heading]] for heading in ("Exercises", "Solutions")]
    assert [title.replace("Exercises", "Solutions", 1) for title in titles[0]] == titles[1]
    assert not set(titles[0]) & set(titles[1])
    for folder, words in (
        ("exercises", "`make lab`"),
        ("solutions", "One way to answer the [exercises](../exercises/"),
    ):
        for path in sorted((ROOT / "notebooks" / folder).glob("*.ipynb")):
            copy_page(path, tmp_path / folder / path.name)
            copied, stored = (nbformat.read(one, as_version=4) for one in (tmp_path / folder / path.name, path))
            assert words in copied.cells[0].source
            assert copied.cells[0].source.startswith(f"# {folder.capitalize()} {path.stem[:2]}: ")
            assert copied.cells[1:] == stored.cells[1:]
    lesson = ROOT / "notebooks" / "00_start_here.ipynb"
    copy_page(lesson, tmp_path / lesson.name)
    assert (tmp_path / lesson.name).read_bytes() == lesson.read_bytes()
    assert opening_of(lesson, "# A") == "# A"
