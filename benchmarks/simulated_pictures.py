"""A large simulated population of pictures: true boxes, a detector that errs as real ones do, and variants of it.

Boxes are simulated, not pixels: what matters to the interval is how detections, scores and errors hang together. Each
picture has a difficulty of its own, which lowers recall, scores and localisation of everything in it, so the picture is
the unit that must be resampled. Detections go through the project's own matching.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, Detections, ImageRecord

SIDE_PX = 256


@dataclass(frozen=True)
class Variant:
    """How a candidate differs from the reference.

    Attributes:
        name: In the results.
        like: The export fault that it resembles.
        box_noise: Standard deviation of each edge, as a share of the box's side.
        score_noise: Standard deviation in logits.
        lost: Share of the detections that are gone.
        added: Mean number of new false detections in a picture.
        threshold: Detections below this score are gone.
        shifted_classes: Share of the detections with another class id.
        swapped_classes: Two class ids that trade places.
    """

    name: str
    like: str
    box_noise: float = 0.0
    score_noise: float = 0.0
    lost: float = 0.0
    added: float = 0.0
    threshold: float = 0.0
    shifted_classes: float = 0.0
    swapped_classes: tuple[int, int] | None = None


VARIANTS = (
    Variant("benign", "numeric noise", box_noise=0.002, score_noise=0.01),
    Variant("resize", "another resize kernel", box_noise=0.02, score_noise=0.2),
    Variant("channels", "swapped channels", box_noise=0.05, score_noise=0.6, lost=0.1, added=1.0),
    Variant("threshold", "a score threshold of 0.4 baked in", threshold=0.4),
    Variant("swap", "a label map with two names exchanged", swapped_classes=(3, 5)),
    Variant("flips", "a third of the class ids wrong, whatever the score", shifted_classes=0.33),
)


def simulate_reference(
    images: int, *, class_shares: tuple[float, ...], seed: int
) -> tuple[Dataset, tuple[Detections, ...]]:
    """Return pictures with true boxes, and what the reference detects in them.

    Args:
        images: How many pictures.
        class_shares: Share of the true boxes of each class; they add up to 1.
        seed: Same seed, same population.
    """
    rng = np.random.default_rng(seed)
    records, detections = [], []
    for number in range(1, images + 1):
        difficulty = rng.normal()
        truths = int(rng.random() > 0.08) * (1 + int(rng.poisson(2.0)))
        boxes = _random_boxes(rng, truths)
        classes = rng.choice(len(class_shares), truths, p=class_shares) + 1
        records.append(ImageRecord(number, f"{number}.jpg", (SIDE_PX, SIDE_PX), boxes, classes))
        detections.append(_detect(rng, boxes, classes, difficulty, len(class_shares)))
    names = tuple(f"class {index + 1}" for index in range(len(class_shares)))
    return Dataset("simulated", Path(), names, tuple(records)), tuple(detections)


def vary(detections: tuple[Detections, ...], variant: Variant, *, classes: int, seed: int) -> tuple[Detections, ...]:
    """Return what the candidate detects: the reference's detections with the variant's differences."""
    rng = np.random.default_rng(seed)
    varied = []
    for found in detections:
        kept = (rng.random(len(found)) >= variant.lost) & (found.scores >= variant.threshold)
        boxes = _jitter(rng, found.boxes_yxyx_px[kept].astype(np.float64), variant.box_noise)
        scores = found.scores[kept].astype(np.float64)
        if variant.score_noise:
            scores = _sigmoid(np.log(scores / (1 - scores)) + rng.normal(0, variant.score_noise, len(scores)))
        moved = rng.random(len(scores)) < variant.shifted_classes
        ids = np.where(moved, found.class_ids[kept] % classes + 1, found.class_ids[kept])
        if variant.swapped_classes is not None:
            first, second = variant.swapped_classes
            ids = np.where(ids == first, second, np.where(ids == second, first, ids))
        new = int(rng.poisson(variant.added))
        new_scores = _sigmoid(rng.normal(-1.0, 1.0, new))
        varied.append(
            _sorted_detections(
                np.concatenate([boxes, _random_boxes(rng, new)]),
                np.concatenate([scores, new_scores]),
                np.concatenate([ids, rng.integers(1, classes + 1, new)]),
            )
        )
    return tuple(varied)


def _detect(
    rng: np.random.Generator, boxes: NDArray[np.float64], classes: NDArray[np.int64], difficulty: float, count: int
) -> Detections:
    truths = len(boxes)
    side = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    seen = rng.random(truths) < _sigmoid(2.4 - 0.8 * difficulty + 0.8 * np.log(side / 50))
    copies = np.where(seen, 1 + (rng.random(truths) < 0.1), 0)
    looseness = 0.05 * np.exp(0.35 * difficulty + rng.normal(0, 0.4, truths))
    source = np.repeat(np.arange(truths), copies)
    found = _jitter(rng, boxes[source], looseness[source, None])
    logits = rng.normal(2.2 - 0.7 * difficulty - 15 * looseness[source], 0.9)
    logits -= 1.2 * (np.diff(source, prepend=-1) == 0)
    ids = np.where(rng.random(len(source)) < 0.06, rng.integers(1, count + 1, len(source)), classes[source])
    false = int(rng.poisson(4.0 * np.exp(0.3 * difficulty)))
    return _sorted_detections(
        np.concatenate([found, _random_boxes(rng, false)]),
        np.concatenate([_sigmoid(logits), _sigmoid(rng.normal(-2.2 + 0.3 * difficulty, 1.0, false))]),
        np.concatenate([ids, rng.integers(1, count + 1, false)]),
    )


def _random_boxes(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return (count, 4) boxes `y_min, x_min, y_max, x_max` inside the picture, in pixels."""
    sides = np.clip(np.exp(rng.normal(np.log(50), 0.5, (count, 1)) + rng.normal(0, 0.25, (count, 2))), 8, SIDE_PX * 0.8)
    corner = rng.random((count, 2)) * (SIDE_PX - sides)
    return np.concatenate([corner, corner + sides], axis=1)


def _jitter(
    rng: np.random.Generator, boxes: NDArray[np.float64], noise: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(np.clip(boxes + sides * noise * rng.normal(size=boxes.shape), 0, SIDE_PX))


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _sorted_detections(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], class_ids: NDArray[np.int64]
) -> Detections:
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order], class_ids[order])
