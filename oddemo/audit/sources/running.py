"""What the runnable artefacts share: preparing input for them, and turning taps and outputs into a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.network_runs import flatten_heads
from oddemo.audit.preprocessing import PixelBatch, preprocess_images
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.outputs import in_unit, read_outputs
from oddemo.data.records import Detections
from oddemo.errors import OddemoError

#: Before the names of tapped tensors in a run's results.
TAP = "tap/"
_RAW = ("raw_detection_boxes", "raw_detection_scores")


def prepare(
    images: Sequence[NDArray[np.uint8]], caller: Preprocessing | None, size_hw: tuple[int, int], source: str
) -> PixelBatch:
    """Preprocess for an artefact that takes the network's own input, to the size that it takes.

    Whoever calls it has to make pictures of that size, whatever was trained; a size that is not the reference's is for
    the audit to find.

    Raises:
        OddemoError: If nothing says how.
    """
    if caller is None:
        raise OddemoError(
            f"{source} takes the network's own input, which the caller must preprocess.",
            expected="a reference whose preprocessing can be used",
            found="none",
            do="audit it against a tfvision: reference, or record it with --like tfvision:DIR",
        )
    return preprocess_images(images, replace(caller, input_size_hw=size_hw))


def detections_of(
    arrays: Mapping[str, NDArray[Any]], images: Sequence[NDArray[np.uint8]], batch: PixelBatch | None, source: str
) -> tuple[Detections, ...]:
    """Read the detections of all pictures out of stacked outputs.

    Args:
        arrays: Output name → (pictures, …); taps are passed over.
        images: The decoded pictures.
        batch: How the caller preprocessed, if it did: its record then leads the way back to the picture.
        source: For messages.
    """
    found = []
    shown = {name: array for name, array in arrays.items() if not name.startswith(TAP)}
    unit = batch is not None and in_unit(shown, source)
    for index, image in enumerate(images):
        outputs = {name: array[index] for name, array in shown.items()}
        info = outputs.get("image_info")
        if batch is not None:
            size = batch.pixels.shape[1:3]
            one = np.array(size if unit else (1.0, 1.0))  # what a box that spans the whole frame is long
            info = np.array([image.shape[:2], size, batch.scale_yx[index] / one, -batch.offset_yx[index] / one])
        found.append(read_outputs(outputs, (image.shape[0], image.shape[1]), source, image_info=info))
    return tuple(found)


def dense_of(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Sort tapped tensors into stages."""
    tapped = {name.removeprefix(TAP): array for name, array in arrays.items() if name.startswith(TAP)}
    dense: dict[str, dict[str, NDArray[Any]]] = {}
    if "pixels" in tapped and tapped["pixels"].ndim == 4:
        dense["pixels"] = {"pixels": tapped["pixels"]}
    levels = [name.rpartition("/")[2] for name in tapped if name.startswith("class_logits/")]
    if levels:
        logits, encodings = (
            {level: tapped[f"{kind}/{level}"] for level in levels} for kind in ("class_logits", "box_encodings")
        )
        dense["heads"] = flatten_heads(logits, encodings)
    features = {name.rpartition("/")[2]: array for name, array in tapped.items() if name.startswith("features/")}
    if features:
        dense["features"] = features
    if "boxes_yxyx" in tapped and "scores" in tapped:
        dense["decoded"] = {name: tapped[name] for name in ("boxes_yxyx", "scores")}
    elif "pixels" in dense and all(name in arrays for name in _RAW):
        # The Object Detection API hands them out, as fractions of the network's frame and with a background column.
        sides_px = np.tile(np.array(dense["pixels"]["pixels"].shape[1:3], np.float32), 2)
        boxes, scores = (arrays[name] for name in _RAW)
        dense["decoded"] = {"boxes_yxyx": boxes * sides_px, "scores": scores[..., 1:]}
    return dense


def stack(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join batches; where lists of detections have different lengths, the shorter are filled up with zeros."""
    if parts[0].ndim >= 2:
        longest = max(part.shape[1] for part in parts)
        parts = [np.pad(p, [(0, 0), (0, longest - p.shape[1])] + [(0, 0)] * (p.ndim - 2)) for p in parts]
    return np.concatenate(parts)
