"""A SavedModel's graph as a flow, followed back from the outputs of a signature.

Function calls are looked through, loop bodies are entered once, the branches of a condition are both kept.
Nothing is executed; recursion and expansion without end are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from oddemo.errors import OddemoError
from oddemo.export.cards.flow import LOOPS, MAX_CALLS, Attributes, Flow, Source, Step, nested_too_deep
from oddemo.export.cards.graph import Body, Library, Node, NodeAttributes, implemented_name, node_attributes
from oddemo.export.cards.tensors import Number
from oddemo.export.cards.wire import map_entries

#: Calls that may lie between two operations.
_MAX_HOPS = 4096

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
_MANY = (*LOOPS, *_BRANCHES)

#: Ports of operations with several outputs, as function bodies name them, in order.
_PORTS = {
    "TopKV2": ("values", "indices"),
    "CombinedNonMaxSuppression": ("nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"),
    "NonMaxSuppressionV4": ("selected_indices", "valid_outputs"),
    "NonMaxSuppressionV5": ("selected_indices", "selected_scores", "valid_outputs"),
}


@dataclass(frozen=True, eq=False)
class Frame:
    """A body at one place where it is called.

    Attributes:
        body: What is called.
        caller: The frame and the node that call it; None for the main graph.
        depth: How many calls lie above.
        skipped: Inputs of the calling node that come before the arguments (1 for a condition's predicate).
        children: Frames that were entered from here, by node and body.
    """

    body: Body
    caller: tuple[Frame, Node] | None = None
    depth: int = 0
    skipped: int = 0
    children: dict[tuple[str, str], Frame] = field(default_factory=dict)

    def enter(self, node: Node, body: Body, *, skipped: int = 0) -> Frame:
        """Return the frame of `body` called by `node`, the same one each time."""
        key = (node.name, body.name)
        if key not in self.children:
            if self.depth >= MAX_CALLS:
                raise nested_too_deep(body.name)
            self.children[key] = Frame(body, (self, node), self.depth + 1, skipped)
        return self.children[key]


#: A place where a tensor comes from: frame, node, output index.
Place = tuple[Frame, Node, int]


class GraphFlow(Flow[Place]):
    """What a signature of a graph computes.

    Args:
        library: The graph.
        outputs: Output name → tensor name in the main graph.
    """

    def __init__(self, library: Library, outputs: dict[str, str]) -> None:
        super().__init__()
        self._library = library
        root = Frame(library.main)
        for name, tensor in outputs.items():
            place = self._resolve(root, tensor)
            if place is not None:
                self.outputs[name] = self._expand(place)

    def _key(self, place: Place) -> tuple[int, str, int]:
        frame, node, output = place
        return id(frame), node.name, output if node.op in _MANY else 0

    def _resolve(self, frame: Frame, tensor: str) -> Place | None:
        """Return where a tensor of a frame comes from, looking through arguments and calls."""
        for _ in range(_MAX_HOPS):
            name, _, rest = tensor.partition(":")
            node = frame.body.nodes.get(name)
            if node is None:
                index = frame.body.arguments.get(name)
                if index is None or frame.caller is None:
                    return None
                index += frame.skipped
                frame, node = frame.caller
                if index >= len(node.inputs):
                    return None
                tensor = node.inputs[index]
                continue
            output = _output_index(rest)
            if node.op in _CALLS:
                body = self._library.body(node.function("f"))
                if body is not None and body.implements is None and output < len(body.returns):
                    frame, tensor = frame.enter(node, body), body.returns[output]
                    continue
            return frame, node, output + _port_offset(node.op, rest.partition(":")[0])
        raise OddemoError(
            "The graph's functions pass a value on without end.",
            expected=f"at most {_MAX_HOPS} calls between two operations",
            found=f"tensor {tensor!r}",
            do="check where the file comes from",
        )

    def _sources(self, place: Place) -> list[Place | None]:
        """Return where an operation's inputs come from; a loop's: what its body returns, and what it starts from."""
        frame, node, output = place
        if node.op in LOOPS:
            body = self._library.body(node.function("body"))
            start = self._resolve(frame, node.inputs[output]) if output < len(node.inputs) else None
            if body is None or output >= len(body.returns):
                return [start]
            return [self._resolve(frame.enter(node, body), body.returns[output]), start]
        if node.op not in _BRANCHES:
            return [self._resolve(frame, tensor) for tensor in node.inputs]
        names = [node.function("then_branch"), node.function("else_branch")]
        if node.op.endswith("Case"):
            names = [function.text(1) for function in node.attribute("branches").message(1).messages(9)]
        bodies = [body for name in names if (body := self._library.body(name)) and output < len(body.returns)]
        return [self._resolve(frame.enter(node, body, skipped=1), body.returns[output]) for body in bodies]

    def _port(self, place: Place) -> int:
        return place[2]

    def _step(self, place: Place, inputs: tuple[Source, ...]) -> Step:
        frame, node, output = place
        body = self._library.body(node.function("f")) if node.op in _CALLS else None
        op = node.op if body is None or body.implements is None else implemented_name(body.implements)
        name = f"{node.name} in {frame.body.name}" if frame.body.name else node.name
        output = output if node.op in _MANY else 0
        return Step(op, name, node.name, frame.body, output, inputs, node_attributes(node))

    def implementation(self, step: Step) -> Attributes:
        """Return the attributes of the operation that a call stands for; its own if it is no such call."""
        node = self._place(step)[1]
        body = self._library.body(node.function("f")) if node.op in _CALLS else None
        if body is None or body.implements is None:
            return step.attributes
        return NodeAttributes(map_entries(body.implements.message(10), 2))

    def inner_loops(self, step: Step) -> int:
        """Return how many loops stand in a loop's body."""
        body = self._library.body(self._place(step)[1].function("body"))
        return sum(node.op in LOOPS for node in body.nodes.values()) if body is not None else 0

    def loop_limit(self, step: Step) -> int | None:
        """Return the constant that a loop's condition compares a minimum with, None if there is not exactly one."""
        limit = self._compared(step, "cond", "Less", "Min")
        return limit if isinstance(limit, int) else None

    def loop_threshold(self, step: Step) -> float | None:
        """Return the constant that a loop's body compares by "at least", None if there is not exactly one."""
        return self._compared(step, "body", "GreaterEqual", None)

    def _compared(self, step: Step, part: str, comparison: str, with_op: str | None) -> Number | None:
        """Return the one constant at the right of a comparison in a loop, whose left side is `with_op` (None: any)."""
        frame, loop, _ = self._place(step)
        body = self._library.body(loop.function(part))
        found = []
        for node in body.nodes.values() if body is not None else ():
            if body is None or node.op != comparison or len(node.inputs) != 2:
                continue
            inside = frame.enter(loop, body)
            first, second = (self._resolve(inside, tensor) for tensor in node.inputs)
            if second is None or second[1].op != "Const":
                continue
            if with_op is None or (first is not None and first[1].op == with_op):
                value = node_attributes(second[1]).constant()
                found.append(value.scalar() if value is not None else None)
        return found[0] if len(found) == 1 else None


def _output_index(rest: str) -> int:
    """Return the number at the end of `node:3` or `node:port:3`; 0 if there is none."""
    last = rest.rpartition(":")[2]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 7 else 0


def _port_offset(op: str, port: str) -> int:
    ports = _PORTS.get(op, ())
    return ports.index(port) if port in ports else 0
