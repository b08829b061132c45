"""Which objects a picture has, how large they are and where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddemo.data.records import FloatArray
from oddemo.data.scenes.spec import WorldSpec

TRIES = 40


@dataclass(frozen=True)
class Plan:
    """What a picture is going to show.

    Attributes:
        lighting: Name of the lighting condition.
        class_ids: Class of each object, from 1.
        lengths_px: Longer side that each object's box is to have.
    """

    lighting: str
    class_ids: tuple[int, ...]
    lengths_px: tuple[float, ...]


def plan_picture(rng: np.random.Generator, spec: WorldSpec) -> Plan:
    """Draw lighting, classes and sizes as the spec's knobs say."""
    lighting = spec.lighting_names[_choice(rng, [spec.lighting_mix[name] for name in spec.lighting_names])]
    fewest, most = spec.objects_per_image
    count = int(rng.integers(fewest, most + 1))
    weights = [spec.class_ratio[name] for name in spec.class_names]
    class_ids = tuple(1 + _choice(rng, weights) for _ in range(count))
    smallest, largest = (np.log(side * max(spec.image_size_hw_px)) for side in spec.object_size_range)
    shares = _biased(rng.random(count), spec.size_bias)
    lengths = np.exp(smallest + (largest - smallest) * shares)
    return Plan(lighting, class_ids, tuple(lengths.tolist()))


def _choice(rng: np.random.Generator, weights: list[float]) -> int:
    """Return an index drawn with these weights; a small change of a weight changes few draws."""
    edges = np.cumsum(weights)
    return min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(weights) - 1)


def _biased(shares: FloatArray, bias: float) -> FloatArray:
    """Bend even shares in [0, 1] towards 0 (bias -1) or 1 (bias 1)."""
    if bias >= 0:
        bent: FloatArray = bias + (1 - bias) * shares
        return bent
    return (1 + bias) * shares


def free_place(
    rng: np.random.Generator,
    size_hw: tuple[float, float],
    area_yxyx: tuple[float, float, float, float],
    taken_yxyx: list[tuple[float, float, float, float]],
    *,
    centre_bias: float,
    largest_overlap: float,
) -> tuple[float, float] | None:
    """Find the top left corner for a box of this size inside an area, away from the boxes already there.

    The bias is loosened from try to try, so that several objects crowd around the middle instead of vanishing.

    Args:
        rng: Where chance comes from; always asked for the same number of values.
        size_hw: Height and width of the box in pixels.
        area_yxyx: Where the whole box must lie.
        taken_yxyx: Boxes already placed.
        centre_bias: 0 (anywhere) to 1 (in the middle).
        largest_overlap: Largest allowed intersection, as a fraction of the smaller box's area.

    Returns:
        `y_min, x_min`, or None where no free place was found or the box is larger than the area.
    """
    draws = rng.random((TRIES, 2))
    room_y = area_yxyx[2] - area_yxyx[0] - size_hw[0]
    room_x = area_yxyx[3] - area_yxyx[1] - size_hw[1]
    if room_y < 0 or room_x < 0:
        return None
    for attempt, (draw_y, draw_x) in enumerate(draws):
        pull = centre_bias * (1 - attempt / (TRIES - 1) if taken_yxyx else 1.0)
        top = area_yxyx[0] + room_y * (0.5 * pull + (1 - pull) * float(draw_y))
        left = area_yxyx[1] + room_x * (0.5 * pull + (1 - pull) * float(draw_x))
        box = (top, left, top + size_hw[0], left + size_hw[1])
        if all(_overlap(box, other) <= largest_overlap for other in taken_yxyx):
            return top, left
    return None


def _overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    height = min(first[2], second[2]) - max(first[0], second[0])
    width = min(first[3], second[3]) - max(first[1], second[1])
    if height <= 0 or width <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return height * width / min(areas)


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """Return `y_min, x_min, y_max, x_max` around the true pixels of a mask, the maxima exclusive; None if empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
