"""Make slides of the short course from its notebooks: one HTML file each that needs no network and no server.

    python tools/slides.py [NOTEBOOK …]     into runs/slides; the notebooks of the short course if none is named

`make slides` calls this. `tools/slides_rule.py` says which slides a notebook makes; nbconvert writes them with the
template in `tools/slides_deck`. Arrow keys, blank and Page Down go on, Home and End to the ends, F fills the screen;
printing gives a page for each slide.
"""

from __future__ import annotations

import base64
import io
import math
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from PIL import Image

import oddemo
from oddemo.files import write_text
from slides_rule import Slide, slides

ROOT = Path(__file__).resolve().parents[1]
SHORT_COURSE = ("00", "03", "10", "12", "15")
OUT = ROOT / "runs" / "slides"
#: A letter of a fixed-width font is so wide, and a line so high, as parts of the font's size.
LETTER, LINE = 0.61, 1.36
LARGEST_PX, READABLE_PX, SMALLEST_PX = 26, 16, 14
WIDTH_PX = 1150
#: What is left for printed text: alone on its slide, below code, below a figure.
ALONE_PX, BELOW_CODE_PX, BELOW_FIGURE_PX = 430, 330, 150
#: A figure that is less wide than so many times its height stands beside its numbers, not above them.
WIDE = 2.15
BESIDE_PX = (390, 290)
#: Words of a slide from so many letters on are set smaller.
MANY_LETTERS, VERY_MANY_LETTERS = 420, 800


def text_px(text: str, width_px: float, height_px: float) -> int:
    """Return the largest size of a fixed-width font in which a text fits; lines are broken where they must be."""
    rows = text.splitlines() or [""]
    longest = max(map(len, rows))
    unbroken = min(LARGEST_PX, int(width_px / (LETTER * max(1, longest))), int(height_px / (LINE * len(rows))))
    if unbroken >= READABLE_PX:
        return unbroken
    for size in range(LARGEST_PX, SMALLEST_PX, -1):
        # Words are not cut, so a wrapped line is never quite full.
        columns = 0.88 * width_px / (LETTER * size)
        lines = sum(max(1, math.ceil(len(row) / columns)) for row in rows)
        if lines * LINE * size <= height_px:
            return size
    return SMALLEST_PX


def without_local_links(words: str) -> str:
    """Return Markdown whose links into the repository are their text alone: a deck is carried around by itself."""
    return re.sub(r"\[([^\]]+)\]\((?!https?://)[^)]*\)", r"\1", words)


def _aspect(image: str) -> float:
    width, height = Image.open(io.BytesIO(base64.b64decode(image))).size
    return width / height


def as_cell(slide: Slide) -> Any:
    """Return a slide as a cell for the template; it exists in memory alone."""
    beside = slide.image is not None and "\n" in slide.printed and _aspect(slide.image[1]) < WIDE
    height = BELOW_FIGURE_PX if slide.image else BELOW_CODE_PX if slide.code else ALONE_PX
    room = BESIDE_PX if beside else (WIDTH_PX, height)
    letters = len(slide.words) + len(slide.question)
    cell = nbformat.v4.new_raw_cell(source="")
    cell.metadata["slide"] = {
        "kind": slide.kind,
        "heading": re.sub(r"`", "", slide.heading),
        "words": without_local_links(slide.words),
        "question": without_local_links(slide.question),
        "code": slide.code,
        "printed": slide.printed,
        "printed_px": text_px(slide.printed, *room),
        "code_px": min(22, text_px(slide.code, WIDTH_PX, 110)),
        "image": slide.image,
        "counts": " ".join(f"[{count}]" for count in slide.counts),
        "beside": "beside" if beside else "",
        "size": "tiny" if letters > VERY_MANY_LETTERS else "small" if letters > MANY_LETTERS else "",
    }
    return cell


def deck(path: Path) -> str:
    """Return the deck of a notebook as one HTML page."""
    found = slides(nbformat.read(path, as_version=4))
    shown = nbformat.v4.new_notebook(cells=[as_cell(slide) for slide in found])
    shown.metadata["deck"] = {"title": found[0].heading, "notebook": path.stem, "version": oddemo.__version__}
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="slides_deck",
        extra_template_basedirs=[str(Path(__file__).parent)],
        exclude_anchor_links=True,
    )
    page, _ = exporter.from_notebook_node(shown)
    return str(page).strip() + "\n"


def main() -> None:
    """Do what the command line says."""
    names = [Path(name) for name in sys.argv[1:]]
    course = [path for number in SHORT_COURSE for path in sorted((ROOT / "notebooks").glob(f"{number}_*.ipynb"))]
    for path in names or course:
        out = OUT / f"{path.stem}.slides.html"
        page = deck(path)
        write_text(out, page)
        place = out.relative_to(ROOT)
        print(f"{place}: {page.count('<section')} slides, {len(page) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
