"""`oddemo study …`: the list of studies, and running one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from oddemo.study.design import Study
    from oddemo.study.engine import Progress

app = typer.Typer(help="Run the studies: conditions × seeds × worlds, with paired intervals.", no_args_is_help=True)
RESULTS = Path("results")


@app.command("list", epilog="Example: oddemo study list --names")
def list_(names: Annotated[bool, typer.Option("--names", help="Names alone, one a line.")] = False) -> None:
    """Show the studies that there are."""
    from oddemo.study.registry import find_study, study_names

    for name in study_names():
        study = find_study(name)
        runs = len(study.conditions) * len(study.worlds) * study.seeds
        told = f"{len(study.conditions)} conditions × {len(study.worlds)} worlds × {study.seeds} seeds = {runs} runs"
        typer.echo(name if names else f"{name}: {study.question}\n  {told}; worlds: {', '.join(study.worlds)}")


@app.command("run", epilog="Example: oddemo study run imbalance --jobs 2")
def run(
    name: Annotated[str, typer.Argument(help="One of `oddemo study list`.")],
    *,
    seeds: Annotated[int | None, typer.Option(help="Runs of each condition and world.", min=2)] = None,
    world: Annotated[list[str] | None, typer.Option(help="Only this world; may be given again.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes side by side; the numbers do not depend on it.", min=1)] = 1,
    work: Annotated[Path, typer.Option(help="Folder for pictures and finished runs.")] = Path("runs/study"),
    out: Annotated[
        Path | None,
        typer.Option(help="Results file. Default: results/study_NAME.json; for a part of a study, a file in WORK."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Run a study and write its results.

    Finished runs are kept in WORK by their content: a study that was interrupted or killed goes on where it was. Blood
    cells (world bccd) are read from the folder that the variable ODDEMO_BCCD names.
    """
    from oddemo.files import refuse_unwritable_file, write_json
    from oddemo.provenance import provenance
    from oddemo.study.engine import run_study
    from oddemo.study.registry import find_study
    from oddemo.study.results import stored_comparisons, study_result

    whole, study = find_study(name), find_study(name, seeds=seeds, worlds=tuple(world or ()))
    stored = RESULTS / f"study_{name}.json"
    part = study.seeds < whole.seeds or study.worlds != whole.worlds
    if out is None:
        # The file of a whole study is its own; a part of one does not take its place.
        out = work / f"part_of_{name}.json" if part else stored
        overwrite = True
    refuse_unwritable_file(out, overwrite=overwrite)
    made_by = provenance(seeds=list(range(1, study.seeds + 1)), command=_command(study, whole))
    before = stored_comparisons(stored)
    runs = run_study(study, work=work, jobs=jobs, on_run=_tell)
    result = study_result(study, runs, made_by)
    write_json(out, result)
    _show(result["comparisons"], before)
    minutes = sum(one.cpu_seconds for one in runs) / 60
    typer.echo(f"written: {out} ({len(runs)} runs, {minutes:.0f} CPU minutes in all)")


def _command(study: Study, whole: Study) -> str:
    """Return the command that makes the results again; number of processes and folders do not matter."""
    seeds = f" --seeds {study.seeds}" if study.seeds != whole.seeds else ""
    worlds = "".join(f" --world {name}" for name in study.worlds) if study.worlds != whole.worlds else ""
    return f"oddemo study run {study.name}{seeds}{worlds}"


def _tell(progress: Progress) -> None:
    numbers = ", ".join(f"{name} {value:.3f}" for name, value in list(progress.finished.metrics.items())[:4])
    left = f"about {progress.seconds_left / 60:.0f} min left"
    typer.echo(f"{progress.done}/{progress.total} {progress.finished.run}: {numbers}; {left}")


def _show(comparisons: list[dict[str, Any]], stored: dict[tuple[str, str, str], Any]) -> None:
    """Print one line a comparison, in points of a hundred, and whether it agrees with the results stored before."""
    for one in comparisons:
        limits = f"{100 * one['point']:+.1f} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"
        line = f"{one['world']}, {one['metric']}: {one['name']} against {one['against']} {limits}"
        line += f", Holm's p {one['p_holm']:.3f}"
        old = stored.get((one["name"], one["world"], one["metric"]))
        if old is not None:
            inside = old["low"] <= one["point"] <= old["high"]
            line += f"; stored {100 * old['point']:+.1f}, {'inside' if inside else 'outside'} its interval"
        typer.echo(line)
