"""A dataset in which pictures come several times, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


def repeat_pictures(dataset: Dataset, times: Sequence[int]) -> Dataset:
    """Return each picture as often as `times` says: all that come at least once, then the second copies, and so on.

    Copies have ids of their own, above all others, and the attribute `repeats` with the id of the picture.

    Args:
        dataset: The pictures.
        times: How often each comes, in the dataset's order; 0 leaves it out.

    Raises:
        OddemoError: If the numbers do not fit the pictures, or nothing would be left.
    """
    if len(times) != len(dataset) or any(count < 0 for count in times) or not any(times):
        raise OddemoError(
            "The numbers do not fit the pictures.",
            expected=f"{len(dataset)} whole numbers of at least 0, one of them above 0",
            found=f"{len(times)} numbers with the sum {sum(times)}",
        )
    kept = [record for record, count in zip(dataset.records, times, strict=True) if count]
    next_id = max(record.image_id for record in dataset.records) + 1
    for copy in range(2, max(times) + 1):
        for record, count in zip(dataset.records, times, strict=True):
            if count >= copy:
                attributes = {**record.attributes, "repeats": record.image_id}
                kept.append(replace(record, image_id=next_id, attributes=attributes))
                next_id += 1
    return replace(dataset, records=tuple(kept))
