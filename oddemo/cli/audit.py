"""`oddemo audit`: does an export behave as the detector it was made from, and if not, why?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Example: oddemo audit --reference tfvision:data/detectors/inspection --candidate savedmodel:exports/inspection "
    "--images data/sample/inspection/val --truth data/sample/inspection/val.json --html report.html"
)


def audit(
    *,
    reference: Annotated[
        str, typer.Option(help="The detector as it was trained, kind:place; tfvision:DIR or odapi:DIR.")
    ],
    candidate: Annotated[
        str,
        typer.Option(
            help="What is deployed: savedmodel:DIR, tflite:FILE, python:FILE.py:FUNCTION, trace:FILE.npz, tfvision:DIR."
        ),
    ],
    images: Annotated[Path, typer.Option(help="Folder of pictures, searched with its subfolders.")],
    truth: Annotated[
        Path | None, typer.Option(help="COCO file with the true boxes: the change in mAP is then measured.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many of the pictures, evenly spread.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with pictures, one file.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result for other programs.")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Write a log folder for TensorBoard: numbers, verdict, pictures with boxes.")
    ] = None,
    coco: Annotated[
        Path | None,
        typer.Option(help="Write what both sides found as COCO files, which FiftyOne imports, to a folder."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what these options wrote before.")] = False,
) -> None:
    """Follow pictures through both pipelines, name the first stage that differs, find the cause, verify the cure.

    Exit status: 0 faithful or benign, 1 diverges or unexplained, 2 could not compare.
    """
    from rich.console import Console

    from oddemo.audit.report import print_report, write_html
    from oddemo.audit.run import audit as run_audit
    from oddemo.cli.status import telling
    from oddemo.data.coco import read_coco
    from oddemo.errors import OddemoError
    from oddemo.files import refuse_to_overwrite, refuse_unwritable_file, write_json
    from oddemo.viewers.coco import write_coco_pair
    from oddemo.viewers.tensorboard import write_tensorboard

    for path in (html, json_out):
        if path is not None:
            refuse_unwritable_file(path, overwrite=overwrite)
    for folder in (tensorboard, coco):
        if folder is not None:
            refuse_to_overwrite(folder, overwrite=overwrite)
    if tensorboard is not None and tensorboard == coco:
        raise OddemoError("The log folder and that of the COCO files cannot be one.", found=str(coco))
    if html is not None and html == json_out:
        raise OddemoError("The report and the JSON file cannot be one file.", found=str(html))
    boxes = None if truth is None else read_coco(truth)
    with telling("reading") as tell:
        result = run_audit(reference, candidate, images, truth=boxes, limit=limit, tell=tell)
    if json_out is not None:
        write_json(json_out, result.to_json())
    if html is not None:
        write_html(result, html, overwrite=overwrite)
    print_report(result, Console(highlight=False))
    if tensorboard is not None:
        write_tensorboard(result, tensorboard, overwrite=overwrite)
    if coco is not None:
        write_coco_pair(result, coco, overwrite=overwrite)
    for words, path in (("report", html), ("JSON", json_out), ("TensorBoard", tensorboard), ("COCO", coco)):
        if path is not None:
            typer.echo(f"{words}: {path}")
    raise typer.Exit(result.exit_status)
