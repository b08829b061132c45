"""The few array operations that settings in a graph go through, on small values that are known in part."""

from __future__ import annotations

import math
from collections.abc import Callable

from oddemo.export.cards.tensors import MAX_ELEMENTS, Number, Value


def broadcast(apply: Callable[[Number, Number], Number], first: Value, second: Value) -> Value | None:
    """Combine two values element by element, with NumPy's rules of broadcasting."""
    rank = max(len(first.shape), len(second.shape))
    one = (1,) * (rank - len(first.shape)) + first.shape
    two = (1,) * (rank - len(second.shape)) + second.shape
    if any(a != b and 1 not in (a, b) for a, b in zip(one, two, strict=True)):
        return None
    shape = tuple(max(a, b) for a, b in zip(one, two, strict=True))
    count = math.prod(shape)
    if count > MAX_ELEMENTS or 0 in shape:
        return None
    items: list[Number | None] = []
    for flat in range(count):
        a, b = first.items[_offset(flat, shape, one)], second.items[_offset(flat, shape, two)]
        items.append(None if a is None or b is None else apply(a, b))
    return Value(shape, tuple(items))


def _offset(flat: int, shape: tuple[int, ...], operand: tuple[int, ...]) -> int:
    """Return the flat index into an operand of (broadcast) shape for the flat index of the result."""
    offset, stride = 0, 1
    for size, own in zip(reversed(shape), reversed(operand), strict=True):
        flat, place = divmod(flat, size)
        if own != 1:
            offset += place * stride
        stride *= own
    return offset


def take(value: Value, axis: int, places: range | list[int]) -> Value:
    """Return the slices of `value` at these places along an axis.

    Raises:
        IndexError: If a place lies outside.
    """
    size = value.shape[axis]
    if any(not 0 <= place < size for place in places):
        raise IndexError("a slice outside of the constant")
    inner = math.prod(value.shape[axis + 1 :])
    outer = math.prod(value.shape[:axis])
    items: list[Number | None] = []
    for block in range(outer):
        for place in places:
            start = (block * size + place) * inner
            items.extend(value.items[start : start + inner])
    return Value((*value.shape[:axis], len(places), *value.shape[axis + 1 :]), tuple(items))


def drop(value: Value, axis: int) -> Value:
    """Return a value without an axis of size 1."""
    return Value(value.shape[:axis] + value.shape[axis + 1 :], value.items)


def concatenate(parts: list[Value], axis: int) -> Value | None:
    """Join values along an axis; None if they do not fit."""
    first = parts[0].shape
    rest = [part.shape[:axis] + part.shape[axis + 1 :] for part in parts]
    if any(shape != rest[0] for shape in rest) or not 0 <= axis < len(first):
        return None
    if sum(len(part.items) for part in parts) > MAX_ELEMENTS:
        return None
    items: list[Number | None] = []
    for block in range(math.prod(first[:axis])):
        for part in parts:
            run = math.prod(part.shape[axis:])
            items.extend(part.items[block * run : (block + 1) * run])
    return Value((*first[:axis], sum(part.shape[axis] for part in parts), *first[axis + 1 :]), tuple(items))
