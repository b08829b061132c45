"""The records that everything else passes around: a picture with its boxes, a dataset, a set of detections.

Coordinates are continuous pixels of the original picture, origin at its top left corner, order
`y_min, x_min, y_max, x_max`; a box that covers the whole picture is `[0, 0, height, width]`.
Class ids start at 1: class id `k` is `class_names[k - 1]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddemo.errors import OddemoError

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


def _boxes(value: ArrayLike, dtype: type, name: str) -> NDArray[Any]:
    boxes: NDArray[Any] = np.asarray(value, dtype=dtype)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise OddemoError(
            f"{name} has the wrong shape.", expected="(N, 4): y_min, x_min, y_max, x_max", found=str(boxes.shape)
        )
    return _frozen(boxes)


def _vector(value: ArrayLike, dtype: type, length: int, name: str) -> NDArray[Any]:
    vector: NDArray[Any] = np.asarray(value, dtype=dtype).reshape(-1)
    if len(vector) != length:
        raise OddemoError(f"{name} does not fit the boxes.", expected=f"{length} values", found=str(len(vector)))
    return _frozen(vector)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy() if array.flags.writeable else array
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """One picture and its true boxes.

    Attributes:
        image_id: Unique in its dataset.
        file_name: Path below the dataset's `root`, with forward slashes.
        image_size_hw_px: Height and width in pixels.
        boxes_yxyx_px: (N, 4) float64, pixels of the original picture.
        class_ids: (N,) int64, from 1.
        attributes: What else is known of the picture (lighting, split, seed …); JSON values only.
    """

    image_id: int
    file_name: str
    image_size_hw_px: tuple[int, int]
    boxes_yxyx_px: FloatArray
    class_ids: IntArray
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        boxes = _boxes(self.boxes_yxyx_px, np.float64, f"{self.file_name}: boxes_yxyx_px")
        object.__setattr__(self, "boxes_yxyx_px", boxes)
        ids = _vector(self.class_ids, np.int64, len(boxes), f"{self.file_name}: class_ids")
        object.__setattr__(self, "class_ids", ids)
        height, width = self.image_size_hw_px
        if height < 1 or width < 1:
            raise OddemoError(
                f"{self.file_name}: the image size is not possible.",
                expected="height and width of at least 1 pixel",
                found=f"{height} x {width}",
            )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures of one root folder with one list of classes.

    Attributes:
        name: Short name for reports.
        root: Folder below which every `file_name` lies.
        class_names: Class id `k` is `class_names[k - 1]`.
        records: The pictures, in a fixed order.
    """

    name: str
    root: Path
    class_names: tuple[str, ...]
    records: tuple[ImageRecord, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "records", tuple(self.records))
        ids = [record.image_id for record in self.records]
        if len(set(ids)) != len(ids):
            raise OddemoError(f"{self.name}: image ids are not unique.", do="give every picture an id of its own")
        for record in self.records:
            if len(record.class_ids) and not (
                int(record.class_ids.min()) >= 1 and int(record.class_ids.max()) <= len(self.class_names)
            ):
                raise OddemoError(
                    f"{record.file_name}: a class id has no name.",
                    expected=f"ids 1 to {len(self.class_names)} ({', '.join(self.class_names)})",
                    found=str(sorted(set(record.class_ids.tolist()))),
                    do="check whether the ids start at 0, and the list of classes",
                )

    def __len__(self) -> int:
        return len(self.records)

    def image_path(self, record: ImageRecord) -> Path:
        """Return where the picture lies."""
        return self.root / record.file_name

    def subset(self, image_ids: Iterable[int], *, name: str | None = None) -> Dataset:
        """Return the pictures with these ids, in this dataset's order."""
        wanted = set(image_ids)
        kept = tuple(record for record in self.records if record.image_id in wanted)
        return replace(self, name=name or self.name, records=kept)


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector says about one picture, best score first.

    Attributes:
        boxes_yxyx_px: (N, 4) float32, pixels of the original picture.
        scores: (N,) float32 in [0, 1].
        class_ids: (N,) int64, from 1.
    """

    boxes_yxyx_px: FloatArray
    scores: FloatArray
    class_ids: IntArray

    def __post_init__(self) -> None:
        boxes = _boxes(self.boxes_yxyx_px, np.float32, "boxes_yxyx_px")
        object.__setattr__(self, "boxes_yxyx_px", boxes)
        object.__setattr__(self, "scores", _vector(self.scores, np.float32, len(boxes), "scores"))
        object.__setattr__(self, "class_ids", _vector(self.class_ids, np.int64, len(boxes), "class_ids"))

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, score: float) -> Detections:
        """Return the detections with at least this score."""
        keep = self.scores >= score
        return Detections(self.boxes_yxyx_px[keep], self.scores[keep], self.class_ids[keep])
