"""Where a detector is weak: its average precision by class, size, position, brightness, or anything known of a picture.

When an export is faithful and the results are still poor, the reason lies in the model or its data; this shows where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.picture_measures import brightness_of
from oddemo.data.records import Dataset, Detections, FloatArray, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.average_precision import average_precision
from oddemo.metrics.coco_form import bbox_xywh_px, check_truths
from oddemo.metrics.interval import Interval, map_interval
from oddemo.metrics.match_records import Matches
from oddemo.metrics.matches import CountedBoxes, match_dataset

#: Numbers with more different values than this are cut into thirds.
_MOST_VALUES = 6


@dataclass(frozen=True)
class SliceMetrics:
    """The average precision on one part of a dataset.

    Attributes:
        by: What the dataset was cut by.
        name: Which part this is.
        images: Pictures that belong to the part or have a true box in it.
        truths: True boxes in it.
        ap: COCO's mean average precision; None without a true box.
        ap50: At IoU 0.5; None without a true box.
        interval: Of `ap`, over pictures; None where there are fewer than two.
    """

    by: str
    name: str
    images: int
    truths: int
    ap: float | None
    ap50: float | None
    interval: Interval | None

    def __post_init__(self) -> None:
        if self.truths and self.ap is None:
            raise OddemoError(f"The part {self.name} has true boxes, but no average precision.")

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {**vars(self), "interval": self.interval.as_dict() if self.interval else None}


def sliced_metrics(
    dataset: Dataset,
    detections: Sequence[Detections],
    *,
    by: str,
    size_edges_px: tuple[float, float] = (32.0, 96.0),
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[SliceMetrics, ...]:
    """Return the metrics of each part of a dataset.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set for each picture, in the dataset's order.
        by: `class`; `size` of the true boxes; `position` (`centre`: the box's middle lies in the inner half of the
            picture's area); `brightness` of the pictures in thirds; or the name of an attribute of the pictures, such
            as `lighting` (numbers with many values are cut into thirds).
        size_edges_px: Side lengths between small, medium and large; COCO's, if not given.
        resamples: For the intervals.
        seed: Of the resampling.

    Raises:
        OddemoError: If no picture has the attribute, there are no true boxes, or the detections do not fit.
    """
    check_truths(dataset)
    options = {"resamples": resamples, "seed": seed}
    if by in {"size", "position"}:
        parts = _sizes(size_edges_px) if by == "size" else _positions()
        matched = ((name, match_dataset(dataset, detections, counted=counted)) for name, counted in parts.items())
        return tuple(_measure(by, name, matches, None, **options) for name, matches in matched)
    matches = match_dataset(dataset, detections)
    if by == "class":
        names = enumerate(dataset.class_names, 1)
        return tuple(_measure(by, name, matches.only_class(index), None, **options) for index, name in names)
    groups = _image_groups(dataset, by)
    place = {int(image_id): index for index, image_id in enumerate(matches.image_ids)}
    chosen = {name: sorted(place[record.image_id] for record in records) for name, records in groups.items()}
    return tuple(_measure(by, name, matches.select(rows), len(rows), **options) for name, rows in chosen.items())


def _measure(by: str, name: str, matches: Matches, images: int | None, *, resamples: int, seed: int) -> SliceMetrics:
    counts = matches.truth_counts.sum(axis=1)
    truths, pictures = int(counts.sum()), int((counts > 0).sum()) if images is None else images
    if not truths:
        return SliceMetrics(by, name, pictures, 0, None, None, None)
    ap50 = float(average_precision(matches, metric="ap50")[0])
    if (counts > 0).sum() < 2:
        return SliceMetrics(by, name, pictures, truths, float(average_precision(matches)[0]), ap50, None)
    interval = map_interval(matches, resamples=resamples, seed=seed)
    return SliceMetrics(by, name, pictures, truths, interval.point, ap50, interval)


def _sizes(edges_px: tuple[float, float]) -> dict[str, CountedBoxes]:
    """Return the three ranges of area; a box on an edge belongs to both sides, as COCO has it."""
    low, high = edges_px
    if not 0 < low < high:
        raise OddemoError("The size edges are not possible.", expected="0 < lower < upper", found=str(edges_px))

    def between(least: float, most: float) -> CountedBoxes:
        def counted(_record: ImageRecord, boxes_yxyx_px: FloatArray) -> NDArray[np.bool_]:
            areas = bbox_xywh_px(boxes_yxyx_px)[:, 2:].prod(axis=1)
            return np.asarray((areas >= least**2) & (areas <= most**2))

        return counted

    return {
        f"small (up to {low:g} px)": between(0, low),
        f"medium ({low:g} to {high:g} px)": between(low, high),
        f"large (from {high:g} px)": between(high, 1e5),
    }


def _positions() -> dict[str, CountedBoxes]:
    def centre(record: ImageRecord, boxes_yxyx_px: FloatArray) -> NDArray[np.bool_]:
        middle = (boxes_yxyx_px[:, :2] + boxes_yxyx_px[:, 2:]) / 2
        from_centre = np.abs(middle / np.array(record.image_size_hw_px) - 0.5)
        return np.asarray((from_centre <= 0.5 * np.sqrt(0.5)).all(axis=1))

    def border(record: ImageRecord, boxes_yxyx_px: FloatArray) -> NDArray[np.bool_]:
        return ~centre(record, boxes_yxyx_px)

    return {"centre": centre, "border": border}


def _image_groups(dataset: Dataset, by: str) -> dict[str, list[ImageRecord]]:
    """Return name → pictures; those without the attribute form a group of their own."""
    known = [record for record in dataset.records if by in record.attributes]
    if by == "brightness" and not known:
        return _thirds(
            [(brightness_of(dataset, record), record) for record in dataset.records], ("dark", "mid", "bright")
        )
    if not known:
        attributes = sorted({name for record in dataset.records for name in record.attributes})
        raise OddemoError(
            f"No picture of {dataset.name} has the attribute {by}.",
            expected=", ".join(["class", "size", "position", "brightness", *attributes]),
            found=by,
        )
    values = [record.attributes[by] for record in known]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers and len(set(values)) > _MOST_VALUES:
        groups = _thirds(list(zip(values, known, strict=True)), ("low", "mid", "high"))
    else:
        groups = {str(value): [] for value in (sorted(set(values)) if numbers else sorted(set(map(str, values))))}
        for value, record in zip(values, known, strict=True):
            groups[str(value)].append(record)
    unknown = [record for record in dataset.records if by not in record.attributes]
    return {**groups, "unknown": unknown} if unknown else groups


def _thirds(pairs: list[tuple[float, ImageRecord]], names: tuple[str, str, str]) -> dict[str, list[ImageRecord]]:
    """Return the pictures by thirds of a number; equal numbers stay together."""
    values = np.array([value for value, _ in pairs])
    which = np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)
    groups: dict[str, list[ImageRecord]] = {}
    for index in np.unique(which).tolist():
        inside = values[which == index]
        name = f"{names[index]} ({inside.min():.3g} to {inside.max():.3g})"
        groups[name] = [record for part, (_, record) in zip(which.tolist(), pairs, strict=True) if part == index]
    return groups
