"""`oddemo clinic …`: ten deployments to diagnose, by hand first and then with the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oddemo.errors import OddemoError

app = typer.Typer(help="Ten deployments to diagnose, by hand first and then with the audit.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Of the clinic, as `oddemo clinic make` made it.")]


@app.command(epilog="Example: oddemo clinic make runs/clinic --seed 7")
def make(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    *,
    seed: Annotated[int, typer.Option(help="Another seed, another order of the cases.", min=0)] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder if it is there.")] = False,
) -> None:
    """Make ten cases: exports and serving scripts of the two detectors that come with oddemo.

    One of them is sound, one has two faults. Give neighbours in a workshop different seeds.
    """
    from oddemo.cli.status import telling
    from oddemo.clinic.making import make_clinic

    with telling("the clinic") as tell:
        made = make_clinic(folder, seed=seed, overwrite=overwrite, tell=tell)
    typer.echo(f"written: {made}; start with {made / 'README.md'}")


@app.command(epilog="Example: oddemo clinic check runs/clinic case_03 channel_order")
def check(
    folder: Folder,
    case: Annotated[str, typer.Argument(help="Such as case_03.")],
    answers: Annotated[list[str], typer.Argument(help="Fault ids, or faithful.", metavar="ANSWER…")],
) -> None:
    """Say whether a diagnosis is right, or at which stage to start looking.

    Exit status: 0 right, 1 wrong, 2 no such case or fault.
    """
    from oddemo.clinic.folder import check as check_answers

    checked = check_answers(folder, case, answers)
    typer.echo("right" if checked.right else f"wrong. {checked.hint}")
    raise typer.Exit(0 if checked.right else 1)


@app.command(epilog="Example: oddemo clinic key runs/clinic --yes")
def key(
    folder: Folder,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Show it.")] = False,
) -> None:
    """Show what is wrong in each case: for the instructor."""
    from oddemo.clinic.folder import key_of

    cases = key_of(folder)
    if not yes:
        raise OddemoError("This shows every answer.", do="add --yes if you teach with this folder")
    for name, patient in cases:
        typer.echo(f"{name}  {patient.world:10}  {', '.join(patient.answer)}")
        for plant in patient.plants:
            typer.echo(f"         {plant.story}")
