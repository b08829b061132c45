"""What a condition does to the training pictures before the training: thin records over `oddemo.data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from oddemo.data.balance.pasting import paste_objects
from oddemo.data.balance.repeat_factors import sample_by_repeat_factor
from oddemo.data.balance.resampling import oversample, undersample
from oddemo.data.damage.bias import lean_to_light, lean_to_middle
from oddemo.data.damage.selection import make_rare, take_few
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


class Change(Protocol):
    """A frozen dataclass that changes a dataset."""

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """Return the changed dataset; new pictures go to the folder."""
        ...


@dataclass(frozen=True)
class TakeFew:
    """Keep so many pictures, drawn by the seed; all of them where there are fewer."""

    pictures: int

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.selection.take_few`."""
        del folder
        return take_few(dataset, min(self.pictures, len(dataset)), seed=seed)


@dataclass(frozen=True)
class TakeAsMany:
    """Keep as many pictures, drawn by the seed, as another change would leave."""

    like: Change

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.selection.take_few`."""
        return take_few(dataset, len(self.like.apply(dataset, seed=seed, folder=folder)), seed=seed)


@dataclass(frozen=True)
class MakeRare:
    """Keep so many of the pictures that show a class.

    Attributes:
        rare: The class that becomes rare: the one of these that a world has.
        pictures: How many pictures with it are kept.
        most: Most pictures in all.
    """

    rare: tuple[str, ...]
    pictures: int
    most: int

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.selection.make_rare`."""
        del folder
        return make_rare(dataset, one_of(self.rare, dataset), self.pictures, seed=seed, most=self.most)


@dataclass(frozen=True)
class Oversample:
    """Repeat pictures until every class is the rarest one of equally many."""

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.balance.resampling.oversample`."""
        del folder
        return oversample(dataset, seed=seed)


@dataclass(frozen=True)
class Undersample:
    """Leave pictures out until every class is the rarest one of equally few."""

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.balance.resampling.undersample`."""
        del folder
        return undersample(dataset, seed=seed)


@dataclass(frozen=True)
class RepeatFactors:
    """Repeat pictures by the factors of their rarest class."""

    threshold: float

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.balance.repeat_factors.sample_by_repeat_factor`."""
        del folder
        return sample_by_repeat_factor(dataset, threshold=self.threshold, seed=seed)


@dataclass(frozen=True)
class PasteRare:
    """Paste objects of the rare class into a part of the pictures without it."""

    rare: tuple[str, ...]
    part: float

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.balance.pasting.paste_objects`."""
        name = one_of(self.rare, dataset)
        class_id = dataset.class_names.index(name) + 1
        without = sum(class_id not in record.class_ids for record in dataset.records)
        return paste_objects(dataset, name, max(1, round(self.part * without)), folder / "pasted", seed=seed)


@dataclass(frozen=True)
class LeanToLight:
    """Keep the brightest part of the pictures, the darkest of them left out.

    Attributes:
        part: How much of the pictures is kept.
    """

    part: float

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.bias.lean_to_light`."""
        del seed, folder
        return lean_to_light(dataset, round(self.part * len(dataset)))


@dataclass(frozen=True)
class LeanToMiddle:
    """Keep the part of the pictures whose objects lie nearest to the middle.

    Attributes:
        part: How much of the pictures is kept.
    """

    part: float

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.bias.lean_to_middle`."""
        del seed, folder
        return lean_to_middle(dataset, round(self.part * len(dataset)))


@dataclass(frozen=True)
class MixedWithFresh:
    """Draw most pictures from what another change leaves, and some from the whole dataset.

    Attributes:
        change: The other change.
        pictures: How many are drawn in all.
        fresh: How many of them come from the whole.
    """

    change: Change
    pictures: int
    fresh: int

    def apply(self, dataset: Dataset, *, seed: int, folder: Path) -> Dataset:
        """See `oddemo.data.damage.selection.take_few`."""
        fresh = {record.image_id for record in take_few(dataset, self.fresh, seed=seed).records}
        changed = self.change.apply(dataset, seed=seed, folder=folder)
        others = changed.subset(record.image_id for record in changed.records if record.image_id not in fresh)
        drawn = take_few(others, self.pictures - self.fresh, seed=seed)
        return dataset.subset(fresh.union(record.image_id for record in drawn.records))


def one_of(names: tuple[str, ...], dataset: Dataset) -> str:
    """Return the one of these classes that a dataset has.

    Raises:
        OddemoError: If it has none of them, or several.
    """
    found = [name for name in names if name in dataset.class_names]
    if len(found) != 1:
        raise OddemoError(
            f"The study's class is not plain in {dataset.name}.",
            expected=f"one of {', '.join(names)}",
            found=f"classes {', '.join(dataset.class_names)}",
        )
    return found[0]
