"""`oddemo lanes …`: environments with other TensorFlow versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Environments with other TensorFlow versions and the Object Detection API, made on demand.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Of the lane: see `oddemo lanes list`.")]


@app.command("list", epilog="Example: oddemo lanes list")
def list_(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for other programs.")] = False,
) -> None:
    """Show every lane: what it is for, and whether it is made."""
    import json

    from rich.console import Console
    from rich.table import Table

    from oddemo.lanes.cache import copies_of, disk_mb, find_made, lanes_root
    from oddemo.lanes.registry import LANES

    if as_json:
        found = {lane.name: find_made(lane) for lane in LANES}
        told = {
            name: None if made is None else {"folder": str(made.folder), **made.versions}
            for name, made in found.items()
        }
        typer.echo(json.dumps(told, indent=1))
        return
    table = Table("lane", "what for", "state", "on disk", show_edge=False, pad_edge=False)
    for lane in LANES:
        made = find_made(lane)
        copies = copies_of(lane)
        state = "not made" if not copies else "left over: make it again, or remove it"
        if made is not None:
            state = "made: " + ", ".join(f"{name} {version}" for name, version in made.versions.items())
        size = f"{sum(map(disk_mb, copies)):.0f} MB" if copies else ""
        table.add_row(lane.name, lane.meaning, state, size)
    Console(highlight=False).print(table)
    typer.echo(f"in {lanes_root()}")


@app.command(epilog="Example: oddemo lanes make tf2.15")
def make(name: Name) -> None:
    """Make a lane from its lock, hashes checked; needs the network the first time.

    A lane that was interrupted or damaged is made again. One that is there is left as it is.
    """
    from oddemo.cli.status import telling
    from oddemo.lanes.cache import disk_mb
    from oddemo.lanes.making import make_lane
    from oddemo.lanes.registry import find_lane

    lane = find_lane(name)
    with telling(lane.name) as tell:
        made = make_lane(lane, tell=tell)
    versions = ", ".join(f"{package} {version}" for package, version in made.versions.items())
    typer.echo(f"{lane.name}: {versions}")
    typer.echo(f"in {made.folder}, {disk_mb(made.folder):.0f} MB, made in {made.seconds:.0f} s")


@app.command(epilog="Example: oddemo lanes remove tf2.15")
def remove(name: Name) -> None:
    """Remove a lane, also what older versions of oddemo made of it."""
    from oddemo.lanes.making import remove_lane
    from oddemo.lanes.registry import find_lane

    removed = remove_lane(find_lane(name))
    typer.echo(f"removed: {', '.join(map(str, removed))}" if removed else f"{name} was not made")


@app.command(
    epilog="Example: oddemo lanes run tf2.15 record-savedmodel exports/inspection --images data/sample/inspection/val "
    "--out deployed.npz",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def run(context: typer.Context, name: Name) -> None:
    """Run a lane's own script: `oddemo lanes run NAME -- --help` lists what it can do."""
    from oddemo.lanes.running import made_lane, pass_through

    raise typer.Exit(pass_through(made_lane(name), context.args))


@app.command(epilog="Example: oddemo lanes matrix --lanes tf2.15,tf2.18 --out matrix.json")
def matrix(
    *,
    lanes: Annotated[str | None, typer.Option(help="Names of lanes; all TensorFlow versions if not given.")] = None,
    only_with: Annotated[
        str | None, typer.Option(help="Names of lanes: only the cells in which one of them writes or reads.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The JSON file to write.")] = Path("version_matrix.json"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Let every TensorFlow version write a model in every format, and every version read it.

    Lanes that are not there are made. An interrupted run goes on where it stopped. What happens to each file is also
    predicted from the file alone, as `oddemo inspect --for` does, and held against what happened.
    """
    from oddemo.cli.status import telling
    from oddemo.export.loading.cells import foresee
    from oddemo.files import refuse_unwritable_file
    from oddemo.lanes.making import make_lane
    from oddemo.lanes.matrix import VERSIONS, run_matrix
    from oddemo.lanes.registry import find_lane

    refuse_unwritable_file(out, overwrite=overwrite)
    names = lanes.split(",") if lanes else list(VERSIONS)
    only = only_with.split(",") if only_with else None
    with telling("lanes") as tell:
        made = [make_lane(find_lane(name), tell=tell) for name in names]
        result = run_matrix(made, out, only_with=only, foresee=foresee, tell=tell)
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(result["summary"]["outcomes"].items()))
    summary = result["summary"]
    typer.echo(f"{out}: {summary['cells']} cells: {counts}")
    if "agreement" in summary:
        told = f"foreseen from the file alone: {summary['agreement']:.1%} of {summary['predicted_cells']} cells, "
        typer.echo(
            f"{told}{summary['false_will_load']} said to load that did not, {summary['no_claim']} without a claim"
        )
