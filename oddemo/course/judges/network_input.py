"""Notebook 10: the network's input written by hand, judged by the reference's own preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.stages import tolerance_for
from oddemo.audit.story import detector_folder
from oddemo.course.answers import Mistake, called, told_apart
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.images import read_image_rgb
from oddemo.data.sample import sample_dataset

Pixels = NDArray[np.float32]


@cache
def _reference() -> Any:
    """Return TF-Vision's preprocessing of the shipped detector; loads TensorFlow."""
    from oddemo.detect.folder import read_params
    from oddemo.detect.preprocess import Preprocessor

    return Preprocessor(read_params(detector_folder("inspection")))


def _pictures() -> list[NDArray[np.uint8]]:
    """Return pictures of the sample, wide, upright, square and smaller than the input."""
    dataset = sample_dataset("inspection")
    first, second = (read_image_rgb(dataset.image_path(record)) for record in dataset.records[:2])
    return [first, np.ascontiguousarray(second.transpose(1, 0, 2)), first[:200, :200], second[:60, :90]]


def judge_network_input(network_input: Any) -> str:
    """Judge `network_input(image_rgb)`, which returns (128, 128, 3) float32."""
    limit, largest = tolerance_for("pixels", "pixels").absolute, 0.0
    for image in _pictures():
        due = _reference()(image)[0]
        answer = _read(called(network_input, image), due.shape)
        gap = float(np.abs(answer - due).max())
        if gap > limit:
            size = f"{image.shape[0]} × {image.shape[1]} pixels"
            otherwise = NotYet(
                f"in a picture of {size}, a value is {gap:.2g} standard deviations off",
                "print range and corners of both; is it the picture, its place, or its brightness?",
            )
            raise told_apart(_near(answer), _mistakes(image), otherwise)
        largest = max(largest, gap)
    return f"it equals the reference's input on {len(_pictures())} pictures, to {limit:g} standard deviations"


def _read(answer: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    if isinstance(answer, (tuple, list)):
        raise NotYet("several things are returned", "return the pixels alone")
    array = np.asarray(answer)
    if array.shape == (1, *shape):
        raise NotYet("there is a batch dimension in front", "one picture is asked for; a caller can make a batch of it")
    if array.shape != shape:
        found = " × ".join(map(str, array.shape))
        raise NotYet(f"the shape is {found}", "every picture, upright or wide, has to fill the same square frame")
    if array.dtype.kind not in "f":
        raise NotYet(f"the values are {array.dtype}", "normalised values have fractions: where are they cut off?")
    if not np.isfinite(array).all():
        raise NotYet("some values are not finite", "what was divided by 0?")
    return array.astype(np.float64)


def _near(answer: NDArray[np.float64]) -> Callable[[Pixels], bool]:
    """Return what tells whether a mistake gives this answer, up to another way of resizing."""
    return lambda made: float(np.abs(answer - made).mean()) < 0.02


def _mistakes(image: NDArray[np.uint8]) -> list[Mistake]:
    return [
        Mistake(
            lambda: _made(image[..., ::-1]),
            "red and blue have changed places",
            "the function is given the channels in one order; did a library want another?",
        ),
        Mistake(
            lambda: _made(image, normalise="none"),
            "the values run from 0 to 255",
            "what did training do with the mean and the deviation?",
        ),
        Mistake(
            lambda: _made(image, normalise="unit"),
            "the values run from 0 to 1",
            "what did training do with the mean and the deviation?",
        ),
        Mistake(
            lambda: _made(image, normalise="twice"),
            "the picture is one flat colour near -2",
            "the two constants are meant for one range of values: which one, and is it still that when they come?",
        ),
        Mistake(
            lambda: _made(image, normalise="odd"),
            "the values run from -1 to 1",
            "that is how another family of models does it; here there are three means and three deviations",
        ),
        Mistake(
            lambda: _made(image, stretched=True),
            "the picture fills the whole frame",
            "a circle has to stay a circle: how many factors may there be?",
        ),
        Mistake(
            lambda: _made(image, pad_first=True),
            "the padding is about -2",
            "what has to lie in the padding when the network sees it, and which step comes after it?",
        ),
        Mistake(
            lambda: _made(image, centred=True),
            "the picture lies in the middle of the frame",
            "on which two sides did training pad?",
        ),
        Mistake(
            lambda: _made(image, kernel="area"),
            "the picture is smoother than the reference's",
            "the kernel that is good for small pictures is not the one that training took",
        ),
        Mistake(
            lambda: _made(image, kernel="nearest"),
            "the picture is rougher than the reference's",
            "single pixels were picked, where training mixed neighbours",
        ),
    ]


def _made(
    image: NDArray[np.uint8],
    *,
    normalise: str = "once",
    stretched: bool = False,
    pad_first: bool = False,
    centred: bool = False,
    kernel: str = "linear",
) -> Pixels:
    """Return the network input as a script with a mistake makes it."""
    import cv2

    reference = _reference()
    (height, width), mean, std = reference.padded_size_hw, reference.mean, reference.std
    factor = min(height / image.shape[0], width / image.shape[1])
    rows, columns = (height, width) if stretched else (round(side * factor) for side in image.shape[:2])
    way = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "nearest": cv2.INTER_NEAREST}[kernel]
    pixels: NDArray[Any] = cv2.resize(image.astype(np.float32), (columns, rows), interpolation=way)
    top, left = ((height - rows) // 2, (width - columns) // 2) if centred else (0, 0)
    edges = [(top, height - rows - top), (left, width - columns - left), (0, 0)]
    if pad_first:
        pixels = np.pad(pixels, edges)
    if normalise == "odd":
        pixels = pixels / 127.5 - 1
    elif normalise == "unit":
        pixels = pixels / 255
    elif normalise != "none":
        pixels = (pixels / (255 if normalise == "twice" else 1) - mean) / std
    return np.asarray(pixels if pad_first else np.pad(pixels, edges), np.float32)


EXERCISES = (
    Exercise(
        "10.1",
        "make the network's input from a picture",
        "begin with the size: which factor brings the longer side to 128?",
        judge_network_input,
    ),
)
