"""Weights of classes for the loss, by scikit-learn, counted over boxes."""

from __future__ import annotations

import numpy as np

from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


def class_weights(dataset: Dataset, *, power: float = 1.0) -> tuple[float, ...]:
    """Return a weight for each class, larger for a rarer one; weighted by its boxes their mean is 1.

    Args:
        dataset: Whose boxes are counted.
        power: 1 for scikit-learn's `balanced`, under which all classes weigh the same; less for a part of that, 0 for
            none of it.

    Raises:
        OddemoError: If a class has no box.
    """
    from sklearn.utils.class_weight import compute_class_weight

    ids = np.concatenate([np.zeros(0, np.int64), *(record.class_ids for record in dataset.records)])
    every = np.arange(1, len(dataset.class_names) + 1)
    absent = [dataset.class_names[class_id - 1] for class_id in sorted(set(every.tolist()) - set(ids.tolist()))]
    if absent:
        raise OddemoError(
            f"{dataset.name} has classes without a box: there is nothing to weigh.", found=", ".join(absent)
        )
    weights = compute_class_weight("balanced", classes=every, y=ids) ** power
    weights /= weights[ids - 1].mean()
    return tuple(weights.tolist())
