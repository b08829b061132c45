"""What the help says, and that its examples can be typed."""

from __future__ import annotations

import shlex
from typing import Any

import pytest


def commands() -> dict[str, Any]:
    """Every command's words → click's command, groups opened."""
    import typer

    from oddemo.cli import _register, app

    _register()
    found: dict[str, Any] = {}

    def walk(words: tuple[str, ...], command: Any) -> None:
        below = getattr(command, "commands", None)
        if below is None:
            found[" ".join(words)] = command
        else:
            for name, one in below.items():
                walk((*words, name), one)

    walk((), typer.main.get_command(app))
    return found


def test_every_command_is_known():
    assert set(commands()) >= {
        *("demo", "doctor", "audit", "inspect", "record", "train", "export", "evaluate"),
        *("data make", "data import", "data check"),
    }


@pytest.mark.parametrize("words", sorted(commands()))
def test_help_ends_with_an_example_that_the_command_takes(words, oddemo):
    ended = oddemo(*words.split(), "--help")
    assert (ended.status, ended.err) == (0, "")
    command = commands()[words]
    example = (command.epilog or "").partition("Example: ")[2].partition(";")[0]
    assert example.startswith(f"oddemo {words}")
    assert f"Example: oddemo {words}" in " ".join(ended.out.split())
    # Parsed, not run: its options exist and take such values.
    context = command.make_context(words, shlex.split(example)[1 + len(words.split()) :])
    assert context.params


@pytest.mark.parametrize("words", sorted(commands()))
def test_no_line_of_a_help_is_broken_twice(words):
    """At any width: line ends stand between paragraphs and in lists, not where the code's lines end."""
    for paragraph in (commands()[words].help or "").split("\n\n"):
        lines = paragraph.splitlines()
        assert len(lines) == 1 or any(line.startswith((" ", "-", "*")) for line in lines), paragraph


@pytest.mark.parametrize("words", sorted(commands()))
def test_at_80_columns_no_word_of_the_help_is_cut(words, oddemo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = oddemo(*words.split(), "--help").out
    assert max(map(len, told.splitlines())) <= 80
    assert "…" not in told.replace("ANSWER…", "")  # which stands for any number of them


def test_the_help_of_export_has_a_setting_in_full(oddemo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert " task.model.detection_generator.nms_iou_threshold=0.6" in oddemo("export", "--help").out


def test_help_and_wrong_words_of_the_whole(oddemo):
    ended = oddemo("--help")
    assert ended.status == 0
    assert all(name in ended.out for name in ("demo", "audit", "record", "inspect", "doctor", "data"))
    wrong = oddemo("adit")
    assert wrong.status == 2
    assert "No such command" in wrong.err
    assert "Traceback" not in wrong.err
    missing = oddemo("audit", "--reference", "tfvision:x")
    assert missing.status == 2
    assert "--candidate" in missing.err
