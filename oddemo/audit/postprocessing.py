"""From raw heads to detections, in NumPy, under any `Postprocessing`.

With the settings of a tf-models-official RetinaNet this gives what its own detection generator gives (tested).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.preprocessing import PixelBatch
from oddemo.audit.settings import Postprocessing
from oddemo.audit.suppression import suppress, suppress_softly, suppress_tfvision_v2
from oddemo.data.records import Detections

#: The largest log-scale that a box encoding may ask for (as in TF-Vision's `box_ops`).
_LOG_SCALE_LIMIT = float(np.log(1000.0 / 16.0))

Float = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Decoded:
    """Boxes and scores before suppression.

    Attributes:
        boxes_yxyx: (pictures, anchors, 4) float32, pixels of the network's frame.
        scores: (pictures, anchors, classes) float32; class ids from 1, no background column.
    """

    boxes_yxyx: NDArray[np.float32]
    scores: NDArray[np.float32]


def decode_heads(
    class_logits: Float, box_encodings: Float, anchors_yxyx: Float, frame_hw: tuple[int, int], post: Postprocessing
) -> Decoded:
    """Turn raw heads into boxes and scores.

    Args:
        class_logits: (pictures, anchors, 1 + classes); column 0 is background and is dropped.
        box_encodings: (pictures, anchors, 4); ty, tx, th, tw.
        anchors_yxyx: (anchors, 4), pixels of the network's frame.
        frame_hw: Height and width of that frame, to which boxes are clipped if they are at all.
        post: Score activation and rounding, box coder weights, clipping.
    """
    logits = class_logits[..., 1:].astype(np.float32)
    scores = logits if post.activation == "none" else _sigmoid(logits)
    if post.activation == "twice":
        scores = _sigmoid(scores)
    if post.score_step:
        scores = np.clip(np.round(scores / post.score_step) * post.score_step, 0.0, 1.0 - post.score_step)
    encodings = box_encodings.astype(np.float32) / np.array(post.box_coder_weights, np.float32)
    size = anchors_yxyx[:, 2:] - anchors_yxyx[:, :2]
    centre = encodings[..., :2] * size + anchors_yxyx[:, :2] + 0.5 * size
    log_scale = np.minimum(encodings[..., 2:], _LOG_SCALE_LIMIT) if post.limit_log_scale else encodings[..., 2:]
    extent = np.exp(log_scale) * size
    top_left = centre - 0.5 * extent
    boxes = np.concatenate([top_left, top_left + extent], axis=-1)
    if post.clip_boxes:
        boxes = np.clip(boxes, 0.0, np.array([*frame_hw, *frame_hw], np.float32))
    return Decoded(boxes.astype(np.float32), scores.astype(np.float32))


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import expit

    result: NDArray[np.float32] = expit(values)
    return result


def _select(
    boxes: Float, scores: Float, post: Postprocessing, window_yxyx: Float
) -> tuple[Float, Float, NDArray[np.int64]]:
    """Run threshold and suppression on one picture, which lies in a window of the network's frame; ids from 1."""
    agnostic = post.nms_kind == "class_agnostic"
    # tf-models-official suppresses over all classes with TensorFlow's own kernel, within a class with its own code.
    rule = suppress if agnostic or post.nms_algorithm == "greedy" else suppress_tfvision_v2
    if agnostic:
        columns = [(scores.argmax(axis=1) + 1, scores.max(axis=1))]
    else:
        columns = [(np.full(len(scores), k + 1), scores[:, k]) for k in range(scores.shape[1])]
    picked_boxes, picked_scores, picked_ids = [], [], []
    for ids, given in columns:
        column = given
        passing = np.flatnonzero(column > post.score_threshold)[:: -1 if post.ties_last else 1]
        passing = passing[np.argsort(-column[passing], kind="stable")][: post.pre_nms_top_k]
        if post.nms_kind == "soft":
            kept, column = _softly(boxes, column, passing, post)
            passing = passing[kept]
        elif post.nms_kind != "none":
            passing = passing[rule(boxes[passing], column[passing], post.nms_iou, post.max_detections)]
        picked_boxes.append(boxes[passing])
        picked_scores.append(column[passing])
        picked_ids.append(ids[passing])
        for further in _further_classes(scores[passing], post) if agnostic else ():
            picked_boxes.append(boxes[passing])
            picked_scores.append(np.take_along_axis(scores[passing], further[:, None], axis=1)[:, 0])
            picked_ids.append(further + 1)
    all_boxes, all_scores, all_ids = (np.concatenate(one) for one in (picked_boxes, picked_scores, picked_ids))
    if post.clip_kept_boxes:
        all_boxes = np.clip(all_boxes, np.tile(window_yxyx[:2], 2), np.tile(window_yxyx[2:], 2))
        left = (all_boxes[:, 2:] > all_boxes[:, :2]).all(axis=1)
        all_boxes, all_scores, all_ids = all_boxes[left], all_scores[left], all_ids[left]
    most = post.max_detections * (min(post.classes_per_box, scores.shape[1]) if agnostic else 1)
    order = np.argsort(-all_scores, kind="stable")[:most]
    order = order[all_scores[order] >= post.final_threshold]
    return all_boxes[order], all_scores[order], all_ids[order]


def _softly(
    boxes: Float, column: Float, passing: NDArray[np.int64], post: Postprocessing
) -> tuple[NDArray[np.int64], Float]:
    """Return which of the passing boxes stay, and the scores of all anchors with those of the kept ones lowered."""
    kept, lowered = suppress_softly(
        boxes[passing],
        column[passing],
        post.max_detections,
        sigma=post.soft_sigma,
        score_threshold=post.score_threshold,
    )
    changed = np.array(column, dtype=np.float32)
    changed[passing[kept]] = lowered
    return kept, changed


def _further_classes(scores: Float, post: Postprocessing) -> list[NDArray[np.int64]]:
    """Return the columns of the second, third, … best class of each kept box, as many as are handed out."""
    ranked = np.argsort(-scores, axis=1, kind="stable")
    return [ranked[:, place] for place in range(1, min(post.classes_per_box, scores.shape[1]))]


def detect(
    decoded: Decoded,
    batch: PixelBatch,
    frame_hw: tuple[int, int],
    post: Postprocessing,
    *,
    stored_sizes_hw_px: NDArray[np.int64] | None = None,
) -> list[Detections]:
    """Threshold, suppress, and express the result as the caller would see it.

    Args:
        decoded: Boxes and scores before suppression.
        batch: Where the pictures lie in the network's frame.
        frame_hw: Height and width of that frame.
        post: The settings.
        stored_sizes_hw_px: Heights and widths of the pictures as stored, to which boxes are clipped; those of the batch
            if not given. They differ where a picture was turned as its EXIF tag says.
    """
    clip_to = batch.image_sizes_hw_px if stored_sizes_hw_px is None else stored_sizes_hw_px
    results = []
    for index in range(len(decoded.boxes_yxyx)):
        corner = batch.offset_yx[index]
        window = np.concatenate([corner, corner + batch.image_sizes_hw_px[index] * batch.scale_yx[index]])
        boxes, scores, ids = _select(decoded.boxes_yxyx[index], decoded.scores[index], post, window)
        size_hw = clip_to[index].astype(np.float64)
        boxes = _to_frame(boxes.astype(np.float64), batch, index, frame_hw, post.box_frame)
        if post.final_activation == "sigmoid":
            scores = _sigmoid(scores.astype(np.float32))
        if post.exchanged:
            scores, ids = ids.astype(np.float32), np.floor(scores).astype(np.int64)
        if post.box_order == "xyxy":
            boxes = boxes[:, [1, 0, 3, 2]]
        results.append(canonical(boxes, scores, _shown_ids(ids, post), size_hw))
    return results


def _shown_ids(class_ids: NDArray[Any], post: Postprocessing) -> NDArray[np.int64]:
    """Shift class ids, then let a label map stand for another class; it holds no names for ids beyond its own."""
    ids: NDArray[np.int64] = class_ids.astype(np.int64) + post.label_offset
    if post.label_permutation and not post.exchanged:
        named = (ids >= 1) & (ids <= len(post.label_permutation))
        ids[named] = np.array(post.label_permutation)[ids[named] - 1]
    return ids


def _to_frame(boxes: Float, batch: PixelBatch, index: int, frame_hw: tuple[int, int], box_frame: str) -> Float:
    """Move boxes from the network's frame to the one that the caller believes them to be in."""
    size_hw: Float = np.tile(batch.image_sizes_hw_px[index].astype(np.float64), 2)
    if box_frame == "network":
        return boxes
    if box_frame == "stretched":
        stretched: Float = boxes / np.tile(np.array(frame_hw, np.float64), 2) * size_hw
        return stretched
    moved: Float = (boxes - np.tile(batch.offset_yx[index], 2)) / np.tile(batch.scale_yx[index], 2)
    return moved / size_hw if box_frame == "normalized" else moved


def canonical(boxes_yxyx: Float, scores: Float, class_ids: NDArray[Any], size_hw: Float) -> Detections:
    """Return detections clipped to the picture, best score first, so that two sources can be compared."""
    limits = np.tile(np.asarray(size_hw, dtype=np.float64), 2)
    order = np.argsort(-np.asarray(scores), kind="stable")
    return Detections(np.clip(boxes_yxyx, 0.0, limits)[order], np.asarray(scores)[order], np.asarray(class_ids)[order])
