"""Repeat-factor sampling, as introduced with the LVIS dataset: the rarer its rarest class, the oftener a picture comes.

A class shown in a part f of the pictures has the factor max(1, sqrt(t / f)); a picture has the largest factor of its
classes. The part behind the point decides by chance whether there is one copy more.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from oddemo.data.balance.repeating import repeat_pictures
from oddemo.data.counts import count_dataset
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


def repeat_factors(dataset: Dataset, *, threshold: float) -> NDArray[np.float64]:
    """Return each picture's repeat factor, at least 1.

    Args:
        dataset: The pictures.
        threshold: Classes shown in a smaller part of the pictures than this are repeated.

    Raises:
        OddemoError: If the threshold is not a part.
    """
    if not 0 < threshold <= 1:
        raise OddemoError("The threshold is not possible.", expected="above 0, at most 1", found=str(threshold))
    without = count_dataset(dataset).images_without_class
    parts = [1 - without[name] / len(dataset) for name in dataset.class_names]
    of_class = [max(1.0, math.sqrt(threshold / part)) if part else 1.0 for part in parts]
    factors = [
        max((of_class[class_id - 1] for class_id in record.class_ids.tolist()), default=1.0)
        for record in dataset.records
    ]
    return np.array(factors)


def sample_by_repeat_factor(dataset: Dataset, *, threshold: float, seed: int) -> Dataset:
    """Repeat pictures by their repeat factors.

    Args:
        dataset: The pictures.
        threshold: See `repeat_factors`.
        seed: Decides about the copies that a broken factor leaves to chance.
    """
    factors = repeat_factors(dataset, threshold=threshold)
    whole = np.floor(factors)
    extra = np.random.default_rng(seed).random(len(factors)) < factors - whole
    return repeat_pictures(dataset, (whole + extra).astype(int).tolist())
