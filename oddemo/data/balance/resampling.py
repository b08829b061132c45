"""Over- and undersampling by imbalanced-learn, for pictures that show several classes at once.

Its samplers want one label a sample. A picture's label here is the rarest class that it shows, as counted over
pictures: what is done for that class is done where it is, and a picture with the rare and a common class is not thrown
away for its common one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.balance.repeating import repeat_pictures
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError

#: Label of pictures without boxes; they are left as they are.
NOTHING = 0


def rarest_class_ids(dataset: Dataset) -> NDArray[np.int64]:
    """Return for each picture the id of the rarest class that it shows, 0 for one without boxes."""
    shown = [set(record.class_ids.tolist()) for record in dataset.records]
    pictures = Counter(class_id for ids in shown for class_id in ids)
    # Equally rare: the lower id.
    rarest = [min(ids, key=lambda class_id: (pictures[class_id], class_id)) if ids else NOTHING for ids in shown]
    return np.array(rarest, dtype=np.int64)


def oversample(dataset: Dataset, *, seed: int) -> Dataset:
    """Repeat pictures until every class is the rarest one of equally many pictures.

    Args:
        dataset: The pictures.
        seed: Decides which pictures are repeated.

    Raises:
        OddemoError: If fewer than two classes are the rarest of some picture.
    """
    from imblearn.over_sampling import RandomOverSampler

    return _resampled(dataset, RandomOverSampler(random_state=seed))


def undersample(dataset: Dataset, *, seed: int) -> Dataset:
    """Leave pictures out until every class is the rarest one of equally few pictures.

    Args:
        dataset: The pictures.
        seed: Decides which pictures are left out.

    Raises:
        OddemoError: If fewer than two classes are the rarest of some picture.
    """
    from imblearn.under_sampling import RandomUnderSampler

    return _resampled(dataset, RandomUnderSampler(random_state=seed))


def _resampled(dataset: Dataset, sampler: Any) -> Dataset:
    labels = rarest_class_ids(dataset)
    chosen = np.flatnonzero(labels != NOTHING)
    if len(set(labels[chosen].tolist())) < 2:
        raise OddemoError(
            f"{dataset.name} cannot be balanced by pictures.",
            expected="pictures whose rarest class is one, and pictures whose rarest class is another",
            found=f"{len(chosen)} pictures with boxes, all with the same rarest class",
            do="balance by repeat factors or by weights in the loss",
        )
    rows, _ = sampler.fit_resample(chosen[:, None], labels[chosen])
    times = np.bincount(rows[:, 0], minlength=len(dataset))
    times[labels == NOTHING] = 1
    return repeat_pictures(dataset, times.tolist())
