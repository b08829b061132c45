"""The trial of the label-noise study: plant faults in the labels, clean them or not, train, measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.data.clean.repair import count_found, repair_labels
from oddemo.data.clean.suspects import Strictness, find_suspects
from oddemo.data.damage.labels import KINDS, DamagedLabels, damage_labels
from oddemo.data.damage.selection import take_few
from oddemo.data.folds import folds
from oddemo.data.records import Detections
from oddemo.study.detecting import precision_of, shared_facts, trained
from oddemo.study.places import pictures_of

#: cleanlab with its own limits on the detector's own scores, and nothing beside it.
CLEANLAB_ALONE = Strictness(sure=0.95, likely=0.5, seen=None, rescale=False)


@dataclass(frozen=True)
class NoisyTrial:
    """Train on labels with planted faults, and measure on the world's untouched test pictures.

    Attributes:
        shifted: Part of the boxes that are moved.
        dropped: Part of the boxes that are forgotten.
        swapped: Part of the boxes that get another class.
        added: Boxes that show nothing, as a part of the true ones.
        pictures: Pictures of the training set, or all there are, drawn by the seed.
        clean_folds: Clean the labels first, by detectors that are trained on this many folds of the faulty set, each
            judging the pictures that it has not seen; 0 trains on the labels as they are.
        measured_on: Split of the measurement.
    """

    shifted: float = 0.0
    dropped: float = 0.0
    swapped: float = 0.0
    added: float = 0.0
    pictures: int = 300
    clean_folds: int = 0
    measured_on: str = "test"

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        """Draw the world's pictures, and return the fingerprints of pictures and starting weights."""
        return shared_facts(world, work, self.measured_on)

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        """Plant, clean if asked, train and measure once."""
        dataset = pictures_of(world, "train", work)
        dataset = take_few(dataset, min(self.pictures, len(dataset)), seed=seed)
        parts = {kind: float(getattr(self, kind)) for kind in KINDS}
        damaged = damage_labels(dataset, **parts, seed=seed)
        learnt, told = damaged.dataset, {"planted": len(damaged.faults)}
        measured: dict[str, float] = {}
        if self.clean_folds:
            found = self._judged(damaged, world, seed, scratch)
            suspects = find_suspects(learnt, found)
            measured |= _told(damaged, found)
            learnt = repair_labels(learnt, found, suspects)
        measured_on = pictures_of(world, self.measured_on, work)
        detections = trained(world, learnt, [measured_on], recipe={}, seed=seed, scratch=scratch)[0][0]
        return {**precision_of(measured_on, detections), **told, **measured}

    def _judged(self, damaged: DamagedLabels, world: str, seed: int, scratch: Path) -> list[Detections]:
        """Return what detectors see in each picture that have not learnt from its labels."""
        found: dict[int, Detections] = {}
        for learn, judge in folds(damaged.dataset, self.clean_folds, seed=seed):
            seen = trained(world, learn, [judge], recipe={}, seed=seed, scratch=scratch)[0][0]
            found |= {record.image_id: one for record, one in zip(judge.records, seen, strict=True)}
        return [found[record.image_id] for record in damaged.dataset.records]


def _told(damaged: DamagedLabels, found: list[Detections]) -> dict[str, float]:
    """Return precision and recall of the cleaning, and of cleanlab alone."""
    told: dict[str, float] = {}
    for name, strictness in (("", Strictness()), ("cleanlab_alone_", CLEANLAB_ALONE)):
        counted = count_found(damaged, found, find_suspects(damaged.dataset, found, strictness))
        told |= {f"{name}precision": counted.precision, f"{name}recall": counted.recall}
        told |= {f"{name}recall_{kind}": part for kind, part in counted.recall_of_kind.items()}
    return told
