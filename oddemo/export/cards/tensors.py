"""Small constants as plain Python values, partly unknown where a graph computes them from its input."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from dataclasses import dataclass

from oddemo.export.cards.wire import Message, damaged

Number = int | float | bool

#: Elements of a constant that are ever decoded (larger ones are weights or tables), and of a tensor known in part.
MAX_ELEMENTS, MAX_UNKNOWN = 4096, 256

#: TensorFlow's DataType enum, as far as files on disk use it.
DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
}

#: dtype → (bytes an element, struct code); what is missing here is not decoded.
_LAYOUT = {
    "float32": (4, "f"),
    "float64": (8, "d"),
    "float16": (2, "e"),
    "int8": (1, "b"),
    "uint8": (1, "B"),
    "int16": (2, "h"),
    "uint16": (2, "H"),
    "int32": (4, "i"),
    "uint32": (4, "I"),
    "int64": (8, "q"),
    "uint64": (8, "Q"),
    "bool": (1, "?"),
}

#: dtype → bytes an element, for sizes.
ITEM_BYTES = {name: size for name, (size, _) in _LAYOUT.items()} | {
    "bfloat16": 2,
    "complex64": 8,
    "complex128": 16,
    "qint8": 1,
    "quint8": 1,
    "qint16": 2,
    "quint16": 2,
    "qint32": 4,
}


def dtype_name(code: int) -> str:
    """Return the name of a DataType value; reference types (code + 100) as their base type."""
    return DTYPES.get(code % 100, f"dtype {code}")


def shape_of(proto: Message) -> tuple[int | None, ...] | None:
    """Return the shape of a TensorShapeProto, None for an unknown dimension or an unknown rank.

    Raises:
        OddemoError: If it has more than 254 dimensions, TensorFlow's own limit.
    """
    if proto.integer(3):
        return None
    sizes = tuple(dim.integer(1) for dim in proto.messages(2))
    if len(sizes) > 254:
        raise damaged(f"a tensor of {len(sizes)} dimensions")
    return tuple(size if size >= 0 else None for size in sizes)


@dataclass(frozen=True)
class Value:
    """A small tensor; an element is None where it is not known before the graph runs.

    Attributes:
        shape: Whole dimensions.
        items: Elements in row-major order, as many as the shape says.
    """

    shape: tuple[int, ...]
    items: tuple[Number | None, ...]

    @property
    def known(self) -> bool:
        """Whether every element is known."""
        return None not in self.items

    def scalar(self) -> Number | None:
        """Return the one element, or None if there are several or it is unknown."""
        return self.items[0] if len(self.items) == 1 else None


def unknown(shape: tuple[int | None, ...] | None) -> Value | None:
    """Return a tensor of unknown elements, a free dimension taken as 1; None if it is large or of free rank."""
    if shape is None:
        return None
    sizes = tuple(1 if size is None else size for size in shape)
    count = math.prod(sizes)
    return Value(sizes, (None,) * count) if count <= MAX_UNKNOWN else None


def decode_elements(data: bytes, dtype: str) -> tuple[Number, ...] | None:
    """Return the little-endian elements in `data`, or None for a dtype that is not decoded."""
    layout = _LAYOUT.get(dtype)
    if layout is None or len(data) % layout[0]:
        return None
    return struct.unpack(f"<{len(data) // layout[0]}{layout[1]}", data)


def largest_centre(data: bytes) -> float | None:
    """Return the largest of the first two numbers in rows of four little-endian float32, None if one is not finite."""
    numbers = array("f", data[: len(data) // 16 * 16])
    if sys.byteorder == "big":
        numbers.byteswap()
    size = max((abs(number) for column in (0, 1) for number in numbers[column::4]), default=math.nan)
    return size if math.isfinite(size) else None


def constant(proto: Message) -> Value | None:
    """Return the value of a TensorProto, or None if it is large, of strings, or of a dtype that is not decoded."""
    dtype = dtype_name(proto.integer(1))
    shape = shape_of(proto.message(2))
    if shape is None or None in shape or dtype not in _LAYOUT:
        return None
    sizes = tuple(size for size in shape if size is not None)
    count = math.prod(sizes)
    if count > MAX_ELEMENTS:
        return None
    items: tuple[Number, ...]
    if proto.has(4):
        start, end = proto.span(4)
        if end - start != count * ITEM_BYTES[dtype]:
            return None
        items = decode_elements(proto.data[start:end], dtype) or ()
    else:
        items = _listed_elements(proto, dtype, count)
    if not items and count:
        items = (0,)
    return Value(sizes, items + items[-1:] * (count - len(items)))


def _listed_elements(proto: Message, dtype: str, count: int) -> tuple[Number, ...]:
    """Read the typed list of a TensorProto (float_val and its like); a short list repeats its last element."""
    if dtype == "float32":
        return tuple(proto.floats(5, limit=count))
    if dtype == "float64":
        return tuple(proto.floats(6, limit=count, double=True))
    if dtype == "float16":
        halves = proto.integers(13, limit=count)
        return struct.unpack(f"<{len(halves)}e", struct.pack(f"<{len(halves)}H", *(h & 0xFFFF for h in halves)))
    number = {"int64": 10, "bool": 11, "uint32": 16, "uint64": 17}.get(dtype, 7)
    return tuple(proto.integers(number, limit=count))
