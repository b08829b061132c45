"""What the pictures of a dataset are like: how bright, how colourful, how detailed, how large on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError


@dataclass(frozen=True)
class PictureMeasures:
    """Means over pixels and pictures.

    Attributes:
        brightness: Mean of the three channels, 0 to 1.
        colourfulness: Largest minus smallest channel, 0 (grey) to 1.
        detail: Absolute Laplacian of the grey picture, in steps of 255: blur lowers it, and noise raises it just as
            true detail does.
        kilobytes: Size of the file, in thousands of bytes; 0 for an array.
    """

    brightness: float
    colourfulness: float
    detail: float
    kilobytes: float = 0.0


def measure_picture(image_rgb: NDArray[np.uint8]) -> PictureMeasures:
    """Measure one picture.

    Args:
        image_rgb: (h, w, 3) uint8.
    """
    import cv2

    values = image_rgb.astype(np.float32) / 255
    spread = values.max(axis=2) - values.min(axis=2)
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    return PictureMeasures(float(values.mean()), float(spread.mean()), float(detail.mean()))


def brightness_of(dataset: Dataset, record: ImageRecord) -> float:
    """Return the mean of a picture's pixels, 0 to 1: as stored with generated pictures, or from the file."""
    stored = record.attributes.get("mean_brightness")
    return float(stored) if stored is not None else float(read_image_rgb(dataset.image_path(record)).mean()) / 255


def picture_measures(dataset: Dataset) -> PictureMeasures:
    """Measure every picture of a dataset and return the means.

    Raises:
        OddemoError: If there is no picture, or one cannot be decoded.
    """
    if not len(dataset):
        raise OddemoError(f"{dataset.name} has no pictures to measure.", expected="at least one")
    paths = [dataset.image_path(record) for record in dataset.records]
    measured = [measure_picture(read_image_rgb(path)) for path in paths]
    return PictureMeasures(
        brightness=float(np.mean([one.brightness for one in measured])),
        colourfulness=float(np.mean([one.colourfulness for one in measured])),
        detail=float(np.mean([one.detail for one in measured])),
        kilobytes=float(np.mean([path.stat().st_size for path in paths])) / 1000,
    )
