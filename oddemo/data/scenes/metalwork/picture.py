"""The inspection world: a camera looks down on metal, and the metal has defects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.camera import expose, vignette
from oddemo.data.scenes.fields import Field
from oddemo.data.scenes.metalwork.defect import Defect
from oddemo.data.scenes.metalwork.defects import draw_defect
from oddemo.data.scenes.metalwork.harmless import add_clutter
from oddemo.data.scenes.metalwork.lamps import light_field, lit
from oddemo.data.scenes.metalwork.surface import bare_metal
from oddemo.data.scenes.placing import free_place, plan_picture, tight_box
from oddemo.data.scenes.spec import WorldSpec

EDGE_PX = 2


def render_inspection(
    spec: WorldSpec, streams: Mapping[str, np.random.Generator]
) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]], list[int], dict[str, Any]]:
    """Return picture, masks, class ids and facts of one inspection scene."""
    size_hw = spec.image_size_hw_px
    scale = max(size_hw) / 320
    plan = plan_picture(streams["plan"], spec)
    metal = bare_metal(streams["background"], size_hw, scale)
    height, colour = metal.height.copy(), metal.colour.copy()
    add_clutter(streams["clutter"], height, colour, spec.clutter, scale)
    masks: list[NDArray[np.bool_]] = []
    class_ids: list[int] = []
    taken: list[tuple[float, float, float, float]] = []
    for class_id, wanted in zip(plan.class_ids, plan.lengths_px, strict=True):
        length = min(wanted, 0.92 * min(size_hw))
        defect = draw_defect(spec.class_names[class_id - 1], streams["objects"], length, scale)
        inner = tight_box(defect.mask)
        if inner is None:
            continue
        area = (EDGE_PX, EDGE_PX, size_hw[0] - EDGE_PX, size_hw[1] - EDGE_PX)
        box_hw = (inner[2] - inner[0], inner[3] - inner[1])
        corner = free_place(streams["place"], box_hw, area, taken, centre_bias=spec.centre_bias, largest_overlap=0.06)
        if corner is None:
            continue
        top, left = int(corner[0]) - inner[0], int(corner[1]) - inner[1]
        masks.append(paste(defect, top, left, height, colour))
        class_ids.append(class_id)
        taken.append((corner[0], corner[1], corner[0] + box_hw[0], corner[1] + box_hw[1]))
    camera = streams["camera"]
    light, direction, contrast = light_field(camera, plan.lighting, size_hw)
    picture = lit(colour, height, light, direction, contrast)
    picture *= vignette(size_hw, float(camera.uniform(0.08, 0.3)))[..., None]
    blur = spec.defocus_px * scale * float(camera.uniform(0.6, 1.4))
    image = expose(picture, camera, blur_px=blur, noise=spec.noise * float(camera.uniform(0.7, 1.3)))
    facts = {"lighting": plan.lighting, "finish": metal.finish, "blur_px": round(blur, 3)}
    return image, masks, class_ids, facts


def paste(defect: Defect, top: int, left: int, height: Field, colour: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Put a defect onto the surface, in place; what of its window lies outside is cut. Returns its full-size mask."""
    rows = slice(max(top, 0), min(top + defect.mask.shape[0], height.shape[0]))
    columns = slice(max(left, 0), min(left + defect.mask.shape[1], height.shape[1]))
    window = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    opacity = defect.opacity[window][..., None]
    under = colour[rows, columns]
    over = under * defect.colour[window] if defect.multiplies else defect.colour[window]
    colour[rows, columns] = under + (over - under) * opacity
    if not defect.multiplies:
        # A covering defect also smooths the tool marks below it.
        height[rows, columns] *= 1 - 0.7 * opacity[..., 0]
    height[rows, columns] += defect.height[window]
    mask = np.zeros(height.shape, bool)
    mask[rows, columns] = defect.mask[window]
    return mask
