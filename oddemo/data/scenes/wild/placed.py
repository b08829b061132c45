"""Posing the planned animals and finding each a place on the ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from oddemo.data.scenes.placing import Plan, free_place, tight_box
from oddemo.data.scenes.spec import WorldSpec
from oddemo.data.scenes.wild.coats import Animal, dressed
from oddemo.data.scenes.wild.poses import posed
from oddemo.data.scenes.wild.solids import see

MARGIN_PX = 6


#: Size of a model unit, as a fraction of the picture's width, of the animals nearest to the camera.
_UNIT_OF_WIDTH = 0.30


#: Sizes of the species beside each other, so that a hare is rarely as long as a deer.
RELATIVE = {"deer": 1.15, "fox": 0.95, "boar": 1.1, "hare": 0.78, "badger": 1.0}


def placed_animals(
    spec: WorldSpec,
    plan: Plan,
    streams: Mapping[str, np.random.Generator],
    *,
    horizon: float,
    bottom: float,
    light_side: float,
) -> list[tuple[int, Animal, int, int]]:
    """Return class id, animal, top and left of its window, the farthest animal first."""
    objects, placing = streams["objects"], streams["place"]
    width = spec.image_size_hw_px[1]
    smallest, largest = (side * max(spec.image_size_hw_px) for side in spec.object_size_range)
    taken: list[tuple[float, float, float, float]] = []
    placed: list[tuple[int, Animal, int, int]] = []
    for class_id, length in zip(plan.class_ids, plan.lengths_px, strict=True):
        species = spec.class_names[class_id - 1]
        size = float(np.clip(length * RELATIVE[species], smallest, largest))
        body = posed(species, objects)
        yaw, mirrored = float(np.clip(objects.normal(0.1, 0.42), -0.85, 0.85)), bool(objects.random() < 0.5)
        view = see(body, yaw=yaw, mirrored=mirrored, length_px=size, margin_px=MARGIN_PX)
        animal = dressed(species, view, objects, light_from_left=light_side)
        inner = tight_box(animal.opacity > 0.5)
        if inner is None:
            continue
        box_hw = (inner[2] - inner[0], inner[3] - inner[1])
        if box_hw[0] > bottom - 4 or box_hw[1] > width - 4:
            continue
        share = animal.pixels_per_unit / (_UNIT_OF_WIDTH * width)
        top, room = _band(share, box_hw[0], horizon, bottom, spec.centre_bias)
        area = (top, 2.0, top + room + box_hw[0], width - 2.0)
        corner = free_place(placing, box_hw, area, taken, centre_bias=spec.centre_bias, largest_overlap=0.12)
        if corner is None:
            continue
        taken.append((corner[0], corner[1], corner[0] + box_hw[0], corner[1] + box_hw[1]))
        placed.append((class_id, animal, int(corner[0]) - inner[0], int(corner[1]) - inner[1]))
    return sorted(placed, key=lambda item: item[2] + item[1].ground_y)


def _band(share: float, tall: float, horizon: float, bottom: float, centre_bias: float) -> tuple[float, float]:
    """Return the highest top row for an animal and the room below it: near animals are large and stand low.

    Feet stand on the ground: the box may begin above the horizon but has to end below it. The centre bias moves the
    band to the middle of the picture as far as the ground allows.
    """
    low = max(2.0, horizon + 0.08 * (bottom - horizon) - tall)
    high = max(bottom - 2.0 - tall, low)
    by_size = low + (high - low) * min(share, 1.0)
    middle = float(np.clip(bottom / 2 - tall / 2, low, high))
    target = by_size + (middle - by_size) * centre_bias
    above, below = (min(0.22 * (high - low), room) for room in (target - low, high - target))
    # The stronger the bias, the more evenly the band lies about its target.
    even = min(above, below)
    above, below = above + (even - above) * centre_bias, below + (even - below) * centre_bias
    return target - above, above + below
