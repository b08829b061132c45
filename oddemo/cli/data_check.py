"""`oddemo data check`: faults in annotations and files, with an exit status for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from oddemo.data.findings import Finding
    from oddemo.data.records import Dataset

EPILOG = "Example: oddemo data check cells --json findings.json"
#: At most this many findings are printed one by one.
SHOWN = 20


def check(
    path: Annotated[
        Path, typer.Argument(help="COCO file, Pascal VOC folder, or a folder made by data make or import.")
    ],
    *,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write everything found to this file.")] = None,
    near_duplicate_iou: Annotated[
        float, typer.Option(help="Boxes of one class above this intersection over union are almost the same.")
    ] = 0.8,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures of a COCO file, if they are not beside it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the --json file if it is there.")] = False,
) -> None:
    """Look for faults in annotations: boxes without area, outside, doubled; files missing, broken, of another size.

    Exit status: 0 without errors (warnings may be there), 1 with errors, 2 if the data could not be read.
    """
    from oddemo.data.check import check_dataset
    from oddemo.data.opening import open_datasets
    from oddemo.files import refuse_to_overwrite, write_json
    from oddemo.provenance import provenance

    if json_out is not None:
        refuse_to_overwrite(json_out, overwrite=overwrite)
    datasets = open_datasets(path, images_root=images)
    results = [(dataset, check_dataset(dataset, near_duplicate_iou=near_duplicate_iou)) for dataset in datasets]
    for dataset in datasets:
        _print_counts(dataset)
    _print_findings(results)
    if json_out is not None:
        content = {"datasets": [_as_json(*result) for result in results], "provenance": provenance()}
        write_json(json_out, content)
    if any(finding.severity == "error" for _, findings in results for finding in findings):
        raise typer.Exit(1)


def _print_counts(dataset: Dataset) -> None:
    from rich.table import Table

    from oddemo.data.counts import count_dataset

    counts = count_dataset(dataset)
    title = f"{dataset.name}: {counts.images} pictures, {counts.boxes} boxes"
    table = Table("class", title=title, title_justify="left")
    for column in ("boxes", "pictures without"):
        table.add_column(column, justify="right")
    for name, number in counts.boxes_of_class.items():
        table.add_row(name, str(number), str(counts.images_without_class[name]))
    _print(table)


def _print_findings(results: Sequence[tuple[Dataset, Sequence[Finding]]]) -> None:
    from rich.table import Table

    of_kind = [Counter(finding.kind for finding in findings) for _, findings in results]
    total: Counter[str] = sum(of_kind, Counter())
    if not total:
        typer.echo("no faults found")
        return
    from oddemo.data.findings import KINDS

    table = Table("severity")
    table.add_column("finding", no_wrap=True, min_width=max(map(len, KINDS)))
    for dataset, _ in results:
        table.add_column(dataset.name if len(results) > 1 else "count", justify="right")
    table.add_column("meaning")
    for kind, (severity, meaning) in KINDS.items():
        if total[kind]:
            table.add_row(severity, kind, *(str(counts[kind]) for counts in of_kind), meaning)
    _print(table)
    ranks = list(KINDS)
    lines = [
        (ranks.index(finding.kind), f"{dataset.name}: {finding}" if len(results) > 1 else str(finding))
        for dataset, findings in results
        for finding in findings
    ]
    for _, line in sorted(lines, key=lambda pair: pair[0])[:SHOWN]:
        typer.echo(line)
    if len(lines) > SHOWN:
        typer.echo(f"and {len(lines) - SHOWN} more (--json FILE writes all of them)")


def _print(table: Table) -> None:
    from rich.console import Console

    Console(highlight=False, markup=False).print(table)


def _as_json(dataset: Dataset, findings: Sequence[Finding]) -> dict[str, Any]:
    from oddemo.data.counts import count_dataset

    counts = count_dataset(dataset)
    return {
        "name": dataset.name,
        "images": counts.images,
        "boxes": counts.boxes,
        "boxes_of_class": dict(counts.boxes_of_class),
        "images_without_class": dict(counts.images_without_class),
        "counts": dict(Counter(finding.kind for finding in findings)),
        "findings": [
            {
                "kind": finding.kind,
                "severity": finding.severity,
                "image_file": finding.image_file,
                "box_indices": list(finding.box_indices),
                "detail": finding.detail,
            }
            for finding in findings
        ],
    }
