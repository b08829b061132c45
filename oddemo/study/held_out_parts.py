"""The trial of cross-validation: hold one part of a small set back, learn from the others, measure on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oddemo.data.damage.selection import take_few
from oddemo.data.folds import folds
from oddemo.study.detecting import precision_of, shared_facts, trained
from oddemo.study.places import pictures_of

#: Draws the small set and cuts it, the same for all runs.
CUT_SEED = 1


@dataclass(frozen=True)
class HeldOutTrial:
    """Train without one part of a small set, and measure on that part and on the world's test pictures.

    Attributes:
        another_part: Run `s` holds part `s` back, and all runs train with seed 1; otherwise all hold the first part
            back, and run `s` trains with seed `s`.
        pictures: Of the small set.
        parts: How many parts it is cut into.
        recipe: Entries of the recipe that differ from the world's own.
    """

    another_part: bool
    pictures: int
    parts: int
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Draw the world's pictures, and return the fingerprints of pictures and starting weights."""
        return shared_facts(world, work, "test")

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Train and measure once: `held_ap` on the part that was held back, `ap` on the test pictures."""
        dataset = take_few(pictures_of(world, "train", work), self.pictures, seed=CUT_SEED)
        part, training_seed = ((seed - 1) % self.parts, CUT_SEED) if self.another_part else (0, seed)
        learn, held = list(folds(dataset, self.parts, seed=CUT_SEED))[part]
        test = pictures_of(world, "test", work)
        found, _ = trained(world, learn, [held, test], recipe=self.recipe, seed=training_seed, scratch=scratch)
        told = {"part": part + 1, "held_pictures": len(held), "training_pictures": len(learn)}
        return {"held_ap": precision_of(held, found[0])["ap"], "ap": precision_of(test, found[1])["ap"], **told}
