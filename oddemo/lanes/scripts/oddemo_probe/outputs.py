"""What comes out of a detector, as stages and as detections in pixels of the picture."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple

import numpy as np

from oddemo_probe import RefusedError
from oddemo_probe.signature import TAP

Arrays = Dict[str, Any]


class Found(NamedTuple):
    """Detections of one picture, best first: boxes (N, 4) yxyx in pixels of the picture, scores (N,), ids (N,)."""

    boxes_yxyx_px: Any
    scores: Any
    class_ids: Any


def dense_of(arrays: Arrays) -> dict[str, Arrays]:
    """Sort tapped tensors into stages; heads are joined finest level first, then row, column, anchor."""
    tapped = {key[len(TAP) :]: array for key, array in arrays.items() if key.startswith(TAP)}
    dense: dict[str, Arrays] = {}
    if "pixels" in tapped and tapped["pixels"].ndim == 4:
        dense["pixels"] = {"pixels": tapped["pixels"]}
    features = {key.split("/")[1]: array for key, array in tapped.items() if key.startswith("features/")}
    if features:
        dense["features"] = features
    levels = sorted(int(key.split("/")[1]) for key in tapped if key.startswith("box_encodings/"))
    if levels:
        heads: Arrays = {}
        for kind in ("class_logits", "box_encodings"):
            parts = []
            for level in levels:
                anchors = tapped[f"box_encodings/{level}"].shape[-1] // 4
                array = tapped[f"{kind}/{level}"]
                parts.append(array.reshape(len(array), -1, array.shape[-1] // anchors))
            heads[kind] = np.concatenate(parts, axis=1)
        dense["heads"] = heads
    if "boxes_yxyx" in tapped and "scores" in tapped:
        dense["decoded"] = {key: tapped[key] for key in ("boxes_yxyx", "scores")}
    elif "pixels" in dense and all(key in arrays for key in ("raw_detection_boxes", "raw_detection_scores")):
        # The Object Detection API: fractions of the network's frame, and a column for the background.
        sides = np.tile(np.array(dense["pixels"]["pixels"].shape[1:3], np.float32), 2)
        scores = arrays["raw_detection_scores"][..., 1:]
        dense["decoded"] = {"boxes_yxyx": arrays["raw_detection_boxes"] * sides, "scores": scores}
    return dense


def found_in(outputs: Arrays, size_hw: tuple[int, int]) -> Found:
    """Read one picture's outputs: TF-Vision's, the Object Detection API's, or the names that people write by hand."""

    def pick(*names: str) -> Any:
        for name in names:
            if name in outputs:
                return np.asarray(outputs[name])
        raise RefusedError(f"The model has no output {' or '.join(names)}; it has {', '.join(sorted(outputs))}.")

    boxes = pick("detection_boxes", "boxes", "bboxes").astype(np.float64).reshape(-1, 4)
    scores = pick("detection_scores", "scores", "confidences").astype(np.float64).reshape(-1)
    ids = pick("detection_classes", "classes", "class_ids", "labels").astype(np.float64).reshape(-1)
    if not len(boxes) == len(scores) == len(ids):
        raise RefusedError(f"Boxes, scores and classes do not fit together: {len(boxes)}, {len(scores)}, {len(ids)}.")
    for name in ("num_detections", "count"):
        if name in outputs:
            count = int(np.asarray(outputs[name]).reshape(-1)[0])
            boxes, scores, ids = boxes[:count], scores[:count], ids[:count]
            break
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all() and (ids == np.round(ids)).all()):
        raise RefusedError("The outputs hold values that are not finite, or class ids that are not whole numbers.")
    if "image_info" in outputs:  # TF-Vision: boxes are in the network's frame
        info = np.asarray(outputs["image_info"], np.float64)
        boxes = (boxes + np.tile(info[3], 2)) / np.tile(info[2], 2)
    elif boxes.size and boxes.max() <= 2.0:  # no picture is 2 pixels wide: they are fractions of its sides
        boxes = boxes * np.tile(np.array(size_hw, np.float64), 2)
    real = scores > 0.0  # rows of score 0 fill the list up
    boxes, scores, ids = boxes[real], scores[real], ids[real].astype(np.int64)
    order = np.argsort(-scores, kind="stable")
    return Found(np.clip(boxes, 0.0, np.tile(np.array(size_hw, np.float64), 2))[order], scores[order], ids[order])
