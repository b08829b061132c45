"""Writing splits of any dataset as one folder that every other command reads."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from oddemo.data.check import box_findings
from oddemo.data.coco import read_coco, write_coco
from oddemo.data.counts import count_dataset
from oddemo.data.label_map import write_label_map
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.tfrecord import write_tfrecords
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite, write_json
from oddemo.progress import track
from oddemo.provenance import provenance

#: About how many pictures go into one TFRecord file.
IMAGES_PER_SHARD = 500


def drop_invalid_boxes(dataset: Dataset) -> tuple[Dataset, int]:
    """Return the dataset without boxes that no training can use, and how many these were.

    Left out are boxes without area, inside out, not finite, or wholly outside their picture.
    """
    records, dropped = [], 0
    for record in dataset.records:
        bad = {k for finding in box_findings(record) if finding.kind != "out_of_image" for k in finding.box_indices}
        height, width = record.image_size_hw_px
        for k, (y_min, x_min, y_max, x_max) in enumerate(record.boxes_yxyx_px.tolist()):
            if y_min >= height or x_min >= width or y_max <= 0 or x_max <= 0:
                bad.add(k)
        kept = [k for k in range(len(record.class_ids)) if k not in bad]
        dropped += len(bad)
        records.append(replace(record, boxes_yxyx_px=record.boxes_yxyx_px[kept], class_ids=record.class_ids[kept]))
    return replace(dataset, records=tuple(records)), dropped


def write_import_folder(
    datasets: Mapping[str, Dataset],
    folder: Path,
    *,
    source: str,
    transfer: Literal["copy", "link", "move"] = "copy",
    tfrecords: bool = False,
    dropped_boxes: int = 0,
    seed: int | None = None,
    overwrite: bool = False,
) -> dict[str, Dataset]:
    """Write splits in the layout of a world; the folder appears whole or not at all.

    `FOLDER/<split>/images/…`, `FOLDER/<split>.json` (COCO, file names below FOLDER), `FOLDER/label_map.pbtxt`,
    `FOLDER/import.json` (source, counts, provenance), and with `tfrecords` `FOLDER/<split>-0000k-of-0000n.tfrecord`.

    Args:
        datasets: Split name → its pictures; all with the same classes.
        folder: The folder to make.
        source: Where the data come from, for `import.json`.
        transfer: What happens to the pictures; links are hard ones, or symbolic ones to another file system.
        tfrecords: Also write TFRecords.
        dropped_boxes: How many boxes were left out before, for `import.json`.
        seed: The seed of splits drawn by chance, for `import.json`.
        overwrite: Replace a folder with files in it.

    Returns:
        Split name → the dataset in its new place.

    Raises:
        OddemoError: If the folder is taken, a split is empty, or a picture is missing.
    """
    folder = Path(folder)
    refuse_to_overwrite(folder, overwrite=overwrite)
    with atomic_folder(folder) as temporary:
        for split, dataset in datasets.items():
            if not dataset.records:
                raise OddemoError(f"The split {split} holds no picture.", expected="at least one picture")
            shared = _shared_folder([record.file_name for record in dataset.records])
            records = tuple(
                _placed(dataset, record, temporary, f"{split}/images/{record.file_name[len(shared) :]}", transfer)
                for record in track(dataset.records, f"importing {split}", total=len(dataset))
            )
            placed = replace(dataset, root=temporary, records=records)
            write_coco(placed, temporary / f"{split}.json")
            if tfrecords:
                shards = max(1, len(placed) // IMAGES_PER_SHARD)
                write_tfrecords(placed, temporary / split, shards=shards)
            write_label_map(temporary / "label_map.pbtxt", dataset.class_names, overwrite=True)
        content = {
            "source": source,
            "splits": {split: _sizes(dataset) for split, dataset in datasets.items()},
            "dropped_boxes": dropped_boxes,
            "provenance": provenance(seeds=[] if seed is None else [seed]),
        }
        write_json(temporary / "import.json", content)
    return {split: read_coco(folder / f"{split}.json", folder) for split in datasets}


def _sizes(dataset: Dataset) -> dict[str, object]:
    counts = count_dataset(dataset)
    return {"images": counts.images, "boxes": counts.boxes, "boxes_of_class": dict(counts.boxes_of_class)}


def _shared_folder(file_names: Sequence[str]) -> str:
    """Return the folder that all these names begin with, with its slash; it says nothing and is left out."""
    shared = posixpath.commonpath([posixpath.dirname(name) for name in file_names])
    return f"{shared}/" if shared else ""


def _placed(dataset: Dataset, record: ImageRecord, folder: Path, file_name: str, transfer: str) -> ImageRecord:
    """Bring one picture to its place; return its record with the new name."""
    origin, place = dataset.image_path(record), folder / file_name
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        if transfer == "link":
            _link(origin.resolve(strict=True), place)
        elif transfer == "move":
            origin.replace(place)
        else:
            shutil.copyfile(origin, place)
    except OSError as error:
        raise OddemoError(
            f"The picture {origin} cannot be brought to the new folder.",
            expected="a file for every annotated picture",
            found=error.strerror or str(error),
            do="check the folder of the pictures; `oddemo data check` lists all that are missing",
        ) from None
    return replace(record, file_name=file_name)


def _link(origin: Path, place: Path) -> None:
    try:
        os.link(origin, place)
    except OSError:
        place.symlink_to(origin)
