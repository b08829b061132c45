"""Copy-paste: cut rare objects out along their boxes and paste them into other pictures.

There are no outlines to cut along, so a patch brings a margin of its own background with it, faded at the rim. Whether
that teaches the object or the rim is what the imbalance study measures.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.data.boxes import pairwise_iou
from oddemo.data.damage.selection import class_id_of
from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError

#: A pasted object covers no other one by more than this intersection over union.
LARGEST_OVERLAP = 0.05
#: Margin around a cut box, as a part of its sides; it fades from the box to its rim.
MARGIN = 0.1
_TRIES = 30


def paste_objects(dataset: Dataset, class_name: str, pictures: int, folder: Path, *, seed: int) -> Dataset:
    """Paste objects of one class into pictures that do not show it, mirrored at times; the files go to a folder.

    Args:
        dataset: The pictures.
        class_name: The class to cut out.
        pictures: How many pictures get one object, in place of the original; one without a free place stays as it is.
        folder: Empty folder for the new PNG files; it must stay as long as the dataset is used.
        seed: Decides what is pasted where.

    Returns:
        The dataset; changed pictures have absolute file names, and the attribute `pasted` with the class's name.

    Raises:
        OddemoError: If no picture shows the class, or there are not that many without it.
    """
    class_id = class_id_of(dataset, class_name)
    objects = [
        (record, index) for record in dataset.records for index in np.flatnonzero(record.class_ids == class_id).tolist()
    ]
    without = [k for k, record in enumerate(dataset.records) if class_id not in record.class_ids]
    if not objects or not 1 <= pictures <= len(without):
        raise OddemoError(
            f"{pictures} objects cannot be pasted in {dataset.name}.",
            expected=f"at least one {class_name}, and 1 to {len(without)} pictures that show none",
            found=f"{len(objects)} objects",
        )
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(without)[:pictures].tolist()
    records = list(dataset.records)
    for place in chosen:
        source, index = objects[int(rng.integers(len(objects)))]
        patch, inner = _cut(read_image_rgb(dataset.image_path(source)), source.boxes_yxyx_px[index])
        if rng.random() < 0.5:
            patch, inner = patch[:, ::-1], inner[:, ::-1]
        records[place] = _pasted(dataset, records[place], (patch, inner), class_id, folder=folder, rng=rng)
    return replace(dataset, records=tuple(records))


def _cut(
    image_rgb: NDArray[np.uint8], box_yxyx_px: NDArray[np.floating]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the patch around a box, (h, w, 3) uint8, and how much of each pixel is pasted, (h, w) from 0 to 1."""
    height, width = image_rgb.shape[:2]
    sides = np.maximum(box_yxyx_px[2:] - box_yxyx_px[:2], 1)
    outer = np.concatenate([box_yxyx_px[:2] - MARGIN * sides, box_yxyx_px[2:] + MARGIN * sides])
    top, left = np.floor(np.clip(outer[:2], 0, None)).astype(int)
    bottom, right = np.ceil(np.minimum(outer[2:], [height, width])).astype(int)
    rows, columns = np.arange(top, bottom) + 0.5, np.arange(left, right) + 0.5
    fade_y = _fade(rows, box_yxyx_px[0], box_yxyx_px[2], MARGIN * sides[0])
    fade_x = _fade(columns, box_yxyx_px[1], box_yxyx_px[3], MARGIN * sides[1])
    return image_rgb[top:bottom, left:right], fade_y[:, None] * fade_x[None, :]


def _fade(places: NDArray[np.float64], low: float, high: float, margin: float) -> NDArray[np.float64]:
    """Return 1 between low and high, falling to 0 over the margin outside."""
    outside = np.maximum(np.maximum(low - places, places - high), 0)
    faded: NDArray[np.float64] = np.clip(1 - outside / max(margin, 1e-6), 0, 1)
    return faded


def _pasted(
    dataset: Dataset,
    record: ImageRecord,
    patch: tuple[NDArray[np.uint8], NDArray[np.float64]],
    class_id: int,
    *,
    folder: Path,
    rng: np.random.Generator,
) -> ImageRecord:
    """Return the picture's record with one object more, its file written; as it was if there is no free place."""
    from PIL import Image

    pixels, part = patch
    height, width = part.shape
    room = np.array(record.image_size_hw_px) - [height, width]
    corners = np.floor(rng.random((_TRIES, 2)) * (np.clip(room, 0, None) + 1)).astype(int)
    solid_y, solid_x = np.flatnonzero(part.max(axis=1) >= 1), np.flatnonzero(part.max(axis=0) >= 1)
    if (room < 0).any() or not len(solid_y) or not len(solid_x):
        return record
    inner = np.array([solid_y[0], solid_x[0], solid_y[-1] + 1, solid_x[-1] + 1])
    boxes = np.tile(corners, 2) + inner.astype(np.float64)
    free = np.flatnonzero((pairwise_iou(boxes, np.array(record.boxes_yxyx_px)) <= LARGEST_OVERLAP).all(axis=1))
    if not len(free):
        return record
    top, left = corners[free[0]].tolist()
    image = read_image_rgb(dataset.image_path(record)).copy()
    window = image[top : top + height, left : left + width]
    window[:] = np.round(part[..., None] * pixels + (1 - part[..., None]) * window).astype(np.uint8)
    # An absolute name wins over the root that it is joined to: old and new files lie in different places.
    path = folder / f"{record.image_id}.png"
    Image.fromarray(image).save(path, compress_level=1)
    return replace(
        record,
        file_name=path.as_posix(),
        boxes_yxyx_px=np.concatenate([record.boxes_yxyx_px, boxes[free[:1]]]),
        class_ids=np.append(record.class_ids, class_id),
        attributes={**record.attributes, "pasted": dataset.class_names[class_id - 1]},
    )
