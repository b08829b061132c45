"""Head, ears and antlers of an animal, turned and tilted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.wild.body import Capsule, Point
from oddemo.data.scenes.wild.builds import Build


def posed_head(species: str, build: Build, rng: np.random.Generator) -> tuple[list[Capsule], NDArray[np.float64]]:
    """Return neck, head, ears and antlers, and the (2, 3) places of the eyes in model space."""
    length, angle, wide, narrow = build.neck
    feeding = rng.random() < (0.3 if species in ("deer", "boar", "hare") else 0.12)
    tilt = angle + rng.normal(0, 0.14)
    if feeding:
        tilt = -0.75 if species == "deer" else angle - 0.45
    turn = rng.normal(0, 0.28)
    x, y, _ = build.spine[-1]
    root = np.array([x, y + 0.02, 0.0])
    way = np.array([np.cos(tilt) * np.cos(turn * 0.5), np.sin(tilt), np.cos(tilt) * np.sin(turn * 0.5)])
    skull = root + length * (1.12 if feeding and species == "deer" else 1.0) * way
    pitch = {"deer": -0.45, "fox": -0.18, "boar": -0.42, "hare": -0.3, "badger": -0.3}[species] + rng.normal(0, 0.1)
    if feeding:
        pitch -= 0.55
    ahead = np.array([np.cos(pitch) * np.cos(turn), np.sin(pitch), np.cos(pitch) * np.sin(turn)])
    left = np.array([-np.sin(turn), 0.0, np.cos(turn)])
    up = np.cross(left, ahead)
    size, skull_radius, nose_radius = build.head
    split = skull + size * (1 - build.muzzle_share) * ahead
    nose = skull + size * ahead - 0.015 * up
    bridge = skull_radius + (nose_radius - skull_radius) * (0.62 if species != "fox" else 0.80)
    parts = [
        Capsule("neck", root, skull, wide, narrow),
        Capsule("head", skull, split, skull_radius, bridge),
        Capsule("muzzle", split, nose, bridge, nose_radius),
    ]
    ear_length, ear_width, lean = build.ear
    for side in (1, -1):
        base = skull + skull_radius * (0.55 * side * left + 0.72 * up - 0.25 * ahead)
        back = rng.uniform(0.3, 1.0) if species == "hare" else rng.uniform(0.05, 0.4)
        out = np.cos(lean) * up + np.sin(lean) * side * left - back * ahead
        tip = base + ear_length * out / np.linalg.norm(out)
        middle = base + 0.45 * (tip - base)
        parts.append(Capsule("ear", base, middle, ear_width * 0.8, ear_width))
        parts.append(Capsule("ear", middle, tip, ear_width, ear_width * 0.22))
        if species == "deer" and side == 1 and rng.random() < 0.45:
            parts += _antlers(base, up, ahead, left, radius=skull_radius, size=float(rng.uniform(0.35, 0.55)))
    eyes = np.stack([split - 0.1 * size * ahead + bridge * (0.8 * side * left + 0.45 * up) for side in (1, -1)])
    return parts, eyes


def _antlers(base: Point, up: Point, ahead: Point, left: Point, *, radius: float, size: float) -> list[Capsule]:
    parts: list[Capsule] = []
    for side in (1, -1):
        root = base if side == 1 else base - 1.1 * radius * left
        elbow = root + size * (0.45 * up - 0.25 * ahead + 0.28 * side * left)
        tip = elbow + size * (0.55 * up + 0.25 * ahead + 0.05 * side * left)
        parts += [Capsule("antler", root, elbow, 0.022, 0.018), Capsule("antler", elbow, tip, 0.018, 0.010)]
        for share, reach in ((0.35, 0.28), (1.0, 0.3)):
            fork = root + share * (elbow - root)
            parts.append(Capsule("antler", fork, fork + size * reach * (0.75 * up + 0.7 * ahead), 0.016, 0.008))
    return parts
