"""The instructor's guide: its minutes add up, and what it names exists."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_cli_help import commands

import wheelhouse

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "workshop" / "guide.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What a row of a plan may be, where it is no notebook.
PLACES = {"room", "break", "lunch", "exercise", "clinic"}
LINK = re.compile(r"\[(\d\d)\]\(\.\./notebooks/(\d\d_\w+\.ipynb)\)")


@dataclass(frozen=True)
class Row:
    start_min: int
    minutes: int
    where: str
    does: str
    asked: str


def rows(table: str) -> list[list[str]]:
    """The cells of a Markdown table's rows, its head and rule left out."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def plans(text: str) -> list[tuple[int, list[Row]]]:
    """(Minutes promised, rows) of every plan."""
    found = []
    for promised, table in re.findall(r"<!-- plan (\d+) -->\n(.*?)<!-- /plan -->", text, re.DOTALL):
        plan = []
        for start, minutes, *cells in rows(table):
            hours, rest = start.split(":")
            plan.append(Row(int(hours) * 60 + int(rest), int(minutes), *cells))
        found.append((int(promised), plan))
    return found


def gaps(promised: int, plan: list[Row]) -> list[str]:
    """Where a plan's minutes do not add up."""
    wrong, now = [], 0
    for row in plan:
        if row.start_min != now:
            wrong.append(f"{row.start_min} min, expected {now}")
        now = row.start_min + row.minutes
    return wrong if now == promised else [*wrong, f"ends at {now} min, expected {promised}"]


def marked(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", GUIDE, re.DOTALL)
    assert found, name
    return found[1]


def notebook(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))
    return loaded


def prose(name: str) -> str:
    return "\n".join("".join(cell["source"]) for cell in notebook(name)["cells"] if cell["cell_type"] == "markdown")


def printed(name: str) -> str:
    outputs = [output for cell in notebook(name)["cells"] for output in cell.get("outputs", [])]
    return "\n".join("".join(output.get("text", "")) for output in outputs)


def headings(where: str) -> list[str]:
    return re.findall(r"\*([^*]+)\*", where)


def spoken(text: str) -> list[list[str]]:
    """The words of each command of oddemo in a text's code."""
    return [shlex.split(code)[1:] for code in re.findall(r"`(oddemo [^`]+)`", text)]


ALL = plans(GUIDE)
ROWS = [row for _, plan in ALL for row in plan]


def test_there_are_four_days_of_plans() -> None:
    assert [promised for promised, _ in ALL] == [90, 240, 390, 390]


@pytest.mark.parametrize("number", range(len(ALL)))
def test_minutes_add_up(number: int) -> None:
    assert gaps(*ALL[number]) == []


def test_minutes_that_do_not_add_up_are_found() -> None:
    promised, plan = ALL[0]
    assert gaps(promised + 1, plan)
    assert gaps(promised, plan[1:])


@pytest.mark.parametrize("number", range(len(ALL)))
def test_nobody_sits_longer_than_two_hours(number: int) -> None:
    sitting = 0
    for row in ALL[number][1]:
        sitting = 0 if row.where in {"break", "lunch"} else sitting + row.minutes
        assert sitting <= 120, row


def test_every_row_is_a_notebook_or_a_known_place() -> None:
    for row in ROWS:
        assert row.minutes >= 5
        assert LINK.match(row.where) or row.where in PLACES, row.where
        assert row.asked or row.where in {"break", "lunch"}, f"nothing is asked: {row}"


def test_notebooks_and_headings_exist() -> None:
    for row in ROWS:
        link = LINK.match(row.where)
        if link is None:
            continue
        number, name = link.groups()
        assert name.startswith(number)
        assert headings(row.where), row.where
        text = prose(name)
        missing = [heading for heading in headings(row.where) if f"\n## {heading}\n" not in f"\n{text}\n"]
        assert missing == [], f"{name}: {missing}"


def test_each_notebook_has_time_to_run() -> None:
    for _, plan in ALL:
        given: dict[str, int] = {}
        for row in plan:
            link = LINK.match(row.where)
            if link:
                given[link[2]] = given.get(link[2], 0) + row.minutes
        for name, minutes in given.items():
            budget = re.search(r"Budget: (\d+) s", prose(name))
            assert budget
            # Three times as slow a machine may be, with as much time again to look.
            assert minutes * 60 >= 2 * 3 * int(budget[1]), f"{name}: {minutes} min for {budget[1]} s"


def test_the_exercises_named_in_notebooks_are_there() -> None:
    named = [link[1] for row in ROWS if row.where == "exercise" for link in LINK.findall(row.does)]
    assert named
    assert [name for name in named if "**Exercise.**" not in prose(name)] == []
    folder = ROOT / "notebooks" / "exercises"
    assert "`notebooks/exercises/`" in marked("exercises")
    assert "one file for every notebook" in " ".join(marked("exercises").split())
    assert {path.name for path in folder.glob("*.ipynb")} == {path.name for path in NOTEBOOKS}


def unknown(text: str) -> list[str]:
    """Commands in a text's code that the command line does not have, and options that a command does not take."""
    known, wrong = commands(), []
    for words in spoken(text):
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        if name not in known:
            wrong.append(" ".join(words))
            continue
        options = {option for parameter in known[name].params for option in parameter.opts}
        wrong += [f"{name} {word}" for word in words if word.startswith("--") and word not in options | {"--help"}]
    return wrong


def test_commands_exist() -> None:
    clinic = marked("clinic")
    assert spoken(clinic)
    assert unknown(GUIDE.replace(clinic, "")) == []
    # The clinic is a command of its own: looked up as soon as there is one.
    if any(name.startswith("clinic") for name in commands()):
        assert unknown(clinic) == []


def test_unknown_commands_are_found() -> None:
    assert unknown("`oddemo doctor --rom` and `oddemo audti` and `oddemo data check`") == ["doctor --rom", "audti"]


def test_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)", GUIDE))
    assert named >= {"slides", "handout", "wheelhouse", "setup"}
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_sizes_of_the_kit_are_those_of_its_maker() -> None:
    assert f"`make wheelhouse` ({wheelhouse.KIT_MB / 1000:.1f} GB)" in GUIDE
    assert f"({wheelhouse.INSTALLED_MB / 1000:.1f} GB more)" in GUIDE


def test_what_the_notebook_says_is_what_it_says() -> None:
    section = GUIDE.partition("## What to ask")[2].partition("\n## ")[0]
    table = section[section.index("| notebook |") :]
    for number, _, _, says in rows(table):
        (name,) = (path.name for path in NOTEBOOKS if path.name.startswith(number))
        text = printed(name).replace("`", "")
        assert [quoted for quoted in re.findall(r"`([^`]+)`", says) if quoted not in text] == [], number


def test_the_ten_complaints_and_more_are_answered() -> None:
    section = GUIDE.partition("## What goes wrong in a room")[2].partition("\n## ")[0]
    table = rows(section[section.index("| what you see |") :])
    assert len(table) >= 15
    assert all(len(row) == 3 and all(row) for row in table)
