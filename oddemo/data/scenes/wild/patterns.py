"""What colour an animal is at each point of its body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field, as_field
from oddemo.data.scenes.wild.body import TAGS

Colours = NDArray[np.float32]


TAG = {name: number for number, name in enumerate(TAGS)}


def _rgb(*values: float) -> Colours:
    return np.array(values, np.float32)


def _deer(xyz: Colours, tags: NDArray[np.int8]) -> Colours:
    x, y = xyz[..., 0], xyz[..., 1]
    coat = _mixed(_rgb(0.58, 0.36, 0.20), _rgb(0.74, 0.60, 0.45), _ramp(y, 0.68, 0.58) * (tags == TAG["body"]))
    coat = _painted(coat, tags == TAG["leg"], _rgb(0.52, 0.35, 0.22))
    coat = _painted(coat, tags == TAG["foot"], _rgb(0.12, 0.10, 0.09))
    coat = _painted(coat, tags == TAG["muzzle"], _rgb(0.42, 0.30, 0.22))
    coat = _painted(coat, (tags == TAG["antler"]), _rgb(0.55, 0.46, 0.34))
    rump = np.maximum(_ramp(x, -0.66, -0.76), 1.0 * (tags == TAG["tail"]))
    return _mixed(coat, _rgb(0.90, 0.87, 0.80), rump * (tags != TAG["leg"]))


def _fox(xyz: Colours, tags: NDArray[np.int8]) -> Colours:
    x, y = xyz[..., 0], xyz[..., 1]
    coat = _mixed(_rgb(0.74, 0.37, 0.13), _rgb(0.88, 0.80, 0.70), _ramp(y, 0.58, 0.50) * (tags == TAG["body"]))
    coat = _painted(coat, tags == TAG["leg"], _rgb(0.62, 0.31, 0.13))
    coat = _mixed(coat, _rgb(0.09, 0.07, 0.06), _ramp(y, 0.40, 0.30) * (tags == TAG["leg"]))
    coat = _painted(coat, tags == TAG["foot"], _rgb(0.07, 0.06, 0.06))
    coat = _mixed(coat, _rgb(0.93, 0.90, 0.84), _ramp(y, 0.76, 0.68) * ((tags == TAG["neck"]) | (tags == TAG["head"])))
    coat = _painted(coat, tags == TAG["muzzle"], _rgb(0.86, 0.70, 0.55))
    coat = _painted(coat, tags == TAG["ear"], _rgb(0.42, 0.20, 0.09))
    return _mixed(coat, _rgb(0.94, 0.92, 0.87), _ramp(x, -1.22, -1.30) * (tags == TAG["tail"]))


def _boar(xyz: Colours, tags: NDArray[np.int8]) -> Colours:
    x, y = xyz[..., 0], xyz[..., 1]
    coat = _mixed(_rgb(0.20, 0.165, 0.145), _rgb(0.12, 0.10, 0.09), _ramp(y, 0.95, 1.05))
    coat = _painted(coat, (tags == TAG["leg"]) | (tags == TAG["foot"]), _rgb(0.09, 0.08, 0.075))
    coat = _painted(coat, tags == TAG["head"], _rgb(0.23, 0.19, 0.165))
    coat = _painted(coat, tags == TAG["muzzle"], _rgb(0.29, 0.235, 0.21))
    return _mixed(coat, _rgb(0.33, 0.265, 0.235), _ramp(x, 0.98, 1.06) * (tags == TAG["muzzle"]))


def _hare(xyz: Colours, tags: NDArray[np.int8]) -> Colours:
    y = xyz[..., 1]
    coat = _mixed(_rgb(0.60, 0.50, 0.36), _rgb(0.86, 0.82, 0.74), _ramp(y, 0.24, 0.15) * (tags == TAG["body"]))
    coat = _painted(coat, tags == TAG["ear"], _rgb(0.57, 0.47, 0.36))
    coat = _mixed(coat, _rgb(0.08, 0.07, 0.07), _ramp(y, 1.10, 1.20) * (tags == TAG["ear"]))
    return _painted(coat, tags == TAG["tail"], _rgb(0.93, 0.91, 0.88))


def _badger(xyz: Colours, tags: NDArray[np.int8]) -> Colours:
    x, y, z = xyz[..., 0], xyz[..., 1], xyz[..., 2]
    coat = _mixed(_rgb(0.55, 0.54, 0.515), _rgb(0.10, 0.095, 0.09), _ramp(y, 0.36, 0.27))
    coat = _mixed(coat, _rgb(0.07, 0.065, 0.06), _ramp(y, 0.42, 0.30) * ((tags == TAG["leg"]) | (tags == TAG["foot"])))
    face = (tags == TAG["head"]) | (tags == TAG["muzzle"]) | (tags == TAG["neck"])
    coat = _painted(coat, (tags == TAG["head"]) | (tags == TAG["muzzle"]), _rgb(0.93, 0.92, 0.90))
    stripe = np.exp(-(((np.abs(z) - 0.10) / 0.05) ** 2)).astype(np.float32) * face
    coat = _mixed(coat, _rgb(0.06, 0.055, 0.06), np.clip(1.7 * stripe - 0.2, 0, 1) * (x > 0.5))
    coat = _painted(coat, tags == TAG["ear"], _rgb(0.75, 0.74, 0.73))
    return _mixed(coat, _rgb(0.74, 0.73, 0.72), 0.6 * (tags == TAG["tail"]))


def _ramp(value: Field, start: float, end: float) -> Field:
    """Return 0 before `start`, 1 after `end`, even in between; the two may be in any order."""
    return as_field(np.clip((value - np.float32(start)) / np.float32(end - start), 0, 1))


def _mixed(coat: Colours, other: Colours, share: NDArray[np.floating]) -> Colours:
    result: Colours = coat + (other - coat) * share.astype(np.float32)[..., None]
    return result


def _painted(coat: Colours, where: NDArray[np.bool_], colour: Colours) -> Colours:
    return np.where(where[..., None], colour, coat)


_PATTERNS: dict[str, Callable[[Colours, NDArray[np.int8]], Colours]] = {
    "deer": _deer,
    "fox": _fox,
    "boar": _boar,
    "hare": _hare,
    "badger": _badger,
}


def pattern(species: str, model_xyz: NDArray[np.float32], tags: NDArray[np.int8]) -> Colours:
    """Return the (h, w, 3) reflectance of a coat in [0, 1].

    Args:
        species: Name of the species.
        model_xyz: (h, w, 3) where on the body each pixel lies.
        tags: (h, w) what it belongs to, an index into `TAGS`.
    """
    return _PATTERNS[species](model_xyz, tags)
