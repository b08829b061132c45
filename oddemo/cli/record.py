"""`oddemo record`: what one source does to pictures, kept for an audit elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Example: oddemo record savedmodel:exports/inspection --images data/sample/inspection/val --out inspection.npz; "
    "then oddemo audit ... --candidate trace:inspection.npz. "
    "For a machine without oddemo: oddemo record --script probe.pyz"
)


SCRIPT_USE = """\
On the machine where the model is deployed (Python 3.8 or later, TensorFlow 2.8 or later, NumPy; no oddemo):
  python {name} record-savedmodel EXPORT --images FOLDER --out deployed.npz
Then here, with the same pictures:
  oddemo audit --reference tfvision:DETECTOR --candidate trace:deployed.npz --images FOLDER"""


def _write_script(path: Path | None) -> None:
    if path is None:
        return
    from oddemo.lanes.probe_file import write_probe

    write_probe(path)
    typer.echo(f"written: {path} ({path.stat().st_size / 1e3:.0f} kB)\n{SCRIPT_USE.format(name=path.name)}")
    raise typer.Exit


def record(
    source: Annotated[str, typer.Argument(help="What to run, kind:place.")],
    *,
    images: Annotated[Path, typer.Option(help="Folder of pictures, searched with its subfolders.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    like: Annotated[
        str | None,
        typer.Option(
            help="tfvision:DIR or odapi:DIR whose preprocessing serves an artefact that takes the network's own input."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many of the pictures, evenly spread.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
    script: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=_write_script,
            help="Only write the recorder to this .pyz file: it runs where there is no oddemo, with TensorFlow alone.",
        ),
    ] = None,
) -> None:
    """Run a source on pictures and write every stage that can be seen to one file."""
    del script
    from oddemo.audit.images import image_set
    from oddemo.audit.recording import record_trace
    from oddemo.cli.status import telling

    with telling("reading") as tell:
        trace = record_trace(source, image_set(images, limit=limit), out, like=like, overwrite=overwrite, tell=tell)
    shown = ", ".join(trace.stages)
    typer.echo(f"{out}: {len(trace.image_names)} pictures, stages {shown}, {out.stat().st_size / 1e6:.1f} MB")
