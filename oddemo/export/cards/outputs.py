"""Facts about what a graph gives out: class ids, box coordinates, score activation."""

from __future__ import annotations

from oddemo.export.cards.card import Fact
from oddemo.export.cards.flow import AnyFlow, Step
from oddemo.export.cards.folding import Folder
from oddemo.export.cards.nms import TFLITE_OP, Nms
from oddemo.export.cards.pixel_path import CONVOLUTIONS

_TRANSPARENT = ("Identity", "Cast", "Reshape", "Squeeze", "ExpandDims", "EnsureShape", "StopGradient", "Mul")
_LAYERS = (*CONVOLUTIONS, "MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")
_ACTIVATIONS = {"Sigmoid": "sigmoid", "Softmax": "softmax"}

#: Operations whose first input alone carries values.
_FIRST_ONLY = (
    "GatherV2",
    "Gather",
    "GatherNd",
    "Reshape",
    "Slice",
    "StridedSlice",
    "Transpose",
    "TopKV2",
    "Tile",
    "Pad",
)

#: Output names of detectors in their usual spellings.
_NAMES = {
    "boxes": ("detection_boxes", "decoded_boxes", "raw_detection_boxes", "raw_boxes", "boxes"),
    "scores": ("detection_scores", "decoded_box_scores", "raw_detection_scores", "raw_scores", "scores"),
    "classes": ("detection_classes", "classes", "labels"),
}

#: Output of the operation that the TFLite converter puts in → what it is.
_TFLITE_PORTS = {0: "boxes", 1: "classes", 2: "scores"}

#: Outputs that only the Object Detection API's exporter writes.
_ODAPI = {"detection_multiclass_scores", "detection_anchor_indices", "raw_detection_boxes"}


class OutputReader:
    """Reads facts from the outputs backwards.

    Args:
        flow: The signature's flow.
        folder: Evaluates its constants.
        nms: What suppression was found.
    """

    def __init__(self, flow: AnyFlow, folder: Folder, nms: Nms) -> None:
        self._flow, self._folder, self._nms = flow, folder, nms

    def facts(self) -> dict[str, Fact]:
        """Return fact name → fact, for those that can be told."""
        found: dict[str, Fact] = {}
        classes, boxes, scores = (self._output(kind) for kind in ("classes", "boxes", "scores"))
        if classes is not None:
            found["class_id_offset"] = self._offset(classes)
        if boxes is not None:
            found["coordinates"] = self._coordinates(boxes)
        if scores is not None:
            found["score_activation"] = self._activation(scores)
        found["box_coder_scales"] = self._nms.facts.get("box_coder_scales") or self._scales()
        return found

    def _output(self, kind: str) -> int | None:
        for name in _NAMES[kind]:
            if name in self._flow.outputs:
                return self._flow.outputs[name][0]
        for index, port in self._flow.outputs.values():
            source, output = index, port
            while self._flow.steps[source].op == "Identity" and self._flow.steps[source].inputs:
                source, output = self._flow.steps[source].inputs[0]
            if source >= 0 and self._flow.steps[source].op == TFLITE_OP and _TFLITE_PORTS.get(output) == kind:
                return index
        return None

    def _offset(self, start: int) -> Fact:
        """Follow the class ids back while only constants are added to them."""
        index, total, where = start, 0.0, None
        for _ in range(len(self._flow.steps)):
            step = self._flow.steps[index]
            constants = [self._folder.value(source) for source in step.inputs]
            added = [position for position, value in enumerate(constants) if value is not None and value.known]
            if step.op in ("Add", "AddV2", "Sub") and len(added) == 1 and added[0] <= 1:
                value = constants[added[0]]
                number = value.scalar() if value is not None else None
                if number is None or (step.op == "Sub" and added[0] == 0):
                    return Fact(None, step.name, "what is added is not one number")
                total += -number if step.op == "Sub" else number
                where = where or step.name
                index = step.inputs[1 - added[0]][0]
            elif step.op in _TRANSPARENT and step.inputs:
                index = step.inputs[0][0]
            else:
                break
            if index < 0:
                return Fact()
        step = self._flow.steps[index]
        if step.op in ("Const", "Placeholder"):
            return Fact(None, step.name, "the class ids do not come from the network")
        offset = int(total) if total == int(total) else total
        return Fact(offset, where or step.name, None if where else "nothing is added to the class indices")

    def _coordinates(self, start: int) -> Fact:
        """Look for the nearest clip of the boxes to a constant frame."""
        for index in self._values_behind(start):
            step = self._flow.steps[index]
            if step.op == TFLITE_OP:
                return self._frame_of_anchors(step)
            if step.op not in ("Minimum", "ClipByValue") or len(step.inputs) < 2:
                continue
            limits = [self._folder.input(step, position) for position in ((0, 1) if step.op == "Minimum" else (2,))]
            for limit in limits:
                if limit is None or not limit.known or not any(isinstance(item, float) for item in limit.items):
                    continue
                sizes = sorted({float(item) for item in limit.items if item is not None})
                if sizes == [1.0]:
                    return Fact("normalised", step.name, "clipped to 0 … 1")
                if sizes and sizes[0] >= 8:
                    frame = " x ".join(f"{item:g}" for item in limit.items[:2] if item is not None)
                    return Fact("pixels of the network's frame", step.name, f"clipped to {frame}")
        if self._flow.outputs.keys() >= _ODAPI:
            return Fact("normalised", "the names of the outputs", "the Object Detection API's exporter always does so")
        return Fact()

    def _frame_of_anchors(self, nms: Step) -> Fact:
        """Tell by the anchors that the operation is given: they are in the frame in which its boxes come out."""
        source = nms.inputs[2][0] if len(nms.inputs) > 2 else -1
        largest = self._flow.steps[source].attributes.largest_centre() if source >= 0 else None
        if largest is None:
            return Fact(None, nms.name, "decided by its anchors, which are computed")
        name, note = self._flow.steps[source].name, f"its anchors' centres reach {largest:.3g}"
        if largest <= 1.5:
            return Fact("normalised", name, note)
        return Fact("pixels of the network's frame", name, note) if largest >= 8 else Fact(None, name, note)

    def _scales(self) -> Fact:
        """Look for four constants that divide the four parts of a box encoding (Object Detection API)."""
        parts: dict[int, dict[int, tuple[float, str]]] = {}
        for step in self._flow.steps:
            if step.op != "RealDiv" or "Decode/" not in step.node:
                continue
            source, port = step.inputs[0]
            number = self._folder.number(step, 1)
            if source >= 0 and self._flow.steps[source].op == "Unpack" and number is not None:
                parts.setdefault(source, {})[port] = (float(f"{number:.6g}"), step.name)
        for found in parts.values():
            if set(found) == {0, 1, 2, 3}:
                return Fact([found[port][0] for port in range(4)], found[0][1])
        return Fact()

    def _activation(self, start: int) -> Fact:
        """Count the activations between the scores and the last layer with weights."""
        behind = sorted(self._values_behind(start))
        chain: dict[int, tuple[str, ...]] = {}
        where: str | None = None
        layers = False
        for index in behind:
            step = self._flow.steps[index]
            if step.op in _LAYERS:
                layers = True
                chain[index] = ()
                continue
            longest = max((chain.get(source, ()) for source, _ in step.inputs), key=len, default=())
            if step.op in _ACTIVATIONS:
                longest = (*longest, _ACTIVATIONS[step.op])
                where = step.name
            chain[index] = longest
        if not layers:
            return Fact()
        names = chain[start]
        if len(names) > 2:
            return Fact(None, where, f"{len(names)} in a chain")
        return Fact(" then ".join(names) or "none", where or self._flow.steps[start].name)

    def _values_behind(self, start: int) -> list[int]:
        """Return the steps whose values reach `start`, nearest first, up to the last layers with weights."""
        seen, order = {start}, [start]
        for index in order:
            step = self._flow.steps[index]
            if step.op in _LAYERS:
                continue
            sources = step.inputs[:1] if step.op in _FIRST_ONLY else step.inputs
            for source, _ in sources:
                if source >= 0 and source not in seen:
                    seen.add(source)
                    order.append(source)
        return order
