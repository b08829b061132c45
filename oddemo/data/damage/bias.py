"""Choosing pictures so that a dataset leans: to one light, to the middle, to large or small objects.

The generated worlds have knobs for this (`WorldSpec.lighting_mix`, `centre_bias`, `size_bias`), which draw new
pictures. For pictures that are there, real ones above all, only the choice among them is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from oddemo.data.boxes import box_areas
from oddemo.data.picture_measures import brightness_of
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


def mix_pictures(
    dataset: Dataset, weights: Mapping[str, float], pictures: int, *, seed: int, attribute: str = "lighting"
) -> Dataset:
    """Draw pictures so that the values of an attribute have given shares, as nearly as whole pictures allow.

    Args:
        dataset: Where they are drawn from.
        weights: Value of the attribute → its weight; values that are left out get none.
        pictures: How many are drawn in all.
        seed: Another seed, other pictures.
        attribute: Name of an entry of `ImageRecord.attributes`.

    Raises:
        OddemoError: If the weights are not possible, or a value has too few pictures for its share.
    """
    total = sum(weights.values())
    if pictures < 1 or total <= 0 or min(weights.values()) < 0:
        raise OddemoError(
            "The mix is not possible.",
            expected="at least one picture, weights of at least 0 and one of them above 0",
            found=f"{pictures} pictures, weights {dict(weights)}",
        )
    # Rounded at the ends, so that the numbers add up.
    ends = np.rint(np.cumsum([weight / total for weight in weights.values()]) * pictures).astype(int)
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for value, count in zip(weights, np.diff(ends, prepend=0).tolist(), strict=True):
        ids = [record.image_id for record in dataset.records if record.attributes.get(attribute) == value]
        if count > len(ids):
            raise OddemoError(
                f"{dataset.name} has too few pictures with {attribute} {value}.",
                expected=f"at least {count}",
                found=str(len(ids)),
            )
        chosen += [ids[index] for index in rng.permutation(len(ids))[:count].tolist()]
    return dataset.subset(chosen)


def lean_to_middle(dataset: Dataset, pictures: int) -> Dataset:
    """Keep the pictures whose objects lie nearest to the middle."""
    return _with_smallest(dataset, pictures, off_centre)


def lean_to_light(dataset: Dataset, pictures: int) -> Dataset:
    """Keep the brightest pictures."""
    return _with_smallest(dataset, pictures, lambda record: -brightness_of(dataset, record))


def lean_to_size(dataset: Dataset, pictures: int, *, largest: bool) -> Dataset:
    """Keep the pictures with the largest objects, or with the smallest."""
    return _with_smallest(dataset, pictures, lambda record: -part_covered(record) if largest else part_covered(record))


def off_centre(record: ImageRecord) -> float:
    """Return the mean distance of box middles from the picture's middle, as a part of half its diagonal."""
    size_hw = np.array(record.image_size_hw_px, np.float64)
    middles_yx = (record.boxes_yxyx_px[:, :2] + record.boxes_yxyx_px[:, 2:]) / 2
    distances = np.linalg.norm(middles_yx - size_hw / 2, axis=1) / (np.linalg.norm(size_hw) / 2)
    return float(distances.mean())


def part_covered(record: ImageRecord) -> float:
    """Return the mean area of a picture's boxes, as a part of its own."""
    height, width = record.image_size_hw_px
    return float(box_areas(record.boxes_yxyx_px).mean() / (height * width))


def _with_smallest(dataset: Dataset, pictures: int, value_of: Callable[[ImageRecord], float]) -> Dataset:
    """Keep pictures with boxes by rising value; of equal ones the first."""
    with_boxes = [record for record in dataset.records if len(record.class_ids)]
    if not 1 <= pictures <= len(with_boxes):
        raise OddemoError(
            f"{pictures} pictures cannot be chosen from {dataset.name}.",
            expected=f"from 1 to {len(with_boxes)}, the number of pictures with boxes",
        )
    ordered = sorted(with_boxes, key=value_of)
    return dataset.subset(record.image_id for record in ordered[:pictures])
