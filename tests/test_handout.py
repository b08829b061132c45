"""The printed table of faults: read back out of the PDF, it says what the registry and the README say."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import pytest

import handout
import oddemo
import readme
from oddemo.audit.faults.registry import FAULTS

STREAM = re.compile(rb"(\d+) 0 obj\n<<((?:(?!endobj).)*?)>>\nstream\n(.*?)\nendstream", re.DOTALL)


def results() -> dict:
    return json.loads(handout.RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return handout.make(tmp_path_factory.mktemp("handout") / "handout.pdf", results()).read_bytes()


def streams(pdf: bytes) -> dict[int, bytes]:
    """Object number → content of each stream."""
    return {
        int(number): zlib.decompress(data) if b"FlateDecode" in head else data
        for number, head, data in STREAM.findall(pdf)
    }


def characters(cmap: bytes) -> dict[int, str]:
    """Glyph → character, as a font's ToUnicode table says it for readers and searches."""
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,8})>\n", cmap)
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def unescaped(text: bytes) -> bytes:
    swapped = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return re.sub(rb"\\(.)", lambda match: swapped.get(match[1], match[1]), text, flags=re.DOTALL)


def pages(pdf: bytes) -> list[str]:
    """The words of each page, in the order in which they were written."""
    objects = streams(pdf)
    fonts = {
        name: characters(objects[int(re.search(rb"/ToUnicode (\d+) 0 R", body)[1])])
        for name, number in set(re.findall(rb"/(F\d+) (\d+) 0 R", pdf))
        for body in [re.search(rb"\n%s 0 obj\n(.*?)endobj" % number, pdf, re.DOTALL)[1]]
    }
    found = []
    for content in objects.values():
        if b" Tf ET" not in content:
            continue
        words, font = [], {}
        for name, text in re.findall(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) ?(?=Tj|-?\d|\])", content, re.DOTALL):
            if name:
                font = fonts[name]
            else:
                glyphs = unescaped(text)
                words.append("".join(font[int.from_bytes(glyphs[i : i + 2], "big")] for i in range(0, len(glyphs), 2)))
        found.append(" ".join(words))
    return found


def test_it_has_two_pages_and_is_small(pdf: bytes) -> None:
    assert pdf.startswith(b"%PDF-")
    assert re.findall(rb"/Count (\d+)", pdf) == [b"2"]
    assert len(re.findall(rb"/Type /Page\b", pdf)) == len(pages(pdf)) == 2
    assert len(pdf) < 500_000
    # A4, landscape, in points.
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert (round(width), round(height)) == (842, 595)


def test_it_holds_every_fault_with_what_the_registry_says(pdf: bytes) -> None:
    text = re.sub(r"\s+", " ", " ".join(pages(pdf)))
    for fault in FAULTS:
        for words in (fault.id, fault.symptom, fault.cure):
            assert words in text, f"{fault.id}: {words}"


def test_costs_are_those_of_the_readme(pdf: bytes) -> None:
    text = re.sub(r"\s+", " ", " ".join(pages(pdf)))
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", readme.symptom_table(results()), re.MULTILINE)
    assert len(rows) >= 28
    for fault, change in rows:
        assert re.search(rf"\b{fault} .{{0,400}}?{re.escape(change)}", text), f"{fault}: {change}"


def test_each_page_says_where_its_numbers_come_from(pdf: bytes) -> None:
    told = results()["provenance"]
    for number, text in enumerate(pages(pdf), 1):
        for words in (f"oddemo {oddemo.__version__}", told["commit"], told["date"], f"page {number} of 2"):
            assert words in text


def test_fonts_are_embedded_and_nothing_has_a_colour(pdf: bytes) -> None:
    assert set(re.findall(rb"/FontFile\d? ", pdf))
    assert len(re.findall(rb"/FontFile2 ", pdf)) == len(set(re.findall(rb"/BaseFont /(\S+)", pdf))) == 4
    for content in streams(pdf).values():
        if b" Tf" in content:
            colours = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", content)
            assert all(red == green == blue for red, green, blue in colours)


def test_the_same_results_give_the_same_file(pdf: bytes, tmp_path: Path) -> None:
    assert handout.make(tmp_path / "again.pdf", results()).read_bytes() == pdf


def test_more_rows_than_a_page_holds_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handout, "FAULTS", [fault for fault in FAULTS for _ in range(2)])
    with pytest.raises(SystemExit, match="more rows than its page holds"):
        handout.make(tmp_path / "handout.pdf", results())
    assert list(tmp_path.iterdir()) == []
