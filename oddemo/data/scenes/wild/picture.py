"""The wildlife world: a camera trap at the edge of a wood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.camera import expose, vignette
from oddemo.data.scenes.placing import plan_picture, tight_box
from oddemo.data.scenes.spec import WorldSpec
from oddemo.data.scenes.wild.canvas import nearness
from oddemo.data.scenes.wild.daylight import wild_light
from oddemo.data.scenes.wild.foreground import plants_before, veil
from oddemo.data.scenes.wild.habitat import empty_habitat
from oddemo.data.scenes.wild.info_strip import STRIP_SHARE, print_strip
from oddemo.data.scenes.wild.pasted import draw_eyes, draw_shadow, paste
from oddemo.data.scenes.wild.placed import placed_animals


def render_wildlife(
    spec: WorldSpec, streams: Mapping[str, np.random.Generator]
) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]], list[int], dict[str, Any]]:
    """Return picture, masks, class ids and facts of one camera trap scene."""
    size_hw = spec.image_size_hw_px
    scale = max(size_hw) / 320
    plan = plan_picture(streams["plan"], spec)
    habitat = empty_habitat(streams["background"], size_hw, scale)
    canvas = habitat.canvas
    camera = streams["camera"]
    light_side = float(camera.uniform(-1, 1))
    bottom = size_hw[0] * (1 - STRIP_SHARE) if spec.info_strip else float(size_hw[0])
    placed = placed_animals(spec, plan, streams, horizon=habitat.horizon_y, bottom=bottom, light_side=light_side)
    masks: list[NDArray[np.bool_]] = []
    eyes: list[tuple[float, float, float]] = []
    for _, animal, top, left in placed:
        foot = top + animal.ground_y
        near = nearness(foot, habitat.horizon_y, size_hw[0])
        if plan.lighting == "day":
            draw_shadow(canvas, animal, foot, left)
        mask = paste(canvas, animal, top, left, near)
        masks = [other & ~mask for other in masks]
        masks.append(mask)
        eyes += [(top + y, left + x, animal.pixels_per_unit) for x, y in animal.eyes_xy]
        plants_before(
            streams["clutter"],
            canvas,
            mask,
            foot_y=foot,
            near=near,
            ground=habitat.ground,
            amount=spec.clutter,
            scale=scale,
        )
    veil(streams["clutter"], canvas, spec.clutter, scale)
    kept = [index for index, mask in enumerate(masks) if tight_box(mask) is not None]
    reflectance = canvas[..., :3].astype(np.float32) / np.float32(255)
    near_field = canvas[..., 3].astype(np.float32) / np.float32(255)
    light = wild_light(camera, plan.lighting, reflectance, near_field, scale)
    draw_eyes(light, eyes, plan.lighting)
    light *= vignette(size_hw, float(camera.uniform(0.1, 0.3)))[..., None]
    blur = spec.defocus_px * scale * float(camera.uniform(0.6, 1.4))
    noise = spec.noise * {"day": 1.0, "dusk": 1.4, "night": 1.5}[plan.lighting] * float(camera.uniform(0.7, 1.3))
    image = expose(light, camera, blur_px=blur, noise=noise, grey=plan.lighting == "night")
    if spec.info_strip:
        print_strip(image, camera, plan.lighting)
    facts = {"lighting": plan.lighting, "ground": habitat.ground, "blur_px": round(blur, 3)}
    return image, [masks[i] for i in kept], [placed[i][0] for i in kept], facts
