"""Reading what a detector hands out: names, order, units, and the way back to the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.postprocessing import canonical
from oddemo.data.records import Detections
from oddemo.errors import OddemoError

#: What the field calls them: TF-Vision and the Object Detection API; then what people write by hand.
_NAMES = {
    "boxes": ("detection_boxes", "boxes", "bboxes"),
    "scores": ("detection_scores", "scores", "confidences"),
    "classes": ("detection_classes", "classes", "class_ids", "labels"),
    "count": ("num_detections", "count"),
}
#: Boxes that all lie below this are taken for normalised ones: a picture is never 2 pixels wide.
_NORMALIZED_BELOW = 2.0


def find_output(outputs: Mapping[str, Any], kind: str, source: str) -> NDArray[Any]:
    """Return the output of this kind, whatever its name.

    Raises:
        OddemoError: If none of the known names is there, or it does not hold numbers.
    """
    for name in _NAMES[kind]:
        if name in outputs:
            return _numbers(outputs[name], kind, source)
    raise OddemoError(
        f"{source} has no output for {kind}.",
        expected=f"one of {', '.join(_NAMES[kind])}",
        found=", ".join(sorted(map(str, outputs))) or "no outputs",
        do="name the outputs, or wrap the model in a function and audit it as python:FILE.py:FUNCTION",
    )


def _numbers(value: Any, kind: str, source: str) -> NDArray[Any]:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            array = np.array(array.tolist(), dtype=np.float64)
    except (TypeError, ValueError):
        raise OddemoError(
            f"{source}: {kind} are not an array of numbers.",
            expected="numbers, in rows of equal length; class ids, not names",
            found=repr(value).replace("\n", " ")[:100],
        ) from None
    return array


def _whole(values: NDArray[Any], kind: str, source: str) -> NDArray[np.int64]:
    """Return ids or counts as integers."""
    limit = float(np.iinfo(np.int32).max)
    numbers = values.astype(np.float64).reshape(-1)
    with np.errstate(invalid="ignore"):
        good = (np.abs(numbers) <= limit) & (np.round(numbers) == numbers)
    if not good.all():
        raise OddemoError(
            f"{source}: {kind} are not whole numbers.", expected="whole numbers", found=str(numbers[~good][:5].tolist())
        )
    whole: NDArray[np.int64] = numbers.astype(np.int64)
    return whole


def _count(outputs: Mapping[str, Any], most: int, source: str) -> int:
    if not any(name in outputs for name in _NAMES["count"]):
        return most
    counts = _whole(find_output(outputs, "count", source), "count", source)
    if len(counts) != 1 or not 0 <= counts[0] <= most:
        raise OddemoError(
            f"{source}: the count of detections does not fit.",
            expected=f"one number, 0 to {most}",
            found=str(counts.tolist()),
        )
    return int(counts[0])


def _exchanged(scores: NDArray[Any], classes: NDArray[Any]) -> bool:
    """Say whether scores look like class ids, and class ids like scores."""
    return bool((np.round(scores) == scores).all() and (np.round(classes) != classes).any() and (classes <= 1).all())


def in_unit(outputs: Mapping[str, Any], source: str) -> bool:
    """Say whether boxes of all pictures lie in [0, 1] of the network's frame, as the Object Detection API's do.

    Raises:
        OddemoError: If there are no boxes.
    """
    boxes = find_output(outputs, "boxes", source)
    return bool(boxes.size and boxes.max() <= _NORMALIZED_BELOW)


def read_outputs(
    outputs: Mapping[str, Any],
    image_size_hw: tuple[int, int],
    source: str,
    *,
    image_info: NDArray[Any] | None = None,
) -> Detections:
    """Return the detections of one picture in its own pixels.

    Args:
        outputs: Arrays for one picture, without a batch dimension: boxes (N, 4) yxyx, scores (N,), classes (N,), and a
            count where the rows beyond it mean nothing.
        image_size_hw: Size of the picture.
        source: For messages.
        image_info: (4, 2) TF-Vision's record of its resizing; boxes are then in the network's frame. Without it, boxes
            are in pixels of the picture, or normalised if none of them is larger than 2.

    Raises:
        OddemoError: If an output is missing, has another shape, or holds NaN.
    """
    boxes = find_output(outputs, "boxes", source).astype(np.float64)
    scores = find_output(outputs, "scores", source).astype(np.float64).reshape(-1)
    classes = find_output(outputs, "classes", source).reshape(-1)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes) == len(scores) == len(classes):
        raise OddemoError(
            f"{source}: the outputs do not fit together.",
            expected="boxes (N, 4), scores (N,), classes (N,)",
            found=f"{boxes.shape}, {scores.shape}, {classes.shape}",
        )
    count = _count(outputs, len(boxes), source)
    boxes, scores, classes = boxes[:count], scores[:count], classes[:count]
    for name, array in (("boxes", boxes), ("scores", scores), ("classes", classes.astype(np.float64))):
        if not np.isfinite(array).all():
            raise OddemoError(
                f"{source}: {name} hold values that are not finite.",
                expected="finite numbers",
                found=f"{int((~np.isfinite(array)).sum())} NaN or infinite of {array.size}",
                do="look for a division by zero, diverged weights or a float16 overflow before auditing",
            )
    if image_info is not None:
        boxes = (boxes + np.tile(image_info[3], 2)) / np.tile(image_info[2], 2)
    elif boxes.size and boxes.max() <= _NORMALIZED_BELOW:
        boxes = boxes * np.tile(np.array(image_size_hw, np.float64), 2)
    # TF-Vision pads its list with rows of score 0.
    real = scores > 0.0
    if _exchanged(scores[real], classes[real]):
        classes = np.floor(classes)  # as a cast to integers does, which callers put there
    class_ids = _whole(classes[real], "classes", source)
    return canonical(boxes[real], scores[real], class_ids, np.array(image_size_hw))
