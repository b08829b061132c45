"""From a decoded picture to the network's input tensor, under any `Preprocessing`.

With the settings of a tf-models-official detector this gives what its own serving code gives (tested); every other
setting is a way in which a deployment can differ. The resizers are the real ones: TensorFlow, Pillow, OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.settings import Preprocessing

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PixelBatch:
    """Network input for a set of pictures, and the way back to their own pixels.

    Attributes:
        pixels: (pictures, height, width, 3) float32, as it enters the first convolution.
        scale_yx: (pictures, 2) float64; network pixels a picture pixel.
        offset_yx: (pictures, 2) float64; where the picture's origin lies in the network's frame.
        image_sizes_hw_px: (pictures, 2) int64; the pictures' own sizes.
    """

    pixels: Pixels
    scale_yx: NDArray[np.float64]
    offset_yx: NDArray[np.float64]
    image_sizes_hw_px: NDArray[np.int64]


def preprocess_images(images: Sequence[NDArray[np.uint8]], pre: Preprocessing) -> PixelBatch:
    """Run the preprocessing on decoded pictures.

    Args:
        images: (height, width, 3) uint8 RGB arrays; sizes may differ.
        pre: The settings.
    """
    return finish_images(images, resize_images(images, pre), pre)


def resizing_of(pre: Preprocessing) -> Preprocessing:
    """Return the settings with all that `resize_images` does not look at as in any other: equal ones resize alike."""
    return replace(pre, normalizations=(), padding_position="bottom_right", padding_grey=None)


def resize_images(images: Sequence[NDArray[np.uint8]], pre: Preprocessing) -> list[Pixels]:
    """Run the preprocessing as far as the size: (height, width, 3) float32 each, not padded and not normalised yet."""
    return [_resize_one(image, pre) for image in images]


def finish_images(images: Sequence[NDArray[np.uint8]], resized: Sequence[Pixels], pre: Preprocessing) -> PixelBatch:
    """Pad and normalise what `resize_images` gave of the same pictures."""
    parts = [_finish_one(image.shape[:2], one, pre) for image, one in zip(images, resized, strict=True)]
    return PixelBatch(
        pixels=np.stack([pixels for pixels, _, _ in parts]),
        scale_yx=np.array([scale for _, scale, _ in parts], dtype=np.float64),
        offset_yx=np.array([offset for _, _, offset in parts], dtype=np.float64),
        image_sizes_hw_px=np.array([image.shape[:2] for image in images], dtype=np.int64),
    )


def content_size_hw(image_size_hw: tuple[int, int], pre: Preprocessing) -> tuple[int, int]:
    """Return the height and width that the picture itself takes in the network's frame."""
    if not pre.keep_aspect_ratio:
        return pre.input_size_hw
    size = np.array(image_size_hw, dtype=np.float32)
    # float32 and round-half-even as in TF-Vision's `resize_and_crop_image`: another rounding moves the edge by a pixel.
    scale = np.min(np.array(pre.input_size_hw, dtype=np.float32) / size)
    height, width = np.round(size * scale)
    return int(height), int(width)


def _resize_one(image: NDArray[np.uint8], pre: Preprocessing) -> Pixels:
    if pre.channel_order == "bgr":
        image = image[:, :, ::-1]
    if pre.stretched_first:
        square = resize(image, (pre.stretched_first, pre.stretched_first), pre.stretch_kernel)
        image = np.clip(square, 0.0, 255.0).astype(np.uint8)
    return resize(image, content_size_hw((image.shape[0], image.shape[1]), pre), pre.kernel)


def _finish_one(
    image_size_hw: tuple[int, ...], resized: Pixels, pre: Preprocessing
) -> tuple[Pixels, tuple[float, float], tuple[float, float]]:
    content = resized.shape[:2]
    scale = (content[0] / image_size_hw[0], content[1] / image_size_hw[1])
    spare = (pre.input_size_hw[0] - content[0], pre.input_size_hw[1] - content[1])
    before = (spare[0] // 2, spare[1] // 2) if pre.padding_position == "centre" else (0, 0)
    padding = ((before[0], spare[0] - before[0]), (before[1], spare[1] - before[1]), (0, 0))
    if pre.padding_grey is not None:
        resized = np.pad(resized, padding, constant_values=np.float32(pre.padding_grey))
    for step in pre.normalizations:
        resized = ((resized - np.array(step.offset, np.float32)) / np.array(step.scale, np.float32)).astype(np.float32)
    if pre.padding_grey is None:
        resized = np.pad(resized, padding)
    return resized.astype(np.float32), scale, (float(before[0]), float(before[1]))


def resize(image: NDArray[np.uint8], size_hw: tuple[int, int], kernel: str) -> Pixels:
    """Resize a picture with the named resizer (see `KERNELS`).

    Args:
        image: (height, width, 3) uint8.
        size_hw: Height and width to get.
        kernel: `library/method`.

    Returns:
        (height, width, 3) float32 on the scale 0-255; bicubic and Lanczos in TensorFlow may overshoot it.
    """
    library, method = kernel.split("/")
    resizer = {"tensorflow": _resize_tensorflow, "pillow": _resize_pillow, "opencv": _resize_opencv}[library]
    return resizer(image, size_hw, method).astype(np.float32)


def _resize_tensorflow(image: NDArray[np.uint8], size_hw: tuple[int, int], method: str) -> NDArray[Any]:
    import tensorflow as tf

    batch = tf.cast(image[None], tf.float32)
    if method in ("bilinear_corner", "bilinear_align_corners"):
        align = method.endswith("align_corners")
        result = tf.raw_ops.ResizeBilinear(images=batch, size=size_hw, align_corners=align, half_pixel_centers=False)
    elif method == "nearest_corner":
        result = tf.raw_ops.ResizeNearestNeighbor(
            images=batch, size=size_hw, align_corners=False, half_pixel_centers=False
        )
    else:
        name, _, variant = method.partition("_")
        result = tf.image.resize(batch, size_hw, method=name, antialias=variant == "antialias")
        if variant == "truncated":
            result = tf.cast(tf.cast(result, tf.uint8), tf.float32)
    array: NDArray[Any] = result.numpy()[0]
    return array


def _resize_pillow(image: NDArray[np.uint8], size_hw: tuple[int, int], method: str) -> NDArray[Any]:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((size_hw[1], size_hw[0]), Image.Resampling[method.upper()]))


def _resize_opencv(image: NDArray[np.uint8], size_hw: tuple[int, int], method: str) -> NDArray[Any]:
    import cv2

    flags = {"linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST, "area": cv2.INTER_AREA, "cubic": cv2.INTER_CUBIC}
    return np.asarray(cv2.resize(np.ascontiguousarray(image), (size_hw[1], size_hw[0]), interpolation=flags[method]))
