"""Print the table of faults for a workshop: two pages of A4, landscape, black on white.

    python tools/handout.py [FILE]     runs/handout.pdf if no file is named; `make handout` calls this

What people see, the first stage that differs and the cure are the registry's; the cost is the README's, from
results/fault_benchmark.json. The same results give the same file, byte by byte.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from fpdf import FPDF

import oddemo
from oddemo.audit.faults.record import Fault
from oddemo.audit.faults.registry import FAULTS
from oddemo.files import atomic_file
from readme import costs_of_faults, in_words

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "fault_benchmark.json"
OUT = ROOT / "runs" / "handout.pdf"
#: Heading of each column and its width in millimetres; what is left of the page is the column of intervals.
COLUMNS = {"first seen at": 23.0, "fault": 46.0, "what people see": 76.5, "what to do": 76.5, "change in mAP": 30.5}
MARGIN_MM, TOP_MM, LINE_MM, PAD_MM = 10.0, 22.0, 3.7, 1.2
TEXT_PT, SMALL_PT, TITLE_PT = 8.5, 7.5, 15.0
#: What the drawn intervals span.
SCALE = (-0.8, 0.1)
#: The stage with which the second page begins.
SECOND_PAGE = "decoded"
#: How to go about it: a command or a verdict, and what to do with it.
STEPS = {
    "oddemo inspect DETECTOR EXPORT": "Reads both, runs neither. Write beside each difference who makes it good.",
    "oddemo audit --reference tfvision:DETECTOR --candidate savedmodel:EXPORT --images DIR": "A dozen pictures.",
    "… --candidate python:FILE.py:FUNCTION, tflite:FILE or trace:FILE.npz": "The same for a script, a phone, a server.",
    "diverges": "Apply each fix, export again, audit again.",
    "unexplained": "Look at the first stage that differs; audit the export without its script.",
    "faithful, and still poor": "Add --truth BOXES.json and a few hundred pictures: look at data and training.",
}


class Sheet(FPDF):
    """A page with its title above and where its numbers come from below.

    Args:
        source: The line at the foot of each page.
    """

    def __init__(self, source: str) -> None:
        super().__init__(orientation="landscape", format="A4")
        self.source = source
        self.set_margin(MARGIN_MM)
        self.set_auto_page_break(False)
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        for name, style, file in (
            ("text", "", "DejaVuSans.ttf"),
            ("text", "B", "DejaVuSans-Bold.ttf"),
            ("code", "", "DejaVuSansMono.ttf"),
            ("code", "B", "DejaVuSansMono-Bold.ttf"),
        ):
            self.add_font(name, style, fonts / file)

    def header(self) -> None:
        """Title, and the heads of the columns; called by fpdf2 for each page."""
        self.set_xy(MARGIN_MM, 7)
        self.set_font("text", "B", TITLE_PT)
        self.cell(0, 7, "Why does my exported detector behave differently?")
        self.set_xy(MARGIN_MM, TOP_MM - 6)
        self.set_font("text", "B", TEXT_PT)
        for words, width in COLUMNS.items():
            self.cell(width, 5, words)
        self.set_font("text", "", SMALL_PT)
        for tick in (-0.8, -0.4, 0.0):
            self.set_xy(self.at(tick) - 5, TOP_MM - 6)
            self.cell(10, 5, f"{tick:+.1f}" if tick else "0", align="C")
        self.set_line_width(0.5)
        self.line(MARGIN_MM, TOP_MM - 0.7, self.w - MARGIN_MM, TOP_MM - 0.7)
        self.set_y(TOP_MM)

    def footer(self) -> None:
        """Where the numbers come from, and the page."""
        self.set_xy(MARGIN_MM, self.h - 9)
        self.set_font("text", "", SMALL_PT)
        self.cell(0, 4, self.source)
        self.set_xy(MARGIN_MM, self.h - 9)
        self.cell(0, 4, f"page {self.page_no()} of 2", align="R")

    def at(self, change: float) -> float:
        """Return where a change in mAP lies, in millimetres from the left."""
        left, right = MARGIN_MM + sum(COLUMNS.values()) + 2, self.w - MARGIN_MM - 3
        low, high = SCALE
        return left + (right - left) * (min(max(change, low), high) - low) / (high - low)

    def row(self, fault: Fault, cost: dict[str, float] | None, first_of_stage: bool) -> None:
        """Write one fault; a rule and the name of the stage stand before the first of each stage."""
        top = self.get_y()
        if first_of_stage and top > TOP_MM:
            self.set_line_width(0.3)
            self.line(MARGIN_MM, top, self.w - MARGIN_MM, top)
        change = in_words(cost).replace(" [", "\n[") if cost else "not a fault"
        cells = (fault.shows_at if first_of_stage else "", fault.id, fault.symptom, fault.cure, change)
        fonts = (("text", "B"), ("code", "B"), ("text", ""), ("text", ""), ("text", ""))
        x, bottom = MARGIN_MM, top
        for text, (family, style), width in zip(cells, fonts, COLUMNS.values(), strict=True):
            self.set_xy(x, top + PAD_MM)
            self.set_font(family, style, TEXT_PT)
            self.multi_cell(width - 1.5, LINE_MM, text, align="L", new_x="LEFT", new_y="NEXT")
            bottom = max(bottom, self.get_y())
            x += width
        bottom += PAD_MM
        self._interval(cost, (top + bottom) / 2, bottom - top)
        self.set_draw_color(170)
        self.set_line_width(0.1)
        self.line(MARGIN_MM + COLUMNS["first seen at"], bottom, self.w - MARGIN_MM, bottom)
        self.set_draw_color(0)
        self.set_y(bottom)
        if bottom > self.h - 11:
            raise SystemExit(f"The handout has more rows than its page holds, at {fault.id}.")

    def _interval(self, cost: dict[str, float] | None, middle: float, height: float) -> None:
        """Draw the interval as a bar with its point; the dashed line is no change."""
        self.set_line_width(0.15)
        self.set_dash_pattern(dash=0.6, gap=0.6)
        self.line(self.at(0), middle - height / 2, self.at(0), middle + height / 2)
        self.set_dash_pattern()
        if cost:
            self.set_line_width(0.7)
            self.line(self.at(cost["low"]), middle, self.at(cost["high"]), middle)
            self.set_fill_color(0)
            self.circle(self.at(cost["point"]), middle, 0.9, style="F")


def make(out: Path, results: dict[str, Any]) -> Path:
    """Write the handout.

    Args:
        out: The file.
        results: Content of `results/fault_benchmark.json`.
    """
    costs, told = costs_of_faults(results), results["provenance"]
    images = next(iter(costs.values()))["images"]
    sheet = Sheet(f"oddemo {oddemo.__version__} · results of {told['date']}, commit {told['commit']}")
    sheet.set_title("oddemo: the table of faults")
    sheet.set_lang("en-GB")
    sheet.set_creation_date(datetime.datetime.fromisoformat(told["date"]).replace(tzinfo=datetime.timezone.utc))
    before = ""
    for fault in FAULTS:
        if not before or (fault.shows_at == SECOND_PAGE != before):
            sheet.add_page()
        sheet.row(fault, costs.get(fault.id), fault.shows_at != before)
        before = fault.shows_at
    notes(sheet, int(images))
    with atomic_file(out) as temporary:
        sheet.output(str(temporary))
    return out


def notes(sheet: Sheet, images: int) -> None:
    """Write how to read the table and how to go about it, below the last row."""
    sheet.set_xy(MARGIN_MM, sheet.get_y() + 4)
    sheet.set_font("text", "", SMALL_PT)
    sheet.multi_cell(
        0,
        LINE_MM,
        "Change in mAP of the strongest form of each fault that was planted in an export of a small detector of drawn "
        f"pictures, with its 95 % interval ({images} pictures, both sides on the same). An interval that holds 0 says "
        "that these pictures cannot tell a loss from luck. Which fault it is carries over to your detector; how much "
        "it costs does not: measure it on your pictures.",
        align="L",
        new_x="LMARGIN",
        new_y="NEXT",
    )
    sheet.set_y(sheet.get_y() + 2)
    sheet.set_font("text", "B", TEXT_PT)
    sheet.cell(0, 5, "How to find out which", new_x="LMARGIN", new_y="NEXT")
    for command, step in STEPS.items():
        sheet.set_font("code", "", SMALL_PT)
        sheet.cell(150, 4.2, command)
        sheet.set_font("text", "", SMALL_PT)
        sheet.cell(0, 4.2, step, new_x="LMARGIN", new_y="NEXT")
    if sheet.get_y() > sheet.h - 10:
        raise SystemExit("The notes of the handout do not fit on its second page.")


def main() -> None:
    """Do what the command line says."""
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        raise SystemExit(__doc__)
    out = make(Path(sys.argv[1]) if len(sys.argv) == 2 else OUT, json.loads(RESULTS.read_text(encoding="utf-8")))
    print(f"{out}: 2 pages, {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
