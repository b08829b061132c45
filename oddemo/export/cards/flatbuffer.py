"""A small reader of FlatBuffers and FlexBuffers in which every offset is checked before it is followed."""

from __future__ import annotations

import struct

from oddemo.errors import OddemoError

#: Tables that one file may make the reader visit, and items of vectors beyond its own size (about two seconds of work).
MAX_TABLES, MAX_ITEMS = 500_000, 10_000_000


def damaged(found: str) -> OddemoError:
    """Return the error for offsets that lead nowhere."""
    return OddemoError(
        "The FlatBuffer is damaged or is no TFLite model.",
        expected="a whole .tflite file",
        found=found,
        do="convert or copy the model again",
    )


class Buffer:
    """The bytes of a file, read with checks.

    Args:
        data: The whole file.
    """

    __slots__ = ("_items", "_left", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = MAX_TABLES
        self._items = MAX_ITEMS + len(data)

    def charge(self, items: int) -> None:
        """Count items that are read: offsets may lead to the same ones again and again.

        Raises:
            OddemoError: If there were too many.
        """
        self._items -= items
        if self._items < 0:
            raise damaged("vectors that lie over each other")

    def unpack(self, code: str, position: int) -> int | float:
        """Return one number.

        Raises:
            OddemoError: If it lies outside of the file.
        """
        if position < 0 or position + struct.calcsize(code) > len(self.data):
            raise damaged(f"a number at byte {position} of {len(self.data)}")
        value: int | float = struct.unpack_from(f"<{code}", self.data, position)[0]
        return value

    def whole(self, code: str, position: int) -> int:
        """Return one whole number."""
        return int(self.unpack(code, position))

    def table(self, position: int) -> Table:
        """Return the table at a position.

        Raises:
            OddemoError: If its list of fields lies outside of the file, or too many tables were visited.
        """
        self._left -= 1
        if self._left < 0:
            raise damaged(f"more than {MAX_TABLES} tables")
        vtable = position - self.whole("i", position)
        size = self.whole("H", vtable)
        if size < 4 or vtable + size > len(self.data):
            raise damaged(f"a list of fields of {size} bytes at byte {vtable}")
        return Table(self, position, vtable, size)

    def root(self) -> Table:
        """Return the outermost table."""
        return self.table(self.whole("I", 0))


class Table:
    """One table; a field is named by its number in the schema."""

    __slots__ = ("_buffer", "_position", "_size", "_vtable")

    def __init__(self, buffer: Buffer, position: int, vtable: int, size: int) -> None:
        self._buffer, self._position, self._vtable, self._size = buffer, position, vtable, size

    def _place(self, number: int) -> int:
        """Return where a field lies, 0 if it is absent."""
        entry = 4 + 2 * number
        if entry + 2 > self._size:
            return 0
        offset = self._buffer.whole("H", self._vtable + entry)
        return self._position + offset if offset else 0

    def _target(self, number: int) -> int:
        """Return where a field's offset leads, 0 if it is absent."""
        place = self._place(number)
        return place + self._buffer.whole("I", place) if place else 0

    def _vector(self, number: int, size: int) -> tuple[int, int]:
        """Return the first byte and the length of a vector of items of `size` bytes."""
        target = self._target(number)
        if not target:
            return 0, 0
        length = self._buffer.whole("I", target)
        if target + 4 + length * size > len(self._buffer.data):
            raise damaged(f"a vector of {length} items at byte {target}")
        return target + 4, length

    def integer(self, number: int, code: str = "i", default: int = 0) -> int:
        """Return a whole number of a struct code."""
        place = self._place(number)
        return self._buffer.whole(code, place) if place else default

    def table(self, number: int) -> Table | None:
        """Return a nested table, None if it is absent."""
        target = self._target(number)
        return self._buffer.table(target) if target else None

    def tables(self, number: int) -> list[Table]:
        """Return a vector of tables."""
        start, length = self._vector(number, 4)
        places = range(start, start + 4 * length, 4)
        return [self._buffer.table(place + self._buffer.whole("I", place)) for place in places]

    def numbers(self, number: int, code: str = "i") -> tuple[int | float, ...]:
        """Return a vector of numbers of a struct code."""
        start, length = self._vector(number, struct.calcsize(code))
        self._buffer.charge(length)
        return struct.unpack_from(f"<{length}{code}", self._buffer.data, start) if length else ()

    def integers(self, number: int, code: str = "i") -> tuple[int, ...]:
        """Return a vector of whole numbers."""
        return tuple(int(value) for value in self.numbers(number, code))

    def has(self, number: int) -> bool:
        """Return whether a field is present."""
        return self._place(number) != 0

    def span(self, number: int) -> tuple[int, int]:
        """Return the first byte and the byte after the last of a vector of bytes."""
        start, length = self._vector(number, 1)
        return start, start + length

    def raw(self, number: int) -> bytes:
        """Return a vector of bytes."""
        start, end = self.span(number)
        self._buffer.charge(end - start)
        return self._buffer.data[start:end]

    def text(self, number: int) -> str:
        """Return a string, empty if it is absent."""
        return self.raw(number).decode("utf-8", "replace")


_FLEX_INT, _FLEX_UINT, _FLEX_FLOAT, _FLEX_MAP, _FLEX_BOOL = 1, 2, 3, 9, 26
_WIDTHS = {1: "b", 2: "h", 4: "i", 8: "q"}
_FLOATS = {2: "e", 4: "f", 8: "d"}


def flex_numbers(data: bytes) -> dict[str, int | float | bool]:
    """Return the numbers in a FlexBuffer whose root is a map; other values are left out, other roots give nothing.

    Raises:
        OddemoError: If an offset leads out of the data.
    """
    if len(data) < 3:
        return {}
    buffer = Buffer(data)
    width, kind = data[-1], data[-2]
    if width not in _WIDTHS or kind >> 2 != _FLEX_MAP:
        return {}
    place = len(data) - 2 - width
    values = place - buffer.whole(_WIDTHS[width].upper(), place)
    step = 1 << (kind & 3)
    size = buffer.whole(_WIDTHS[step].upper(), values - step)
    keys = values - 3 * step - buffer.whole(_WIDTHS[step].upper(), values - 3 * step)
    key_step = buffer.whole(_WIDTHS[step].upper(), values - 2 * step)
    if size > len(data) or key_step not in _WIDTHS:
        raise damaged(f"a map of {size} entries in {len(data)} bytes")
    found: dict[str, int | float | bool] = {}
    for index in range(size):
        spot = keys + index * key_step
        start = spot - buffer.whole(_WIDTHS[key_step].upper(), spot)
        end = data.find(b"\x00", max(start, 0))
        if start < 0 or end < 0:
            raise damaged("a key without an end")
        value = _flex_number(buffer, values + index * step, step, buffer.whole("B", values + size * step + index))
        if value is not None:
            found[data[start:end].decode("utf-8", "replace")] = value
    return found


def _flex_number(buffer: Buffer, place: int, width: int, kind: int) -> int | float | bool | None:
    kind >>= 2
    if kind == _FLEX_FLOAT and width in _FLOATS:
        return buffer.unpack(_FLOATS[width], place)
    if kind == _FLEX_UINT:
        return buffer.whole(_WIDTHS[width].upper(), place)
    if kind in (_FLEX_INT, _FLEX_BOOL):
        value = buffer.whole(_WIDTHS[width], place)
        return bool(value) if kind == _FLEX_BOOL else value
    return None
