"""Every knob of a generated world, in one record that checks itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from oddemo.errors import OddemoError

#: World → its classes; class id `k` is entry `k - 1`.
CLASS_NAMES: Mapping[str, tuple[str, ...]] = {
    "inspection": ("scratch", "pit", "inclusion", "crack", "patch"),
    "wildlife": ("deer", "fox", "boar", "hare", "badger"),
}
#: World → its lighting conditions.
LIGHTING_NAMES: Mapping[str, tuple[str, ...]] = {
    "inspection": ("ring", "side", "spot"),
    "wildlife": ("day", "dusk", "night"),
}
IMAGE_FORMATS = ("jpg", "png")
SMALLEST_SIDE_PX = 64


def _weights(given: Mapping[str, float], names: tuple[str, ...], what: str) -> dict[str, float]:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise OddemoError(f"{what} names something unknown.", expected=", ".join(names), found=", ".join(unknown))
    if not given:
        return {name: 1 / len(names) for name in names}
    values = np.array([float(given.get(name, 0.0)) for name in names])
    if not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
        raise OddemoError(
            f"{what} has impossible weights.",
            expected="finite weights of at least 0, one of them above 0; names left out count as 0",
            found=str(dict(given)),
        )
    return dict(zip(names, (values / values.sum()).tolist(), strict=True))


def _in_range(value: float, low: float, high: float, what: str) -> None:
    if not (np.isfinite(value) and low <= value <= high):
        raise OddemoError(f"{what} is out of range.", expected=f"{low:g} to {high:g}", found=str(value))


def _pair(pair: tuple[float, float], low: float, high: float, what: str) -> None:
    if len(pair) != 2 or pair[0] > pair[1]:
        raise OddemoError(f"{what} is not a range.", expected="(smallest, largest)", found=str(pair))
    for value in pair:
        _in_range(value, low, high, what)


@dataclass(frozen=True)
class WorldSpec:
    """A generated world: what is drawn, how often, how large, where and how well the camera sees it.

    The same spec and index always give the same picture. Knobs draw from streams of their own, so that turning one
    (say `noise`) leaves the rest of each picture as it was.

    Attributes:
        world: `inspection` or `wildlife`.
        images: Number of pictures in all.
        image_size_hw_px: Height and width in pixels, at least 64 each.
        class_ratio: Class name → weight; empty for equal weights. Kept normalised to a sum of 1.
        lighting_mix: Lighting name → weight; empty for equal weights. Kept normalised to a sum of 1.
        centre_bias: 0 spreads objects evenly over the picture, 1 puts them in the middle (several crowd around it).
            Animals stand on the ground, large ones low: there it is the place from side to side that spreads evenly.
        object_size_range: Smallest and largest longer side of an object, as a fraction of the picture's longer side.
            A ragged edge makes boxes differ from it by a few pixels, another animal in front by more.
        size_bias: -1 gives only the smallest objects, 0 spreads sizes evenly, 1 gives only the largest.
        objects_per_image: Fewest and most objects in a picture. One that finds no free place is left out, which
            happens to about one in twenty with the other knobs as they are, and to more if objects are large.
        clutter: 0 to 1. inspection: harmless marks (oil, dust, coolant); wildlife: vegetation in front of animals.
        defocus_px: Typical blur of the lens, as a standard deviation in pixels of a picture 320 wide.
        noise: Typical sensor noise, as a standard deviation in units of full scale; dim light has more.
        jpeg_quality: 1 to 100, of the files written (`render_scene` returns pixels before compression).
        image_format: `jpg` or `png`.
        info_strip: wildlife only: whether the camera prints its line (date, temperature) at the bottom.
        seed: Any whole number from 0; another seed gives other pictures.
    """

    world: str = "inspection"
    images: int = 600
    image_size_hw_px: tuple[int, int] = (240, 320)
    class_ratio: Mapping[str, float] = field(default_factory=dict)
    lighting_mix: Mapping[str, float] = field(default_factory=dict)
    centre_bias: float = 0.0
    object_size_range: tuple[float, float] = (0.14, 0.45)
    size_bias: float = 0.0
    objects_per_image: tuple[int, int] = (1, 4)
    clutter: float = 0.3
    defocus_px: float = 0.6
    noise: float = 0.012
    jpeg_quality: int = 92
    image_format: str = "jpg"
    info_strip: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.world not in CLASS_NAMES:
            raise OddemoError("There is no such world.", expected=" or ".join(CLASS_NAMES), found=str(self.world))
        if self.image_format not in IMAGE_FORMATS:
            raise OddemoError(
                "Unknown image format.", expected=" or ".join(IMAGE_FORMATS), found=str(self.image_format)
            )
        for name in ("image_size_hw_px", "object_size_range", "objects_per_image"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "class_ratio", _weights(self.class_ratio, self.class_names, "class_ratio"))
        object.__setattr__(self, "lighting_mix", _weights(self.lighting_mix, self.lighting_names, "lighting_mix"))
        for side in self.image_size_hw_px:
            _in_range(side, SMALLEST_SIDE_PX, 4096, "image_size_hw_px")
        _in_range(self.images, 1, 1_000_000, "images")
        _in_range(self.centre_bias, 0, 1, "centre_bias")
        _pair(self.object_size_range, 0.05, 0.9, "object_size_range")
        _in_range(self.size_bias, -1, 1, "size_bias")
        _pair(self.objects_per_image, 1, 12, "objects_per_image")
        _in_range(self.clutter, 0, 1, "clutter")
        _in_range(self.defocus_px, 0, 8, "defocus_px")
        _in_range(self.noise, 0, 0.3, "noise")
        _in_range(self.jpeg_quality, 1, 100, "jpeg_quality")
        _in_range(self.seed, 0, 2**63 - 1, "seed")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The world's classes; class id `k` is entry `k - 1`."""
        return CLASS_NAMES[self.world]

    @property
    def lighting_names(self) -> tuple[str, ...]:
        """The world's lighting conditions."""
        return LIGHTING_NAMES[self.world]

    def as_json(self) -> dict[str, Any]:
        """Return the knobs as JSON values; `WorldSpec.from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WorldSpec:
        """Read what `as_json` returned.

        Raises:
            OddemoError: If a key is unknown or a value impossible.
        """
        unknown = sorted(set(value) - set(cls.__dataclass_fields__))
        if unknown:
            raise OddemoError("The world has unknown knobs.", found=", ".join(unknown))
        return cls(**value)

    def turned(self, **knobs: Any) -> WorldSpec:
        """Return the same world with some knobs turned."""
        return replace(self, **knobs)
