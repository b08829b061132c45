"""Putting an animal into a pose: standing, walking, feeding, watching."""

from __future__ import annotations

import numpy as np

from oddemo.data.scenes.wild.body import Body, Capsule, chain
from oddemo.data.scenes.wild.builds import BUILDS, Build
from oddemo.data.scenes.wild.heads import posed_head


def posed(species: str, rng: np.random.Generator) -> Body:
    """Return an animal of this species in a random pose: standing, walking, feeding or watching."""
    build = BUILDS[species]
    parts = chain("body", [(x, y, 0.0) for x, y, _ in build.spine], [r for _, _, r in build.spine])
    parts += _legs(build, rng)
    if species == "hare":
        parts += _haunches(build)
    head_parts, eyes = posed_head(species, build, rng)
    return Body(tuple(parts + head_parts + _tail(build, rng)), eyes)


def _legs(build: Build, rng: np.random.Generator) -> list[Capsule]:
    parts: list[Capsule] = []
    phase = rng.uniform(0, 2 * np.pi)
    swing = build.stride * rng.choice([0.25, 1.0], p=[0.35, 0.65])
    spine_x = [node[0] for node in build.spine]
    top, middle, foot = build.leg_radii
    for number, (x, front, side) in enumerate(
        [(build.front_x, True, 1), (build.front_x, True, -1), (build.hind_x, False, 1), (build.hind_x, False, -1)]
    ):
        hip_y = float(np.interp(x, spine_x, [node[1] - 0.25 * node[2] for node in build.spine]))
        z = side * build.leg_spread
        beat = phase + (0, np.pi, np.pi * 0.55, np.pi * 1.55)[number]
        reach, lift = swing * np.sin(beat), max(0.0, np.cos(beat)) * swing * 0.22
        end_x = x + reach
        # Elbows and stifles bend forwards, hocks backwards.
        if front:
            points = [(x, hip_y, z), (x - 0.03 + 0.35 * reach, hip_y * 0.52 + lift, z), (end_x, 0.07 + lift, z)]
            points.append((end_x + 0.05, 0.03 + lift, z))
        else:
            points = [(x, hip_y, z), (x + 0.10 * hip_y + 0.25 * reach, hip_y * 0.66, z)]
            points += [(x - 0.13 * hip_y + 0.7 * reach, hip_y * 0.36 + lift, z), (end_x - 0.02, 0.07 + lift, z)]
            points.append((end_x + 0.05, 0.03 + lift, z))
        radii = [top * 1.15, middle * 1.1, foot, foot * 1.1] if front else [top * 1.45, top * 0.85, middle, foot, foot]
        limbs = chain("leg", points, radii)
        limbs[-1] = Capsule("foot", limbs[-1].start, limbs[-1].end, limbs[-1].start_radius, limbs[-1].end_radius)
        parts += limbs
    return parts


def _haunches(build: Build) -> list[Capsule]:
    """A crouching hare's thighs and long feet, on both sides."""
    parts: list[Capsule] = []
    for side in (1, -1):
        z = side * (build.leg_spread + 0.06)
        parts += chain("body", [(-0.36, 0.36, z), (-0.14, 0.26, z * 1.15)], [0.20, 0.16])
        parts += chain("foot", [(-0.34, 0.07, z * 1.2), (0.02, 0.05, z * 1.2)], [0.065, 0.05])
    return parts


def _tail(build: Build, rng: np.random.Generator) -> list[Capsule]:
    length, root_radius, bush, angle = build.tail
    x, y, radius = build.spine[0]
    angle += rng.normal(0, 0.22)
    sway = rng.normal(0, 0.25)
    points = [np.array([x - 0.6 * radius, y + 0.45 * radius, 0.0])]
    for step in range(3):
        bend = angle + (0.22 * step if length > 0.5 else 0.0)
        points.append(points[-1] + length / 3 * np.array([-np.cos(bend), np.sin(bend), sway * (step + 1) / 3]))
    radii = [root_radius, bush, bush * 0.95, bush * 0.3 if length > 0.5 else bush * 0.6]
    return [Capsule("tail", points[i], points[i + 1], radii[i], radii[i + 1]) for i in range(3)]
