"""Finding the stages inside a foreign graph, without its author's help.

The input of the first convolution is `pixels`. Convolutions that no other convolution follows are the heads; the one
whose way on leads through a sigmoid or softmax carries the class logits. Tensors that join all anchors after them are
`decoded`. The graph is described neutrally, so the same search serves TensorFlow graphs and TFLite files.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2dNative", "_FusedConv2D", "CONV_2D", "DEPTHWISE_CONV_2D"})
#: Operations between preprocessing and the first convolution that change layout or border, not content.
_PASSED_BACK = frozenset(
    {"Pad", "PadV2", "MirrorPad", "Identity", "Transpose", "SpaceToBatchND", "Cast", "PAD", "PADV2", "TRANSPOSE"}
    | {"QUANTIZE", "DEQUANTIZE"}
)
_BIAS = frozenset({"BiasAdd", "Add", "AddV2", "ADD"})
_SCORE = frozenset({"Sigmoid", "Softmax", "LOGISTIC", "SOFTMAX"})
_BOX = frozenset({"Split", "SplitV", "Exp", "SPLIT", "SPLIT_V", "EXP"})
_EXPONENTIAL = frozenset({"Exp", "EXP"})
_JOIN = frozenset({"ConcatV2", "CONCATENATION"})
#: They decode boxes themselves: what is joined before them is still encoded.
_WITH_DECODER = frozenset({"TFLite_Detection_PostProcess"})
#: They pass on how large a tensor is, not what is in it.
_SIZE_ONLY = frozenset({"Shape", "ShapeN", "Size", "Rank", "SHAPE", "RANK"})
#: How far the way from a head to its sigmoid may be.
_NEAR = 8

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Node:
    """One operation: its type, and the keys of the tensors it takes and gives."""

    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Operations in an order in which they can run, and the static shape of each tensor (None: rank not known)."""

    nodes: tuple[Node, ...]
    shapes: Mapping[str, Shape | None]

    @cached_property
    def users(self) -> Mapping[str, tuple[int, ...]]:
        """Tensor → numbers of the operations that take its values (not only its shape)."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            for key in node.inputs if node.type not in _SIZE_ONLY else ():
                found[key].append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Tensor → number of the operation that gives it."""
        return {key: number for number, node in enumerate(self.nodes) for key in node.outputs}

    @cached_property
    def makers(self) -> Mapping[str, Node]:
        """Tensor → the operation that gives it."""
        return {key: self.nodes[number] for key, number in self.numbers.items()}

    def before(self, key: str) -> frozenset[int]:
        """Return the numbers of all operations that a tensor is computed by, directly or not."""
        seen: set[int] = set()
        queue = deque([key])
        while queue:
            number = self.numbers.get(queue.popleft())
            if number is not None and number not in seen:
                seen.add(number)
                queue.extend(self.nodes[number].inputs)
        return frozenset(seen)

    def after(self, keys: Sequence[str]) -> frozenset[int]:
        """Return the numbers of all operations that use one of the tensors, directly or not."""
        seen: set[int] = set()
        queue = deque(keys)
        while queue:
            for number in self.users.get(queue.popleft(), ()):
                if number not in seen:
                    seen.add(number)
                    queue.extend(self.nodes[number].outputs)
        return frozenset(seen)


@dataclass(frozen=True)
class Taps:
    """Keys of the tensors that show a stage; empty where it was not found.

    Attributes:
        pixels: Input of the first convolution.
        features: What both heads of a level are computed from, one tensor a level, finest first.
        class_logits: One tensor a level, finest first.
        box_encodings: One tensor a level, finest first.
        decoded_boxes: (pictures, anchors, 4), if there is such a tensor.
        decoded_scores: (pictures, anchors, classes), if there is such a tensor.
        notes: What was not found, in words.
    """

    pixels: str | None = None
    features: tuple[str, ...] = ()
    class_logits: tuple[str, ...] = ()
    box_encodings: tuple[str, ...] = ()
    decoded_boxes: str | None = None
    decoded_scores: str | None = None
    notes: tuple[str, ...] = field(default=())

    def named(self) -> dict[str, str]:
        """Return a name for each tapped tensor → its key."""
        found = {f"class_logits/{level}": key for level, key in enumerate(self.class_logits)}
        found |= {f"box_encodings/{level}": key for level, key in enumerate(self.box_encodings)}
        found |= {f"features/{level}": key for level, key in enumerate(self.features)}
        single = {"pixels": self.pixels, "boxes_yxyx": self.decoded_boxes, "scores": self.decoded_scores}
        return found | {name: key for name, key in single.items() if key is not None}


def find_taps(graph: Graph) -> Taps:
    """Look for the stages in a graph whose functions are inlined."""
    convolutions = [number for number, node in enumerate(graph.nodes) if node.type in _CONVOLUTIONS]
    if not convolutions:
        return Taps(notes=("the graph has no convolution at its top level",))
    follow = {number: graph.after(graph.nodes[number].outputs).intersection(convolutions) for number in convolutions}
    first = max(convolutions, key=lambda number: len(follow[number]))
    heads = [_with_bias(graph, graph.nodes[number].outputs[0]) for number in convolutions if not follow[number]]
    classes = [key for key in heads if _leads_to_score(graph, key)]
    boxes = [key for key in heads if key not in classes]
    notes = []
    if not _same_grids(graph, classes, boxes):
        notes.append(f"heads not told apart: {len(classes)} with a score after them, {len(boxes)} without")
        classes, boxes = [], []
    decoded_boxes, decoded_scores = _joined(graph, classes, boxes)
    class_logits = tuple(sorted(classes, key=lambda key: -_cells(graph, key)))
    box_encodings = tuple(sorted(boxes, key=lambda key: -_cells(graph, key)))
    return Taps(
        pixels=_before(graph, graph.nodes[first].inputs[0]),
        features=_shared(graph, class_logits, box_encodings),
        class_logits=class_logits,
        box_encodings=box_encodings,
        decoded_boxes=decoded_boxes,
        decoded_scores=decoded_scores,
        notes=tuple(notes),
    )


def _before(graph: Graph, key: str) -> str:
    while key in graph.makers and graph.makers[key].type in _PASSED_BACK:
        key = graph.makers[key].inputs[0]
    return key


def _with_bias(graph: Graph, key: str) -> str:
    users = graph.users.get(key, ())
    if len(users) == 1 and graph.nodes[users[0]].type in _BIAS:
        return graph.nodes[users[0]].outputs[0]
    return key


def _leads_to_score(graph: Graph, key: str) -> bool:
    edge = [key]
    for _ in range(_NEAR):
        users = [graph.nodes[number] for item in edge for number in graph.users.get(item, ())]
        if any(user.type in _SCORE for user in users):
            return True
        edge = [output for user in users if user.type not in _BOX for output in user.outputs]
    return False


def _cells(graph: Graph, key: str) -> int:
    shape = graph.shapes.get(key)
    if shape is None or len(shape) != 4:
        return 0
    return (shape[1] or 0) * (shape[2] or 0)


def _shared(graph: Graph, classes: Sequence[str], boxes: Sequence[str]) -> tuple[str, ...]:
    """Find, for each level, the last feature map of its grid that both heads are computed from."""
    found = []
    for pair in zip(classes, boxes, strict=True):
        both = graph.before(pair[0]) & graph.before(pair[1])
        maps = [number for number in both if _is_map(graph, graph.nodes[number], _cells(graph, pair[0]))]
        if not maps:
            return ()
        found.append(graph.nodes[max(maps)].outputs[0])
    return tuple(found)


def _is_map(graph: Graph, node: Node, cells: int) -> bool:
    return bool(node.outputs) and _cells(graph, node.outputs[0]) == cells


def _same_grids(graph: Graph, classes: Sequence[str], boxes: Sequence[str]) -> bool:
    grids = [sorted(_cells(graph, key) for key in keys) for keys in (classes, boxes)]
    return bool(classes) and grids[0] == grids[1] and 0 not in grids[0]


def _joined(graph: Graph, classes: Sequence[str], boxes: Sequence[str]) -> tuple[str | None, str | None]:
    """Find the first tensors that hold all anchors' boxes, and all their scores."""
    if not boxes:
        return None, None
    if any(node.type in _WITH_DECODER for node in graph.nodes):
        return None, None
    anchors = sum(_cells(graph, key) * ((graph.shapes[key] or (0,))[-1] or 0) // 4 for key in boxes)
    after_boxes = frozenset.intersection(*(graph.after([key]) for key in boxes))
    after_classes = frozenset.intersection(*(graph.after([key]) for key in classes))
    # Boxes are decoded once their sizes have been through an exponential. The Object Detection API joins before that.
    exponentials = [number for number in graph.after(boxes) if graph.nodes[number].type in _EXPONENTIAL]
    decoded = graph.after([key for number in exponentials for key in graph.nodes[number].outputs])
    found_boxes = found_scores = None
    for number, node in enumerate(graph.nodes):
        shape = graph.shapes.get(node.outputs[0]) if node.outputs else None
        if node.type not in _JOIN or shape is None or len(shape) != 3 or shape[1] != anchors:
            continue
        if found_boxes is None and shape[2] == 4 and number in decoded & after_boxes - after_classes:
            found_boxes = node.outputs[0]
        elif found_scores is None and number in after_classes - after_boxes:
            found_scores = node.outputs[0]
    return (found_boxes, found_scores) if found_boxes else (None, None)
