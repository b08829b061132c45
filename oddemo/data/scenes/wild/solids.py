"""Seeing a body: capsules to a depth map, with the model coordinates of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.scenes.fields import Field
from oddemo.data.scenes.wild.body import TAGS, Body


@dataclass(frozen=True, eq=False)
class SolidView:
    """A body as one camera sees it, in a window of its own.

    Attributes:
        mask: (h, w) bool.
        depth: (h, w) float32, pixels towards the camera; 0 outside.
        model_xyz: (h, w, 3) float32 model coordinates; 0 outside.
        tags: (h, w) int8, index into `TAGS`; -1 outside.
        eyes_xy: (K, 2) window pixels of the eyes that face the camera.
        ground_y: Window row on which the feet stand.
        pixels_per_unit: Size of a model unit.
    """

    mask: NDArray[np.bool_]
    depth: Field
    model_xyz: NDArray[np.float32]
    tags: NDArray[np.int8]
    eyes_xy: NDArray[np.float64]
    ground_y: float
    pixels_per_unit: float


def see(body: Body, *, yaw: float, mirrored: bool, length_px: float, margin_px: int, tilt: float = 0.12) -> SolidView:
    """Render a body so that the longer side of its outline is about `length_px`.

    Args:
        body: What is seen.
        yaw: Turn about the vertical, radians; 0 is a plain side view, positive shows more of the front.
        mirrored: Whether it faces left.
        length_px: Longer side of the outline's box.
        margin_px: Free border of the window.
        tilt: How far the camera looks down, radians.
    """
    facing = -1.0 if mirrored else 1.0
    turn = _camera_axes(yaw, tilt, facing)
    starts = np.array([part.start for part in body.capsules]) @ turn.T
    ends = np.array([part.end for part in body.capsules]) @ turn.T
    radii = np.array([[part.start_radius, part.end_radius] for part in body.capsules])
    joints, spread = np.concatenate([starts, ends]), np.concatenate([radii[:, 0], radii[:, 1]])[:, None]
    low, high = (joints[:, :2] - spread).min(axis=0), (joints[:, :2] + spread).max(axis=0)
    scale = length_px / float((high - low).max())
    offset = np.array([margin_px - low[0] * scale, margin_px + high[1] * scale])
    size = (np.ceil((high - low) * scale).astype(int) + 2 * margin_px + 1)[::-1]
    depth = np.full(size, -np.inf, np.float32)
    tags = np.full(size, -1, np.int8)
    window_starts, window_ends = (_to_window(points, scale, offset) for points in (starts, ends))
    for number, part in enumerate(body.capsules):
        tag = TAGS.index(part.tag)
        _add_capsule(depth, tags, window_starts[number], window_ends[number], radii[number] * scale, tag=tag)
    mask = tags >= 0
    depth[~mask] = 0
    columns = np.arange(size[1], dtype=np.float32)[None, :] + np.float32(0.5)
    rows = np.arange(size[0], dtype=np.float32)[:, None] + np.float32(0.5)
    view = np.empty((*size, 3), np.float32)
    view[..., 0], view[..., 1] = (columns - offset[0]) / scale, (offset[1] - rows) / scale
    view[..., 2] = depth / scale
    model = (view @ turn.astype(np.float32)) * mask[..., None]
    eyes_window = _to_window(body.eyes @ turn.T, scale, offset)
    inside = np.clip(eyes_window[:, 1::-1].astype(int), 0, size - 1)
    shown = eyes_window[:, 2] > depth[inside[:, 0], inside[:, 1]] - 0.035 * scale
    return SolidView(mask, depth, model, tags, eyes_window[shown, :2], float(offset[1]), scale)


def _camera_axes(yaw: float, tilt: float, facing: float) -> NDArray[np.float64]:
    """Return the (3, 3) rows right, up, towards the camera, in model coordinates."""
    right = np.array([np.cos(yaw) * facing, 0.0, -np.sin(yaw)])
    towards = np.array([np.sin(yaw), 0.0, np.cos(yaw) * facing])
    up = np.array([0.0, 1.0, 0.0])
    tilted_up = np.cos(tilt) * up - np.sin(tilt) * towards
    tilted_towards = np.cos(tilt) * towards + np.sin(tilt) * up
    return np.stack([right, tilted_up, tilted_towards])


def _to_window(points: NDArray[np.float64], scale: float, offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (N, 3) camera coordinates into (N, 3) window x, y and depth, in pixels."""
    x, y, towards = points.T * scale
    return np.stack([offset[0] + x, offset[1] - y, towards], axis=1)


def _add_capsule(
    depth: Field,
    tags: NDArray[np.int8],
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    radii: NDArray[np.float64],
    *,
    tag: int,
) -> None:
    """Draw a rounded cone into the depth map, in place; nearer surfaces win."""
    reach = float(radii.max())
    low = np.floor(np.minimum(first, last)[:2] - reach).astype(int)
    high = np.ceil(np.maximum(first, last)[:2] + reach).astype(int) + 1
    left, top = max(low[0], 0), max(low[1], 0)
    right, bottom = min(high[0], depth.shape[1]), min(high[1], depth.shape[0])
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - first[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - first[1])
    way = last - first
    length_squared = float(way[0] ** 2 + way[1] ** 2)
    if length_squared < 1e-6:
        share = np.zeros((1, 1), np.float32)
    else:
        share = np.clip((x * np.float32(way[0]) + y * np.float32(way[1])) / np.float32(length_squared), 0, 1)
    radius = np.float32(radii[0]) + share * np.float32(radii[1] - radii[0])
    rest = radius**2 - (x - share * np.float32(way[0])) ** 2 - (y - share * np.float32(way[1])) ** 2
    surface = np.float32(first[2]) + share * np.float32(way[2]) + np.sqrt(np.maximum(rest, 0))
    window = (slice(top, bottom), slice(left, right))
    nearer = (rest > 0) & (surface > depth[window])
    np.copyto(depth[window], surface, where=nearer)
    np.copyto(tags[window], np.int8(tag), where=nearer)
