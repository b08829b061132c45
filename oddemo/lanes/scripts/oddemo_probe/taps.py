"""The stages inside a foreign graph; the same search as `oddemo.audit.sources.taps`, on TensorFlow graphs alone."""

from __future__ import annotations

from typing import Any, Sequence

CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative", "_FusedConv2D"}
PASSED_BACK = {"Pad", "PadV2", "MirrorPad", "Identity", "Transpose", "SpaceToBatchND", "Cast"}
SIZE_ONLY = {"Shape", "ShapeN", "Size", "Rank"}
#: How far the way from a head to its sigmoid may be.
NEAR = 8


class Taps:
    """The tensors of a flat graph that show a stage: input of the first convolution, features, heads, anchors' boxes.

    Args:
        graph: A `tf.Graph` with constants in place of variables.
    """

    def __init__(self, graph: Any) -> None:
        self.operations = graph.get_operations()
        self.notes: list[str] = []
        self.tensors: dict[str, Any] = {}
        self._find()

    def _users(self, tensor: Any) -> list[Any]:
        return [operation for operation in tensor.consumers() if operation.type not in SIZE_ONLY]

    def _after(self, tensor: Any) -> set[str]:
        seen: set[str] = set()
        queue = [tensor]
        while queue:
            for operation in self._users(queue.pop()):
                if operation.name not in seen:
                    seen.add(operation.name)
                    queue.extend(operation.outputs)
        return seen

    def _find(self) -> None:
        convolutions = [operation for operation in self.operations if operation.type in CONVOLUTIONS]
        if not convolutions:
            self.notes.append("the graph has no convolution at its top level")
            return
        names = {operation.name for operation in convolutions}
        follow = {operation.name: self._after(operation.outputs[0]) & names for operation in convolutions}
        tensor = max(convolutions, key=lambda operation: len(follow[operation.name])).inputs[0]
        while tensor.op.type in PASSED_BACK:
            tensor = tensor.op.inputs[0]
        self.tensors["pixels"] = tensor
        heads = [self._with_bias(operation.outputs[0]) for operation in convolutions if not follow[operation.name]]
        classes = [head for head in heads if self._leads_to_score(head)]
        boxes = [head for head in heads if all(head is not other for other in classes)]
        classes.sort(key=lambda head: -cells(head))
        boxes.sort(key=lambda head: -cells(head))
        grids = [[cells(head) for head in part] for part in (classes, boxes)]
        if not classes or grids[0] != grids[1] or 0 in grids[0]:
            self.notes.append(f"heads not told apart: {len(classes)} with a score after them, {len(boxes)} without")
            return
        for kind, part in (("class_logits", classes), ("box_encodings", boxes)):
            self.tensors.update({f"{kind}/{level}": head for level, head in enumerate(part)})
        maps = [self._shared(*pair) for pair in zip(classes, boxes)]
        if None not in maps:
            self.tensors.update({f"features/{level}": one for level, one in enumerate(maps)})
        self._join(classes, boxes)

    def _before(self, tensor: Any) -> set[str]:
        seen: set[str] = set()
        queue = [tensor.op]
        while queue:
            operation = queue.pop()
            if operation.name not in seen:
                seen.add(operation.name)
                queue.extend(one.op for one in operation.inputs)
        return seen

    def _shared(self, head: Any, other: Any) -> Any:
        """Return the last feature map of their grid that both heads of a level are computed from, if there is one."""
        both = self._before(head) & self._before(other)
        maps = [
            one for one in self.operations if one.name in both and one.outputs and cells(one.outputs[0]) == cells(head)
        ]
        return maps[-1].outputs[0] if maps else None

    def _with_bias(self, tensor: Any) -> Any:
        users = self._users(tensor)
        return users[0].outputs[0] if len(users) == 1 and users[0].type in {"BiasAdd", "Add", "AddV2"} else tensor

    def _leads_to_score(self, tensor: Any) -> bool:
        edge = [tensor]
        for _ in range(NEAR):
            users = [operation for item in edge for operation in self._users(item)]
            if any(operation.type in {"Sigmoid", "Softmax"} for operation in users):
                return True
            edge = [
                t for operation in users if operation.type not in {"Split", "SplitV", "Exp"} for t in operation.outputs
            ]
        return False

    def _join(self, classes: Sequence[Any], boxes: Sequence[Any]) -> None:
        """Find the first tensors that hold all anchors' boxes, and all their scores."""
        anchors = sum(cells(head) * head.shape[-1] // 4 for head in boxes)
        after_boxes = set.intersection(*(self._after(head) for head in boxes))
        after_classes = set.intersection(*(self._after(head) for head in classes))
        # Boxes are decoded once their sizes have been through an exponential.
        after_any = set.union(*(self._after(head) for head in boxes))
        exponentials = [one for one in self.operations if one.type == "Exp" and one.name in after_any]
        decoded = set().union(*(self._after(one.outputs[0]) for one in exponentials))
        found = {}
        for operation in self.operations:
            if operation.type != "ConcatV2" or operation.outputs[0].shape.rank != 3:
                continue
            _, rows, columns = operation.outputs[0].shape.as_list()
            if rows != anchors:
                continue
            if "boxes_yxyx" not in found and columns == 4 and operation.name in decoded & after_boxes - after_classes:
                found["boxes_yxyx"] = operation.outputs[0]
            elif operation.name in after_classes - after_boxes:
                found.setdefault("scores", operation.outputs[0])
        if len(found) == 2:
            self.tensors.update(found)


def cells(tensor: Any) -> int:
    """Return height times width of a (batch, height, width, channels) tensor; 0 if they are not known."""
    if tensor.shape.rank != 4:
        return 0
    return (tensor.shape[1] or 0) * (tensor.shape[2] or 0)
