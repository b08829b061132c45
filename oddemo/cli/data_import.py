"""`oddemo data import`: a foreign dataset becomes a folder that every other command reads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from oddemo.errors import OddemoError

EPILOG = "Example: oddemo data import BCCD --from voc --out cells --drop-invalid"


def import_(
    source: Annotated[str, typer.Argument(help="Folder, COCO file, pattern of TFRecords, or name in TFDS.")],
    *,
    kind: Annotated[str, typer.Option("--from", help="voc, coco, tfrecord or tfds.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    splits: Annotated[
        str | None,
        typer.Option(help="train,val,test; train=trainval for another name; train=0.8,val=0.2 to draw by chance."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names in the order of their ids, with commas, or a label_map.pbtxt.")
    ] = None,
    tfrecords: Annotated[bool, typer.Option("--tfrecords", help="Also write TFRecords for TF-Vision.")] = False,
    link: Annotated[bool, typer.Option("--link", help="Link the pictures instead of copying them.")] = False,
    drop_invalid: Annotated[
        bool, typer.Option("--drop-invalid", help="Leave out boxes without area, inside out or outside the picture.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed for splits drawn by chance.", min=0)] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder if it is there.")] = False,
) -> None:
    """Import COCO, Pascal VOC, TFRecords or TensorFlow Datasets.

    Makes OUT/{train,val,test}/images, OUT/{train,val,test}.json (COCO), OUT/label_map.pbtxt and OUT/import.json.
    """
    from oddemo.data.counts import count_dataset
    from oddemo.data.import_folder import drop_invalid_boxes, write_import_folder
    from oddemo.data.sources import WHOLE, read_source
    from oddemo.data.splits import parse_splits
    from oddemo.files import refuse_to_overwrite

    refuse_to_overwrite(out, overwrite=overwrite)
    choices = parse_splits(splits) if splits is not None else None
    by_chance = choices is not None and choices[0].fraction is not None
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.raw.", dir=out.parent) as scratch:
        names = _class_names(classes)
        datasets = read_source(kind, source, Path(scratch), choices=choices, class_names=names, seed=seed)
        dropped = 0
        if drop_invalid:
            for split, dataset in datasets.items():
                datasets[split], left_out = drop_invalid_boxes(dataset)
                dropped += left_out
        written = write_import_folder(
            datasets,
            out,
            source=f"{kind}:{source}",
            # What came out of records lies in the scratch folder already.
            transfer="move" if kind in ("tfrecord", "tfds") else "link" if link else "copy",
            tfrecords=tfrecords,
            dropped_boxes=dropped,
            seed=seed if by_chance else None,
            overwrite=overwrite,
        )
    for split, dataset in written.items():
        counts = count_dataset(dataset)
        of_class = ", ".join(f"{name} {number}" for name, number in counts.boxes_of_class.items())
        typer.echo(f"{split}: {counts.images} pictures, {counts.boxes} boxes ({of_class})")
    if drop_invalid:
        typer.echo(f"left out: {dropped} {'box' if dropped == 1 else 'boxes'} without area or outside the picture")
    if list(written) == [WHOLE]:
        typer.echo("The source lists no splits: import with --splits train=0.8,val=0.2 to draw some.")
    typer.echo(f"written: {out}")


def _class_names(text: str | None) -> tuple[str, ...] | None:
    from oddemo.data.label_map import read_label_map

    if text is None:
        return None
    if text.endswith(".pbtxt"):
        return read_label_map(Path(text))
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise OddemoError("The class names cannot be read.", expected="different names with commas", found=text)
    return names
