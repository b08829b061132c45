"""Animals as solid bodies made of tapered capsules.

Model space: x to the animal's front, y up from the ground, z to its left; the unit is about the shoulder's height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = NDArray[np.float64]
#: What a capsule belongs to; the coat is coloured by it.
TAGS = ("body", "neck", "head", "muzzle", "ear", "tail", "leg", "foot", "antler")


@dataclass(frozen=True, eq=False)
class Capsule:
    """A rounded cone between two points.

    Attributes:
        tag: One of `TAGS`.
        start: Model space, (3,).
        end: Model space, (3,).
        start_radius: Radius at the start.
        end_radius: Radius at the end.
    """

    tag: str
    start: Point
    end: Point
    start_radius: float
    end_radius: float


@dataclass(frozen=True, eq=False)
class Body:
    """A posed animal.

    Attributes:
        capsules: Its parts.
        eyes: (2, 3) model space.
    """

    capsules: tuple[Capsule, ...]
    eyes: NDArray[np.float64]


def chain(tag: str, points: list[tuple[float, float, float]], radii: list[float]) -> list[Capsule]:
    """Return the capsules along a line of points with a radius at each."""
    nodes = [np.array(point, dtype=np.float64) for point in points]
    return [Capsule(tag, nodes[i], nodes[i + 1], radii[i], radii[i + 1]) for i in range(len(nodes) - 1)]
