"""One picture of a world, from its spec and its number alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import FloatArray, IntArray
from oddemo.data.scenes.placing import tight_box
from oddemo.data.scenes.spec import WorldSpec

#: The order of the random streams of a picture.
STREAMS = ("plan", "place", "background", "objects", "clutter", "camera")


@dataclass(frozen=True, eq=False)
class Scene:
    """A rendered picture with its truth.

    Attributes:
        image_rgb: (h, w, 3) uint8, before any compression.
        boxes_yxyx_px: (N, 4) float64, tight around the masks.
        class_ids: (N,) int64, from 1.
        masks: (N, h, w) bool: where each object shows. What another object hides is left out; what vegetation in
            front hides is *kept*, so that a box says where the animal is and not where the leaves let it through.
        attributes: JSON facts for slices: `world`, `seed`, `index`, `objects`, `mean_brightness` (0 to 1), `lighting`,
            `blur_px`, and `finish` (inspection) or `ground` (wildlife).
    """

    image_rgb: NDArray[np.uint8]
    boxes_yxyx_px: FloatArray
    class_ids: IntArray
    masks: NDArray[np.bool_]
    attributes: Mapping[str, Any]


def picture_streams(spec: WorldSpec, index: int) -> dict[str, np.random.Generator]:
    """Return the independent generators of one picture, by name."""
    root = np.random.SeedSequence(entropy=(spec.seed, index))
    return {name: np.random.default_rng(child) for name, child in zip(STREAMS, root.spawn(len(STREAMS)), strict=True)}


def render_scene(spec: WorldSpec, index: int) -> Scene:
    """Render picture number `index` of a world; the same arguments always give the same pixels.

    Args:
        spec: The world.
        index: Any whole number from 0, also beyond `spec.images`.
    """
    streams = picture_streams(spec, index)
    if spec.world == "inspection":
        from oddemo.data.scenes.metalwork.picture import render_inspection

        image_rgb, masks, class_ids, facts = render_inspection(spec, streams)
    else:
        from oddemo.data.scenes.wild.picture import render_wildlife

        image_rgb, masks, class_ids, facts = render_wildlife(spec, streams)
    boxes = [tight_box(mask) for mask in masks]
    attributes = {
        "world": spec.world,
        "seed": spec.seed,
        "index": index,
        "objects": len(class_ids),
        "mean_brightness": round(float(image_rgb.mean()) / 255, 4),
        **facts,
    }
    return Scene(
        image_rgb,
        np.array(boxes, dtype=np.float64).reshape(-1, 4),
        np.array(class_ids, dtype=np.int64),
        np.array(masks, dtype=bool).reshape(-1, *spec.image_size_hw_px),
        attributes,
    )
