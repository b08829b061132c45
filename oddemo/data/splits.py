"""Saying which pictures become which split: by the source's own lists, or by seeded chance."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from oddemo.data.records import Dataset
from oddemo.errors import OddemoError

#: The splits that a world on disk has.
USUAL_SPLITS = ("train", "val", "test")
_EXPECTED = "train,val,test, or train=trainval,test for other names in the source, or train=0.8,val=0.2 for chance"


@dataclass(frozen=True)
class SplitChoice:
    """One split that is to be made.

    Attributes:
        name: Its name on disk.
        source_name: Its name in the source; None where it is drawn by chance.
        fraction: Its part of all pictures in (0, 1]; None where the source lists it.
    """

    name: str
    source_name: str | None = None
    fraction: float | None = None


def parse_splits(text: str) -> tuple[SplitChoice, ...]:
    """Read `train,val`, `train=trainval` or `train=0.8,val=0.2`.

    Raises:
        OddemoError: If the text is malformed, a name is doubled, the ways are mixed, or the fractions exceed 1.
    """
    choices = []
    for part in text.split(","):
        name, has_value, value = (piece.strip() for piece in part.partition("="))
        if not re.fullmatch(r"[\w][\w.-]*", name) or (has_value and not value):
            raise OddemoError("The splits cannot be read.", expected=_EXPECTED, found=text)
        is_number = re.fullmatch(r"[0-9]*\.?[0-9]+", value) is not None
        choices.append(SplitChoice(name, fraction=float(value)) if is_number else SplitChoice(name, value or name))
    fractions = [choice.fraction for choice in choices if choice.fraction is not None]
    mixed = 0 < len(fractions) < len(choices)
    if mixed or sum(fractions) > 1 + 1e-6 or 0.0 in fractions or len({c.name for c in choices}) < len(choices):
        raise OddemoError(
            "The splits do not go together.",
            expected=f"{_EXPECTED}; different names, and fractions that add up to at most 1",
            found=text,
        )
    return tuple(choices)


def split_by_chance(dataset: Dataset, choices: tuple[SplitChoice, ...], *, seed: int) -> dict[str, Dataset]:
    """Draw splits that share no picture; the same seed draws the same ones.

    Args:
        dataset: All pictures.
        choices: Splits with fractions.
        seed: Seed of the shuffle.

    Raises:
        OddemoError: If a split would stay empty.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    ends = np.rint(np.cumsum([choice.fraction or 0.0 for choice in choices]) * len(dataset)).astype(int)
    drawn = {}
    for choice, start, end in zip(choices, [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        if start == end:
            raise OddemoError(
                f"The split {choice.name} would hold no picture.",
                expected="a larger part",
                found=f"{len(dataset)} pictures",
            )
        ids = [dataset.records[k].image_id for k in order[start:end]]
        drawn[choice.name] = dataset.subset(ids, name=f"{dataset.name} {choice.name}")
    return drawn
