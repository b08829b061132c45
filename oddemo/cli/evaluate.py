"""`oddemo evaluate`: how good a detector or an export of it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oddemo.data.records import Dataset, Detections
    from oddemo.metrics.coco import CocoMetrics

EPILOG = "Example: oddemo evaluate data/detectors/inspection --truth runs/metal/test.json --images runs/metal"


def evaluate(
    source: Annotated[str, typer.Argument(help="Detector folder, or a source such as tflite:FILE.")],
    *,
    truth: Annotated[Path, typer.Option("--truth", help="COCO file with the true boxes.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, if they are not beside the COCO file.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the metrics to this file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the --json file if it is there.")] = False,
) -> None:
    """Compute the COCO metrics of a detector on annotated pictures."""
    from oddemo.data.coco import read_coco
    from oddemo.files import refuse_to_overwrite, write_json
    from oddemo.metrics.coco import coco_metrics
    from oddemo.provenance import provenance

    if json_out is not None:
        refuse_to_overwrite(json_out, overwrite=overwrite)
    dataset = read_coco(truth, images)
    metrics = coco_metrics(dataset, _detections(source, dataset))
    _print(metrics, dataset)
    if json_out is not None:
        content = {"source": source, "truth": str(truth), "pictures": len(dataset), "metrics": metrics.as_dict()}
        write_json(json_out, content | {"provenance": provenance()})


def _detections(source: str, dataset: Dataset) -> Sequence[Detections]:
    from oddemo.detect.detector import load_detector
    from oddemo.detect.evaluate import check_classes

    kind, separator, place = source.partition(":")
    if not separator or kind == "tfvision":
        detector = load_detector(Path(place or source))
        check_classes(detector.class_names, dataset)
        return detector.predict(dataset, description="evaluating")
    from oddemo.audit.images import ImageSet
    from oddemo.audit.sources.parse import parse_source

    trace = parse_source(source).trace(ImageSet(dataset.root, tuple(record.file_name for record in dataset.records)))
    check_classes(trace.labels or dataset.class_names, dataset)
    return trace.detections


def _print(metrics: CocoMetrics, dataset: Dataset) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", title=f"{dataset.name}: {len(dataset)} pictures", title_justify="left")
    for column in ("AP", "AP50"):
        table.add_column(column, justify="right")
    table.add_row("all classes", f"{metrics.ap:.3f}", f"{metrics.ap50:.3f}")
    for name in dataset.class_names:
        values = (metrics.ap_per_class[name], metrics.ap50_per_class[name])
        table.add_row(name, *("-" if value is None else f"{value:.3f}" for value in values))
    Console(highlight=False, markup=False).print(table)
