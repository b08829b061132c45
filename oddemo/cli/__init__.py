"""The command line: one module a command, and one place where errors become messages and exit codes."""

from __future__ import annotations

import sys
from inspect import getdoc

import typer

from oddemo.environment import prepare_environment
from oddemo.errors import OddemoError

app = typer.Typer(
    name="oddemo",
    help="Find out why an exported TensorFlow object detector behaves differently from the one you trained.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _register() -> None:
    """Add the commands, once in a process."""
    if app.registered_commands:
        return
    from oddemo.cli import audit, clinic, data, demo, doctor, evaluate, export, inspect, lanes, record, study, train

    app.command("demo", epilog=demo.EPILOG)(demo.demo)
    app.command("doctor", epilog=doctor.EPILOG)(doctor.doctor)
    app.command("inspect", epilog=inspect.EPILOG)(inspect.inspect)
    app.command("audit", epilog=audit.EPILOG)(audit.audit)
    app.command("record", epilog=record.EPILOG)(record.record)
    app.command("train", epilog=train.EPILOG)(train.train)
    app.command("export", epilog=export.EPILOG)(export.export)
    app.command("evaluate", epilog=evaluate.EPILOG)(evaluate.evaluate)
    app.add_typer(clinic.app, name="clinic")
    app.add_typer(data.app, name="data")
    app.add_typer(lanes.app, name="lanes")
    app.add_typer(study.app, name="study")
    _flow(app)


def _flow(commands: typer.Typer) -> None:
    """Give each command's help as paragraphs in one line each, which the terminal's width then breaks.

    Typer keeps the line ends of a docstring, which is broken at the width of the code.
    """
    for command in commands.registered_commands:
        text = command.help or getdoc(command.callback) or ""
        command.help = "\n\n".join(map(_in_one_line, text.split("\n\n")))
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            _flow(group.typer_instance)


def _in_one_line(paragraph: str) -> str:
    """Return a paragraph without its line ends; lists and what is set in stay as they are."""
    lines = paragraph.splitlines()
    return paragraph if any(line.startswith((" ", "-", "*")) for line in lines) else " ".join(lines)


def main() -> None:
    """Run the command line; bad input ends with one message on standard error and exit status 2."""
    prepare_environment()
    _register()
    try:
        app()
    except OddemoError as error:
        print(f"oddemo: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"oddemo: the system refused: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("oddemo: interrupted; nothing half-written was kept.", file=sys.stderr)
        sys.exit(130)
