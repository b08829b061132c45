"""Recipes for an SSD of the Object Detection API on cells: what they reach, their training in the lane, the choice."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.data.records import Dataset
from oddemo.errors import OddemoError
from oddemo.lanes.running import made_lane, pass_through

#: Of the lane's configuration: the levels of the pyramid, how many sizes of anchors each has, their ratios of width to
#: height, and the overlap from which an anchor is matched.
LEVELS, STEPS, RATIOS, MATCHED = range(3, 8), 2, (1.0, 2.0, 0.5), 0.5


@dataclass(frozen=True)
class SSDRecipe:
    """How an SSD is trained in the lane.

    Attributes:
        size_px: Height and width of the network's input.
        anchor_scale: Of the smallest anchors, in cells of 8 pixels of that input.
        steps: Of training, with 8 pictures each.
        seed: Of initial weights and augmentation; the API's input pipeline draws anew every time all the same.
    """

    size_px: int
    anchor_scale: float = 4.0
    steps: int = 1200
    seed: int = 1

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"ssd_{self.size_px}px_anchors{self.anchor_scale:g}_{self.steps}"


#: The first is that of the shipped detector, with fewer steps.
RECIPES = (SSDRecipe(192), SSDRecipe(256), SSDRecipe(256, anchor_scale=2.0))


def reached(recipe: SSDRecipe, part: Dataset) -> dict[str, float]:
    """Return by class how many boxes could match an anchor: one that lies right over them covers them well enough.

    From the shapes alone; a box lies between the anchors of its level, so no more than these can match. The API gives
    every other box the best anchor that there is, however little of it that covers.
    """
    sides_px = [recipe.anchor_scale * 2 ** (level + step / STEPS) for level in LEVELS for step in range(STEPS)]
    anchors_hw_px = np.array([(side / ratio**0.5, side * ratio**0.5) for side in sides_px for ratio in RATIOS])
    fits: dict[str, list[bool]] = {name: [] for name in part.class_names}
    for record in part.records:
        scale = recipe.size_px / np.array(record.image_size_hw_px)
        sides_hw_px = (record.boxes_yxyx_px[:, 2:] - record.boxes_yxyx_px[:, :2]) * scale
        shared = np.minimum(sides_hw_px[:, None], anchors_hw_px).prod(axis=-1)
        iou = shared / (sides_hw_px.prod(axis=-1)[:, None] + anchors_hw_px.prod(axis=-1) - shared)
        for class_id, best in zip(record.class_ids, iou.max(axis=1), strict=True):
            fits[part.class_names[class_id - 1]].append(bool(best >= MATCHED))
    return {name: sum(values) / len(values) for name, values in fits.items()}


def trained(recipe: SSDRecipe, work: Path, part: Dataset) -> Path:
    """Return the folder of a trained detector; one whose training was stopped is trained anew."""
    folder, begun = work / recipe.name, work / f"begun_{recipe.name}"
    if folder.is_dir():
        return folder
    shutil.rmtree(begun, ignore_errors=True)
    options: dict[str, object] = {
        "truth": work / "train.json",
        "images": part.root,
        "out": begun,
        "steps": recipe.steps,
        "size": recipe.size_px,
        "anchor-scale": recipe.anchor_scale,
        "seed": recipe.seed,
    }
    command = ["train", *(f"--{name}={value}" for name, value in options.items())]
    if pass_through(made_lane("odapi"), command) != 0:
        raise OddemoError(f"The training {recipe.name} failed in the lane.", do="see what it said above")
    return begun.rename(folder)


def chosen(tried: Mapping[SSDRecipe, Mapping[str, Any]]) -> SSDRecipe:
    """Return the recipe with the best mean average precision on the validation part; of equals, the first."""
    return max(tried, key=lambda recipe: tried[recipe]["val"]["ap"][0])
