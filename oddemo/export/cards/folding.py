"""Evaluates the small constant parts of a graph: settings that a few operations compute from constants.

An element that depends on the graph's input stays unknown, so that `[height, width, 128, 128]` still tells 128.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from oddemo.export.cards.arrays import broadcast, concatenate, drop, take
from oddemo.export.cards.flow import AnyFlow, Step
from oddemo.export.cards.tensors import Number, Value, unknown

_MAX_DEPTH = 80

_PASS = (
    "Identity",
    "StopGradient",
    "Snapshot",
    "PreventGradient",
    "EnsureShape",
    "While",
    "StatelessWhile",
    "Enter",
    "Exit",
    "Switch",
)
_RESHAPES = ("Reshape", "ExpandDims", "Squeeze")

_UNARY: dict[str, Callable[[Number], Number]] = {
    "Neg": lambda a: -a,
    "Sqrt": math.sqrt,
    "Rsqrt": lambda a: 1 / math.sqrt(a),
    "Reciprocal": lambda a: 1 / a,
    "Inv": lambda a: 1 / a,
    "Square": lambda a: a * a,
    "Floor": math.floor,
    "Ceil": math.ceil,
    "Round": round,
    "Abs": abs,
}

_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "Add": lambda a, b: a + b,
    "AddV2": lambda a, b: a + b,
    "BiasAdd": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "RealDiv": lambda a, b: a / b,
    "Div": lambda a, b: a / b,
    "FloorDiv": lambda a, b: a // b,
    "Maximum": max,
    "Minimum": min,
}


class Folder:
    """Evaluates steps of one flow, each once.

    Args:
        flow: The flow; its order is relied upon.
    """

    def __init__(self, flow: AnyFlow) -> None:
        self._flow = flow
        self._known: dict[tuple[int, int], Value | None] = {}

    def value(self, source: tuple[int, int], depth: int = 0) -> Value | None:
        """Return what `(step, output)` evaluates to; None if it is large or cannot be told."""
        index, output = source
        if index < 0 or depth > _MAX_DEPTH:
            return None
        if source not in self._known:
            self._known[source] = None
            try:
                found = self._evaluate(self._flow.steps[index], output, depth + 1)
            except (ArithmeticError, ValueError, IndexError):
                found = None
            if found is None:
                found = unknown(self._flow.steps[index].shape(output))
            self._known[source] = found
        return self._known[source]

    def input(self, step: Step, position: int) -> Value | None:
        """Return the value of one input of a step."""
        return self.value(step.inputs[position]) if position < len(step.inputs) else None

    def number(self, step: Step, position: int) -> Number | None:
        """Return the value of a scalar input of a step, None if it is not one known number."""
        found = self.input(step, position)
        return found.scalar() if found is not None else None

    def _evaluate(self, step: Step, output: int, depth: int) -> Value | None:  # noqa: PLR0911
        op = step.op
        if op == "Const":
            return step.attributes.constant()
        if op in ("Shape", "ShapeN"):
            return self._shape(step, output)
        if not step.inputs:
            return None
        if op in _PASS:
            return self.value(step.inputs[0], depth)
        if op in _RESHAPES:
            return self._reshape(step, depth)
        if op in _BINARY:
            return self._binary(step, depth)
        if op in _UNARY or op == "Cast":
            return self._unary(step, depth)
        rearrange = _REARRANGE.get(op)
        if rearrange is None:
            return None
        inputs = [self.value(source, depth) for source in step.inputs]
        return rearrange(step, inputs, output)

    def _shape(self, step: Step, output: int) -> Value | None:
        source, port = step.inputs[output if step.op == "ShapeN" else 0]
        sizes = self._flow.steps[source].shape(port) if source >= 0 else None
        return None if sizes is None else Value((len(sizes),), tuple(sizes))

    def _unary(self, step: Step, depth: int) -> Value | None:
        operand = self.value(step.inputs[0], depth)
        if operand is None:
            return None
        apply: Callable[[Number], Number]
        if step.op == "Cast":
            target = step.attributes.dtype("DstT")
            apply = float if target.startswith(("float", "bfloat")) else int
        else:
            apply = _UNARY[step.op]
        return Value(operand.shape, tuple(None if item is None else apply(item) for item in operand.items))

    def _binary(self, step: Step, depth: int) -> Value | None:
        first, second = (self.value(source, depth) for source in step.inputs[:2])
        if first is None or second is None:
            return None
        return broadcast(_BINARY[step.op], first, second)

    def _reshape(self, step: Step, depth: int) -> Value | None:
        operand = self.value(step.inputs[0], depth)
        if operand is None:
            return None
        noted = step.shape()
        if noted is not None and noted.count(None) <= 1:
            rest = math.prod(size for size in noted if size is not None)
            if None not in noted or (rest and len(operand.items) % rest == 0):
                sizes = tuple(len(operand.items) // rest if size is None else size for size in noted)
                if math.prod(sizes) == len(operand.items):
                    return Value(sizes, operand.items)
        return Value((len(operand.items),), operand.items) if step.op == "Reshape" else operand


def _strided_slice(step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    value, begin, end, stride = inputs[:4]
    masks = {name: step.attributes.integer(f"{name}_mask") for name in ("ellipsis", "new_axis")}
    if value is None or begin is None or end is None or stride is None or any(masks.values()):
        return None
    begins, ends, shrink = (step.attributes.integer(f"{name}_mask") for name in ("begin", "end", "shrink_axis"))
    dropped = []
    for axis, (low, high, by) in enumerate(zip(begin.items, end.items, stride.items, strict=True)):
        if not isinstance(by, int) or by == 0:
            return None
        size = value.shape[axis]
        if shrink >> axis & 1:
            if not isinstance(low, int):
                return None
            value = take(value, axis, [low + size if low < 0 else low])
            dropped.append(axis)
            continue
        first = None if begins >> axis & 1 else low
        last = None if ends >> axis & 1 else high
        if isinstance(first, float) or isinstance(last, float) or (low is None and not begins >> axis & 1):
            return None
        if high is None and not ends >> axis & 1:
            return None
        value = take(value, axis, range(*slice(first, last, by).indices(size)))
    for axis in reversed(dropped):
        value = drop(value, axis)
    return value


def _pack(step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    axis = step.attributes.integer("axis")
    parts = [Value((*v.shape[:axis], 1, *v.shape[axis:]), v.items) for v in inputs if v is not None and axis >= 0]
    if axis < 0:
        parts = [Value((*v.shape, 1), v.items) for v in inputs if v is not None and axis == -1]
        axis = len(parts[0].shape) - 1 if parts else 0
    return concatenate(parts, axis) if len(parts) == len(inputs) else None


def _concat(_step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    last = inputs[-1].scalar() if inputs[-1] is not None else None
    parts = [value for value in inputs[:-1] if value is not None]
    if not isinstance(last, int) or len(parts) != len(inputs) - 1 or not parts:
        return None
    return concatenate(parts, last + len(parts[0].shape) if last < 0 else last)


def _concatenation(step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    parts = [value for value in inputs if value is not None]
    axis = step.attributes.integer("axis")
    if len(parts) != len(inputs) or not parts:
        return None
    return concatenate(parts, axis + len(parts[0].shape) if axis < 0 else axis)


def _unpack(step: Step, inputs: list[Value | None], output: int) -> Value | None:
    value, axis = inputs[0], step.attributes.integer("axis")
    if value is None:
        return None
    axis += len(value.shape) if axis < 0 else 0
    return drop(take(value, axis, [output]), axis)


def _gather(step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    value, places = inputs[0], inputs[1]
    axis: Number | None = step.attributes.integer("axis")
    if len(inputs) > 2:
        axis = inputs[2].scalar() if inputs[2] is not None else None
    if value is None or places is None or not isinstance(axis, int) or len(places.shape) > 1:
        return None
    wanted = [place for place in places.items if isinstance(place, int)]
    if len(wanted) != len(places.items):
        return None
    axis += len(value.shape) if axis < 0 else 0
    taken = take(value, axis, wanted)
    return taken if places.shape else drop(taken, axis)


def _list_item(_step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    """What a loop writes into its list: one row of what is stacked later."""
    item = inputs[2] if len(inputs) > 2 else None
    return None if item is None else Value((1, *item.shape), item.items)


def _first(_step: Step, inputs: list[Value | None], _output: int) -> Value | None:
    return inputs[0]


_REARRANGE: dict[str, Callable[[Step, list[Value | None], int], Value | None]] = {
    "StridedSlice": _strided_slice,
    "Pack": _pack,
    "ConcatV2": _concat,
    "Concatenation": _concatenation,
    "Unpack": _unpack,
    "GatherV2": _gather,
    "TensorListSetItem": _list_item,
    "TensorListStack": _first,
}
