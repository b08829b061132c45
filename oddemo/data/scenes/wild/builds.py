"""The proportions of the species, in model units (see `body`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Build:
    """The proportions of a species; lengths in model units.

    Attributes:
        spine: (x, y, radius) from rump to shoulder.
        leg_radii: Radius at the top, the middle and the foot.
        front_x: Where the front legs hang.
        hind_x: Where the hind legs hang.
        leg_spread: Half the distance between left and right legs.
        neck: Length, rest angle (radians above the horizon), radius at the shoulder and at the head.
        head: Length, radius at the skull, radius at the nose.
        muzzle_share: Part of the head's length that is muzzle.
        ear: Length, width, how far the ears lean apart (radians from upright).
        tail: Length, radius at the root, largest radius, angle (radians above the horizon, backwards).
        stride: How far feet swing, model units.
    """

    spine: tuple[tuple[float, float, float], ...]
    leg_radii: tuple[float, float, float]
    front_x: float
    hind_x: float
    leg_spread: float
    neck: tuple[float, float, float, float]
    head: tuple[float, float, float]
    muzzle_share: float
    ear: tuple[float, float, float]
    tail: tuple[float, float, float, float]
    stride: float


BUILDS: dict[str, Build] = {
    "deer": Build(
        spine=(
            (-0.62, 0.80, 0.20),
            (-0.40, 0.84, 0.215),
            (-0.10, 0.80, 0.205),
            (0.20, 0.80, 0.215),
            (0.42, 0.83, 0.20),
        ),
        leg_radii=(0.105, 0.048, 0.032),
        front_x=0.40,
        hind_x=-0.58,
        leg_spread=0.10,
        neck=(0.52, 0.95, 0.155, 0.085),
        head=(0.34, 0.095, 0.042),
        muzzle_share=0.55,
        ear=(0.20, 0.050, 0.9),
        tail=(0.16, 0.05, 0.055, -1.0),
        stride=0.24,
    ),
    "fox": Build(
        spine=(
            (-0.60, 0.66, 0.150),
            (-0.36, 0.69, 0.165),
            (-0.05, 0.68, 0.160),
            (0.24, 0.68, 0.175),
            (0.42, 0.70, 0.16),
        ),
        leg_radii=(0.10, 0.050, 0.036),
        front_x=0.40,
        hind_x=-0.55,
        leg_spread=0.08,
        neck=(0.26, 0.55, 0.15, 0.125),
        head=(0.36, 0.140, 0.030),
        muzzle_share=0.55,
        ear=(0.20, 0.075, 0.35),
        tail=(0.82, 0.06, 0.155, -0.35),
        stride=0.26,
    ),
    "boar": Build(
        spine=((-0.66, 0.60, 0.23), (-0.40, 0.66, 0.29), (-0.08, 0.70, 0.335), (0.22, 0.74, 0.345), (0.44, 0.72, 0.29)),
        leg_radii=(0.13, 0.062, 0.045),
        front_x=0.38,
        hind_x=-0.58,
        leg_spread=0.13,
        neck=(0.24, -0.20, 0.27, 0.215),
        head=(0.52, 0.20, 0.058),
        muzzle_share=0.5,
        ear=(0.15, 0.055, 0.5),
        tail=(0.30, 0.022, 0.018, -1.2),
        stride=0.18,
    ),
    "hare": Build(
        spine=((-0.42, 0.40, 0.27), (-0.26, 0.50, 0.29), (-0.02, 0.52, 0.25), (0.20, 0.48, 0.20), (0.32, 0.48, 0.17)),
        leg_radii=(0.11, 0.06, 0.05),
        front_x=0.30,
        hind_x=-0.34,
        leg_spread=0.12,
        neck=(0.14, 0.8, 0.16, 0.14),
        head=(0.28, 0.155, 0.085),
        muzzle_share=0.4,
        ear=(0.58, 0.062, 0.25),
        tail=(0.12, 0.075, 0.08, 0.5),
        stride=0.10,
    ),
    "badger": Build(
        spine=((-0.78, 0.40, 0.22), (-0.50, 0.46, 0.27), (-0.15, 0.47, 0.275), (0.20, 0.44, 0.25), (0.44, 0.40, 0.20)),
        leg_radii=(0.12, 0.08, 0.07),
        front_x=0.38,
        hind_x=-0.62,
        leg_spread=0.17,
        neck=(0.20, 0.10, 0.19, 0.16),
        head=(0.46, 0.165, 0.05),
        muzzle_share=0.55,
        ear=(0.085, 0.05, 0.7),
        tail=(0.26, 0.07, 0.06, -0.6),
        stride=0.14,
    ),
}
