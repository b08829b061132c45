"""Which slides a notebook makes: a rule, as notebooks hold no notes about slides.

A heading starts a slide, with the first sentences below it. A question to predict is a slide of its own where no
heading stands before it, so that it can be left on the wall while the room runs the cell. What a cell printed or drew
is a slide, with the sentence that follows it. Long code, the doctor's cell and the closing asserts are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import nbformat

#: A lead below a heading, and a sentence after an output, are cut at a sentence's end to so many letters.
LEAD_LETTERS, CAPTION_LETTERS, NOTE_LETTERS = 330, 230, 560
#: Longer code is left to the notebook; lines that import do not count.
CODE_LINES = 3
#: More printed lines than these do not fit below a figure, and become a slide before it.
LINES_BELOW_FIGURE = 5
CLOSING = re.compile(r"^\*\*You can now\*\*")
BUDGET = re.compile(r"^<!-- budget -->.*$", re.MULTILINE)
DOCTOR = "from oddemo.doctor import doctor"
LIMIT = re.compile(r"^\*{1,2}What this does not show")
QUESTION = re.compile(r"\*\*[^*]*(?:[Pp]redict|Before you|\?)[^*]*\*\*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z*`(\"0-9])")


@dataclass(frozen=True)
class Slide:
    """One page of a deck.

    Args:
        kind: `title`, `section`, `question`, `output` or `note`.
        heading: The section of the notebook that it belongs to.
        words: Markdown: lead, list or table.
        question: Markdown: what is asked before the run.
        code: The cell's code, where it is short.
        printed: What the cells printed.
        image: `(media type, base64, alternative text)` of the figure, if there is one.
        counts: Execution counts of the cells, so that people find them in the notebook.
    """

    kind: str
    heading: str
    words: str = ""
    question: str = ""
    code: str = ""
    printed: str = ""
    image: tuple[str, str, str] | None = None
    counts: tuple[int, ...] = ()


@dataclass
class _Walk:
    """Where the rule stands in the notebook."""

    heading: str = ""
    waiting: list[Slide] = field(default_factory=list)


def slides(notebook: nbformat.NotebookNode) -> list[Slide]:
    """Return the slides of a notebook."""
    found: list[Slide] = []
    walk = _Walk()
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text = BUDGET.sub("", cell.source)
            caption = "" if place == 0 else first_sentences(_opening(text), CAPTION_LETTERS)
            found += _flushed(walk, caption)
            found += _of_words(blocks(text), walk)
        elif cell.cell_type == "code" and "hide-cell" not in cell.metadata.get("tags", []):
            walk.waiting += _of_outputs(cell, walk.heading)
    return [*found, *_flushed(walk, "")]


def blocks(text: str) -> list[str]:
    """Return the blocks of a Markdown text: what blank lines part."""
    return [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]


def first_sentences(text: str, letters: int) -> str:
    """Return as many whole sentences as fit into so many letters, and at least one."""
    parts = SENTENCE_END.split(" ".join(text.split()))
    taken = parts[0]
    for part in parts[1:]:
        if len(taken) + 1 + len(part) > letters:
            break
        taken += f" {part}"
    return taken


def parted(paragraph: str) -> tuple[str, str]:
    """Return (what is said, what is asked) in a paragraph: a question starts in bold and goes on to the end."""
    match = QUESTION.search(paragraph)
    if match is None or LIMIT.match(paragraph) or CLOSING.match(paragraph):
        return paragraph, ""
    # The sentence that holds the bold words: "Again, **predict** …".
    start = max((end.end() for end in SENTENCE_END.finditer(paragraph, 0, match.start() + 1)), default=0)
    return paragraph[:start].strip(), paragraph[start:].strip()


def _is_list(block: str) -> bool:
    return bool(re.match(r"(- |\d+\. )", block))


def _is_table_or_code(block: str) -> bool:
    return block.startswith("|") or all(line.startswith("    ") for line in block.splitlines())


def _opening(text: str) -> str:
    """Return the paragraph that a markdown cell begins with, without its question; empty if it begins otherwise."""
    first = next(iter(blocks(text)), "")
    if first.startswith(("#", "|", "    ")) or _is_list(first) or LIMIT.match(first) or CLOSING.match(first):
        return ""
    return parted(first)[0]


def _of_words(parts: list[str], walk: _Walk) -> Iterator[Slide]:
    """Yield the slides of a markdown cell."""
    current = Slide("note", walk.heading)
    for block in parts:
        if CLOSING.match(block):
            break
        if block.startswith("#"):
            level, _, walk.heading = block.partition(" ")
            yield from _worth_showing(current)
            current = Slide("title" if level == "#" else "section", walk.heading)
        elif LIMIT.match(block) or (_is_table_or_code(block) and current.words + current.question):
            yield from _worth_showing(current)
            current = Slide("note", walk.heading)
        current = _with_block(current, block)
    yield from _worth_showing(current)


def _worth_showing(slide: Slide) -> Iterator[Slide]:
    if slide.words or slide.question:
        yield slide


def _with_block(slide: Slide, block: str) -> Slide:
    """Return a slide with what it takes of one more block."""
    if block.startswith("#"):
        return slide
    if LIMIT.match(block):
        return replace(slide, words=first_sentences(block, NOTE_LETTERS))
    if _is_table_or_code(block):
        return replace(slide, words=block)
    if _is_list(block):
        if slide.question:
            return replace(slide, question=f"{slide.question}\n\n{block}")
        return replace(slide, words=f"{slide.words}\n\n{block}".strip())
    said, asked = parted(block)
    if said and slide.kind in ("title", "section") and not slide.words:
        slide = replace(slide, words=first_sentences(said, LEAD_LETTERS))
    elif slide.kind == "title" and said.startswith("**"):
        slide = replace(slide, words=f"{slide.words}\n\n{said}")
    if asked:
        kind = "question" if slide.kind == "note" and not slide.words else slide.kind
        slide = replace(slide, kind=kind, question=asked)
    return slide


def _of_outputs(cell: Any, heading: str) -> Iterator[Slide]:
    """Yield what a cell shows, as one slide."""
    if cell.source.startswith((DOCTOR, "%%writefile")) or not cell.outputs:
        return
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream").strip("\n")
    image = None
    for output in cell.outputs:
        for kind in ("image/png", "image/jpeg"):
            if kind in output.get("data", {}):
                alt = output.metadata.get(kind, {}).get("alt", "")
                image = (kind, "".join(output.data[kind]).replace("\n", ""), alt or f"A figure: {heading}.")
    lines = [line for line in cell.source.splitlines() if line.strip() and not re.match(r"(from |import |%|#)", line)]
    code = "\n".join(lines) if image is None and len(lines) <= CODE_LINES else ""
    yield Slide("output", heading, code=code, printed=printed, image=image, counts=(cell.execution_count,))


def _flushed(walk: _Walk, caption: str) -> Iterator[Slide]:
    """Yield what cells showed since the last words; the sentence after goes with the last of them."""
    shown, walk.waiting = _merged(walk.waiting), []
    for number, slide in enumerate(shown):
        yield replace(slide, words=caption) if number == len(shown) - 1 else slide


def _merged(waiting: list[Slide]) -> list[Slide]:
    """Put what was printed on the slide of the figure that follows, if it fits; else on one before it."""
    found: list[Slide] = []
    for slide in waiting:
        before = found[-1] if found and found[-1].image is None else None
        lines = (before.printed.count("\n") + 1 if before else 0) + slide.printed.count("\n") + 1
        if before and (slide.image is None or lines <= LINES_BELOW_FIGURE):
            printed = f"{before.printed}\n{slide.printed}".strip("\n")
            found[-1] = replace(slide, code="", printed=printed, counts=before.counts + slide.counts)
        elif slide.image and slide.printed.count("\n") + 1 > LINES_BELOW_FIGURE:
            found += [replace(slide, image=None), replace(slide, printed="", code="")]
        else:
            found.append(slide)
    return found
