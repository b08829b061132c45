"""`oddemo record`: what one source does to pictures, kept for an audit elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Example: oddemo record savedmodel:exports/inspection --images data/sample/inspection/val --out inspection.npz; "
    "then oddemo audit ... --candidate trace:inspection.npz"
)


def record(
    source: Annotated[str, typer.Argument(help="What to run, kind:place.")],
    *,
    images: Annotated[Path, typer.Option(help="Folder of pictures, searched with its subfolders.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    like: Annotated[
        str | None,
        typer.Option(
            help="tfvision:DIR that says how to preprocess, for an artefact that takes the network's own input."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many of the pictures, evenly spread.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Run a source on pictures and write every stage that can be seen to one file."""
    from oddemo.audit.images import image_set
    from oddemo.audit.recording import record_trace
    from oddemo.cli.status import telling

    with telling("reading") as tell:
        trace = record_trace(source, image_set(images, limit=limit), out, like=like, overwrite=overwrite, tell=tell)
    shown = ", ".join(trace.stages)
    typer.echo(f"{out}: {len(trace.image_names)} pictures, stages {shown}, {out.stat().st_size / 1e6:.1f} MB")
