"""Finds non-maximum suppression in a graph, whichever way it was written, and its constant settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from oddemo.export.cards.card import Fact
from oddemo.export.cards.flow import LOOPS, AnyFlow, Step
from oddemo.export.cards.folding import Folder

#: Operation → fact → position of the input that holds it.
_INPUTS: dict[str, dict[str, int]] = {
    "NonMaxSuppressionV2": {"max_detections": 2, "nms_iou_threshold": 3},
    "NonMaxSuppressionV3": {"max_detections": 2, "nms_iou_threshold": 3, "score_threshold": 4},
    "NonMaxSuppressionV4": {"max_detections": 2, "nms_iou_threshold": 3, "score_threshold": 4},
    "NonMaxSuppressionV5": {
        "max_detections": 2,
        "nms_iou_threshold": 3,
        "score_threshold": 4,
        "soft_nms_sigma": 5,
    },
    "NonMaxSuppressionWithOverlaps": {"max_detections": 2, "nms_iou_threshold": 3, "score_threshold": 4},
    "CombinedNonMaxSuppression": {"max_detections": 3, "nms_iou_threshold": 4, "score_threshold": 5},
    "non_max_suppression_padded_v2": {"max_detections": 2, "nms_iou_threshold": 3, "score_threshold": 4},
}

#: Attribute of the operation that the TFLite converter puts in → fact.
_TFLITE_ATTRIBUTES = {
    "max_detections": "max_detections",
    "nms_iou_threshold": "nms_iou_threshold",
    "nms_score_threshold": "score_threshold",
}

#: Loops that are looked into: more classes than any detector has.
MAX_LOOPS = 2000

TFLITE_OP = "TFLite_Detection_PostProcess"

#: Name scopes that TF-Vision's detection generators always write.
_VISION_SCOPE, _VISION_FILTER = "generate_detections", "filter_boxes_by_scores"


@dataclass(frozen=True)
class Nms:
    """What was found.

    Attributes:
        facts: Fact name → fact.
        steps: Indices of the steps that suppress.
    """

    facts: dict[str, Fact]
    steps: tuple[int, ...]


def find_nms(flow: AnyFlow, folder: Folder) -> Nms:
    """Return the suppression of a signature's flow: one of TensorFlow's operations, TF-Vision's own loops, or none."""
    ops = [i for i, step in enumerate(flow.steps) if step.op in _INPUTS]
    marks = [i for i, step in enumerate(flow.steps) if step.op == TFLITE_OP]
    if marks:
        return Nms(_tflite_facts(flow, flow.steps[marks[0]]), tuple(marks))
    if ops:
        return Nms(_operation_facts(flow, folder, ops), tuple(ops))
    loops = _vision_loops(flow)
    if loops:
        return Nms(_vision_facts(flow, folder, loops), tuple(loops))
    scoped = next((step for step in flow.steps if f"{_VISION_SCOPE}/" in f"{step.node}/"), None)
    if scoped is not None:
        note = f"the scope {_VISION_SCOPE} is there, but not in a form that is known"
        return Nms({"nms_kind": Fact(None, scoped.name, note)} | _vision_score(flow, folder), ())
    return Nms({}, ())


def _operation_facts(flow: AnyFlow, folder: Folder, ops: list[int]) -> dict[str, Fact]:
    steps = [flow.steps[index] for index in ops]
    kinds = sorted({step.op for step in steps})
    places = len({step.node for step in steps})
    note = f"{places} of them" if places > 1 else None
    found = {"nms_kind": Fact(" + ".join(kinds), steps[0].name, note)}
    for name in sorted({name for kind in kinds for name in _INPUTS[kind]}):
        values = [folder.number(step, _INPUTS[step.op][name]) for step in steps if name in _INPUTS[step.op]]
        found[name] = _agreed(values, steps[0].name, "each NMS operation")
    found |= _class_count(flow, steps)
    return found | _vision_top_k(flow, folder, steps[0])


def _class_count(flow: AnyFlow, steps: list[Step]) -> dict[str, Fact]:
    """Return the number of columns of the scores that come in, where the operation takes all classes at once."""
    step = steps[0]
    if step.op == "CombinedNonMaxSuppression" and len(step.inputs) > 1:
        source, port = step.inputs[1]
        shape = flow.steps[source].shape(port) if source >= 0 else None
        if shape is not None and len(shape) == 3 and shape[2] is not None:
            return {"class_count": Fact(shape[2], step.name, "columns of its scores")}
    return {}


def _agreed(values: list[Any], where: str, who: str) -> Fact:
    """Return the one value that all have; where they differ, all of them."""
    if None in values:
        return Fact(None, where, "computed while the graph runs")
    tidy = sorted({_tidy(value) for value in values}, key=str)
    if len(tidy) == 1:
        return Fact(tidy[0], where)
    return Fact(tidy, where, f"{who} has its own")


def _tidy(value: float) -> Any:
    """Return a float with the digits that float32 has; -inf as `none`."""
    if isinstance(value, float):
        return "none" if math.isinf(value) or value <= -3e38 else float(f"{value:.6g}")
    return value


def _tflite_facts(flow: AnyFlow, step: Step) -> dict[str, Fact]:
    attributes = flow.implementation(step)
    note = (
        "a place-holder that returns zeros until it is converted to TFLite"
        if attributes is not step.attributes
        else None
    )
    found = {"nms_kind": Fact(TFLITE_OP, step.name, note)}
    for attribute, name in _TFLITE_ATTRIBUTES.items():
        value = attributes.number(attribute)
        if value is not None:
            found[name] = Fact(_tidy(value), step.name)
    scales = [attributes.number(f"{side}_scale") for side in "yxhw"]
    if None not in scales:
        found["box_coder_scales"] = Fact([_tidy(float(scale or 0)) for scale in scales], step.name)
    classes = attributes.number("num_classes")
    if classes is not None:
        note = "columns of the scores; a background column may be among them"
        found["class_count"] = Fact(int(classes), step.name, note)
    return found


def _vision_loops(flow: AnyFlow) -> list[int]:
    """Return TF-Vision's own suppression (`nms_version: v2`): a loop over tiles of boxes, with two loops inside."""
    found: dict[tuple[str, int], int] = {}
    for index, step in enumerate(flow.steps):
        key = (step.node, id(step.scope))
        if step.op in LOOPS and _VISION_SCOPE in step.node and key not in found and len(found) < MAX_LOOPS:
            found[key] = index
    return [index for index in found.values() if flow.inner_loops(flow.steps[index]) == 2]


def _vision_facts(flow: AnyFlow, folder: Folder, loops: list[int]) -> dict[str, Fact]:
    steps = [flow.steps[index] for index in loops]
    where = steps[0].name
    note = f"{len(steps)} loops, one for each class"
    found = {"nms_kind": Fact("TF-Vision v2 (loop over tiles)", where, note)}
    found["class_count"] = Fact(len(steps), where, note)
    thresholds = [flow.loop_threshold(step) for step in steps]
    found["nms_iou_threshold"] = _agreed(thresholds, where, "each class")
    limits = [flow.loop_limit(step) for step in steps]
    found["max_detections"] = _agreed(limits, where, "each class")
    return found | _vision_score(flow, folder) | _vision_top_k(flow, folder, steps[0])


def _vision_score(flow: AnyFlow, folder: Folder) -> dict[str, Fact]:
    steps = [step for step in flow.steps if step.op == "Greater" and _VISION_FILTER in step.node]
    if not steps:
        return {}
    return {"score_threshold": _agreed([folder.number(step, 1) for step in steps], steps[0].name, "each class")}


def _vision_top_k(flow: AnyFlow, folder: Folder, nms: Step) -> dict[str, Fact]:
    """Return how many candidates TF-Vision keeps before it suppresses: the TopKV2 of its scope that feeds the NMS."""
    if _VISION_SCOPE not in nms.node:
        return {}
    start = next(index for index, step in enumerate(flow.steps) if step is nms)
    for index in flow.reachable(start):
        step = flow.steps[index]
        if step.op == "TopKV2" and _VISION_SCOPE in step.node:
            limit = folder.number(step, 1)
            return {"pre_nms_top_k": Fact(limit, step.name)} if limit is not None else {}
    return {}
