"""Notebook 14: the changed entry of a `pipeline.config`, judged by a parser of the whole text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from oddemo.course.answers import Mistake, called, equal_to, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import data_folder
from oddemo.export.cards.text_proto import parse_text_proto

_ENTRY = re.compile(r"^(?P<indent> *)(?P<name>\w+): (?P<value>[\w.+-]+|\".*\")$", re.MULTILINE)


def shipped_config() -> str:
    """Return the `pipeline.config` of the shipped detector of the Object Detection API."""
    return (data_folder() / "odapi" / "inspection" / "pipeline.config").read_text(encoding="utf-8")


def _leaves(block: dict[str, list[Any]], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, values in block.items():
        place = f"{path}.{name}" if path else name
        if any(isinstance(one, dict) for one in values):
            for one in values:
                yield from _leaves(one, place)
        else:
            yield place, values


def _grouped(text: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path, values in _leaves(parse_text_proto(text)):
        found.setdefault(path, []).append(values)
    return found


def changed_entry(before: str, after: str) -> str:
    """Return the path of the one entry that differs, blocks and name joined by points."""
    first, second = _grouped(before), _grouped(after)
    (path,) = (one for one in first | second if first.get(one) != second.get(one))
    return path


def judge_changed(changed: Any) -> str:
    """Judge `changed(before, after)`, which returns the path of the entry, joined by points."""
    rng, before = np.random.default_rng(141), shipped_config()
    entries = list(_ENTRY.finditer(before))
    names = [one["name"] for one in entries]
    # What people change, then entries of chance.
    wanted = [names.index(name) for name in ("score_threshold", "iou_threshold", "height", "depth_multiplier")]
    for place in [*wanted, *rng.choice(len(entries), 12, replace=False).tolist()]:
        entry = entries[place]
        after = before[: entry.start("value")] + '"other"' + before[entry.end("value") :]
        answer, due = called(changed, before, after), changed_entry(before, after)
        if not isinstance(answer, str):
            raise NotYet(f"a {type(answer).__name__} came back", "a path is asked for: names joined by points")
        if answer != due:
            name = entry["name"]
            otherwise = NotYet(
                f"for a changed {name} it says {answer!r}",
                "which blocks are open at that line? One opens at every {, and the last one closes at every }",
            )
            raise told_apart(equal_to(answer), _path_mistakes(due, entry["value"]), otherwise)
    return f"{len(wanted) + 12} changed entries are found, each with its whole path"


def _path_mistakes(due: str, value: str) -> list[Mistake]:
    blocks, _, name = due.rpartition(".")
    return [
        Mistake(
            lambda: name,
            "that is the name without its blocks",
            "several blocks may hold an entry of this name: in which one is it?",
        ),
        Mistake(lambda: blocks, "those are the blocks without the entry", "what stands before the colon?"),
        Mistake(lambda: due.replace(".", "/"), "the names are joined by strokes", "points are asked for"),
        Mistake(lambda: f"{due}: {value}", "the value is in it, too", "the path alone is asked for"),
        Mistake(
            lambda: due.partition(".")[2],
            "the outermost block is missing",
            "does the first line of the file open a block?",
        ),
    ]


EXERCISES = (
    Exercise(
        "14.1",
        "find the entry of pipeline.config that was changed",
        "go through the lines of both texts side by side, and keep a list of the blocks that are open",
        judge_changed,
    ),
)
