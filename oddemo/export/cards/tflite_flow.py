"""A TFLite model as a flow, with TensorFlow's names of operations, followed back from its outputs."""

from __future__ import annotations

from dataclasses import dataclass, field

from oddemo.export.cards.flow import MAX_CALLS, Flow, Source, Step, nested_too_deep
from oddemo.export.cards.tensors import Number
from oddemo.export.cards.tflite_model import Operation, Subgraph, TfliteModel
from oddemo.export.cards.tflite_ops import FIELDS, TfliteAttributes, operation_name


@dataclass(frozen=True, eq=False)
class _Frame:
    """A subgraph at one place where it is called."""

    graph: Subgraph
    caller: tuple[_Frame, Operation] | None = None
    depth: int = 0
    skipped: int = 0
    children: dict[tuple[int, int], _Frame] = field(default_factory=dict)


#: Where a tensor comes from: the frame, the operation (None for a constant or an input), the tensor, which output.
Place = tuple[_Frame, Operation | None, int, int]


class TfliteFlow(Flow[Place]):
    """What one signature of a TFLite model computes.

    Args:
        model: The model.
        subgraph: Which of its graphs.
        outputs: Output name → tensor index.
    """

    def __init__(self, model: TfliteModel, subgraph: int, outputs: dict[str, int]) -> None:
        super().__init__()
        self._model = model
        root = _Frame(model.subgraphs[subgraph])
        for name, tensor in outputs.items():
            self.outputs[name] = self._expand(self._resolve(root, tensor))

    def _key(self, place: Place) -> tuple[int, int, int]:
        frame, operation, tensor, output = place
        if operation is None:
            return id(frame), -1, tensor
        return id(frame), id(operation), output if operation.op in ("WHILE", "IF") else 0

    def _resolve(self, frame: _Frame, tensor: int) -> Place:
        """Return where a tensor comes from, looking through the arguments of bodies."""
        while True:
            if tensor in frame.graph.producers:
                operation, output = frame.graph.producers[tensor]
                return frame, operation, tensor, output
            if frame.caller is None or tensor not in frame.graph.places:
                return frame, None, tensor, 0
            position = frame.graph.places[tensor] + frame.skipped
            outer, operation = frame.caller
            if position >= len(operation.inputs) or operation.inputs[position] < 0:
                return frame, None, tensor, 0
            frame, tensor = outer, operation.inputs[position]

    def _enter(self, frame: _Frame, operation: Operation, name: str, *, skipped: int = 0) -> _Frame | None:
        fields = FIELDS[operation.op]
        number = operation.options.integer(*fields[name]) if operation.options is not None else -1
        if not 0 <= number < len(self._model.subgraphs):
            return None
        key = (id(operation), number)
        if key not in frame.children:
            graph = self._model.subgraphs[number]
            if frame.depth >= MAX_CALLS:
                raise nested_too_deep(graph.name)
            frame.children[key] = _Frame(graph, (frame, operation), frame.depth + 1, skipped)
        return frame.children[key]

    def _sources(self, place: Place) -> list[Place | None]:
        frame, operation, _, output = place
        if operation is None:
            return []
        found: list[Place | None] = []
        if operation.op == "WHILE":
            inside = self._enter(frame, operation, "body")
            if inside is not None and output < len(inside.graph.outputs):
                found.append(self._resolve(inside, inside.graph.outputs[output]))
            start = operation.inputs[output] if output < len(operation.inputs) else -1
            return [*found, self._resolve(frame, start) if start >= 0 else None]
        if operation.op == "IF":
            for name in ("then_branch", "else_branch"):
                inside = self._enter(frame, operation, name, skipped=1)
                if inside is not None and output < len(inside.graph.outputs):
                    found.append(self._resolve(inside, inside.graph.outputs[output]))
            return found
        return [self._resolve(frame, tensor) if tensor >= 0 else None for tensor in operation.inputs]

    def _port(self, place: Place) -> int:
        return place[3]

    def _step(self, place: Place, inputs: tuple[Source, ...]) -> Step:
        frame, operation, tensor, output = place
        tensors = frame.graph.tensors
        if operation is None:
            op, name = "Const" if tensors[tensor].constant else "Placeholder", tensors[tensor].name
            attributes = TfliteAttributes(self._model, None, (), (tensors[tensor],))
        else:
            op, name = operation_name(operation), tensors[operation.outputs[0]].name
            given = tuple(tensors[index] if index >= 0 else None for index in operation.inputs)
            results = tuple(tensors[index] for index in operation.outputs if index >= 0)
            attributes = TfliteAttributes(self._model, operation, given, results)
        output = output if operation is not None and operation.op in ("WHILE", "IF") else 0
        return Step(op, f"{op} {name[:80]!r}", name, frame.graph, output, inputs, attributes)

    def inner_loops(self, step: Step) -> int:
        """Return how many loops stand in a loop's body."""
        frame, operation, _, _ = self._place(step)
        inside = self._enter(frame, operation, "body") if operation is not None else None
        return sum(op.op == "WHILE" for op in inside.graph.operations) if inside is not None else 0

    def loop_limit(self, step: Step) -> int | None:
        """Return the constant that a loop's condition compares a minimum with, None if there is not exactly one."""
        limit = self._compared(step, "cond", "LESS", "REDUCE_MIN")
        return limit if isinstance(limit, int) else None

    def loop_threshold(self, step: Step) -> float | None:
        """Return the constant that a loop's body compares by "at least", None if there is not exactly one."""
        return self._compared(step, "body", "GREATER_EQUAL", None)

    def _compared(self, step: Step, part: str, comparison: str, with_op: str | None) -> Number | None:
        """Return the one constant at the right of a comparison in a loop, whose left side is `with_op` (None: any)."""
        frame, operation, _, _ = self._place(step)
        inside = self._enter(frame, operation, part) if operation is not None else None
        found = []
        for op in inside.graph.operations if inside is not None else ():
            if inside is None or op.op != comparison or len(op.inputs) != 2 or min(op.inputs) < 0:
                continue
            first, second = (self._resolve(inside, tensor) for tensor in op.inputs)
            if second[1] is None and (with_op is None or (first[1] is not None and first[1].op == with_op)):
                value = self._model.value(second[0].graph.tensors[second[2]])
                found.append(value.scalar() if value is not None else None)
        return found[0] if len(found) == 1 else None
