"""`oddemo doctor`: what is installed, what was tested, what to do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from oddemo.doctor import STATUSES, Check, examine, verdict
from oddemo.doctor import as_json as to_json
from oddemo.room import examine_room, said_aloud

EPILOG = "Example: oddemo doctor --deep"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Also import TensorFlow and TF-Vision (10 to 30 s).")] = False,
    room: Annotated[
        bool, typer.Option("--room", help="Also look at what a workshop needs, and time a tiny run (10 to 60 s).")
    ] = False,
) -> None:
    """Show what is installed, what was tested, and what to do about each difference.

    Ends with exit status 0 if everything will run, and 1 if something will not.
    """
    checks = examine(deep=deep)
    if room:
        checks += tuple(examine_room())
    if as_json:
        print(json.dumps(to_json(checks), indent=1, ensure_ascii=False))
    else:
        _print_table(checks)
        if room:
            print(said_aloud(checks))
    raise typer.Exit(1 if verdict(checks) == "fail" else 0)


def _print_table(checks: tuple[Check, ...]) -> None:
    width = max(len(check.id) for check in checks)
    for check in checks:
        print(f"{f'[{check.status}]':6} {check.id:{width}}  {check.found}")
        if check.status != "OK":
            print(f"{'':6} {'':{width}}  tested with: {check.tested}")
            print(f"{'':6} {'':{width}}  do: {check.do}")
    counts = ", ".join(f"{sum(check.status == status for check in checks)} {status}" for status in STATUSES)
    print(f"{len(checks)} checks: {counts}")
