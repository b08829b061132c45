"""A small reader of protobuf's wire format: bounds are checked, work is limited, nothing is executed.

Only what is asked for is decoded: a message is scanned once, flatly, when a field of it is first wanted, so that
neither deep nesting nor an absurd length can cost more than the bytes that are really there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from oddemo.errors import OddemoError

#: Fields that one artefact may make the reader decode before it is refused (about four seconds of work).
MAX_FIELDS = 4_000_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

#: A decoded field: an integer for varints, `(start, end)` in the buffer for everything else.
Field = int | tuple[int, int]


def damaged(found: str) -> OddemoError:
    """Return the error for bytes that are not a whole, plausible message."""
    return OddemoError(
        "The protobuf is damaged or was not written by TensorFlow.",
        expected="a whole protobuf message",
        found=found,
        do="export or copy the artefact again",
    )


def read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return the unsigned integer at `position` and the position after it.

    Raises:
        OddemoError: If it is cut off at `end` or longer than ten bytes.
    """
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise damaged(f"an integer longer than ten bytes at byte {position}")
    raise damaged(f"the bytes end inside an integer at byte {position}")


def encode_varint(value: int) -> bytes:
    """Return an unsigned integer as the wire format writes it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def signed(value: int) -> int:
    """Return a 64-bit varint read as int32, int64 or enum (two's complement)."""
    return value - (1 << 64) if value >= 1 << 63 else value


class Budget:
    """How many fields may still be decoded, shared by all messages of one artefact."""

    __slots__ = ("left",)

    def __init__(self, fields: int = MAX_FIELDS) -> None:
        self.left = fields


class Message:
    """A message inside a buffer.

    Args:
        data: The whole file.
        start: Where the message begins, in bytes.
        end: Where it ends.
        budget: Shared limit of work.
    """

    __slots__ = ("_budget", "_fields", "data", "end", "start")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None, *, budget: Budget | None = None) -> None:
        self.data = data
        self.start = start
        self.end = len(data) if end is None else end
        self._budget = budget if budget is not None else Budget()
        self._fields: dict[int, list[Field]] | None = None

    def fields(self) -> dict[int, list[Field]]:
        """Return field number → values in file order; nested messages are not entered.

        Raises:
            OddemoError: If the bytes are no message, or the budget is spent.
        """
        if self._fields is None:
            self._fields = self._scan()
        return self._fields

    def _scan(self) -> dict[int, list[Field]]:  # noqa: PLR0912 - one flat loop, where the time goes
        data, position, end = self.data, self.start, self.end
        found: dict[int, list[Field]] = {}
        left = self._budget.left
        while position < end:
            key = data[position]
            position += 1
            if key >= 0x80:
                key, position = read_varint(data, position - 1, end)
            wire = key & 7
            if wire == _BYTES:
                if position >= end:
                    raise damaged(f"the bytes end before a length at byte {position}")
                size = data[position]
                position += 1
                if size >= 0x80:
                    size, position = read_varint(data, position - 1, end)
                start, position = position, position + size
                if position > end:
                    raise damaged(f"a field of {size} bytes at byte {start}, where {end - start} are left")
                value: Field = (start, position)
            elif wire == _VARINT:
                value, position = read_varint(data, position, end)
            elif wire in (_FIXED64, _FIXED32):
                start, position = position, position + (8 if wire == _FIXED64 else 4)
                if position > end:
                    raise damaged(f"the bytes end inside a number at byte {start}")
                value = (start, position)
            else:
                raise damaged(f"wire type {wire} at byte {position}")
            number = key >> 3
            if number in found:
                found[number].append(value)
            else:
                found[number] = [value]
            left -= 1
            if left < 0:
                self._budget.left = 0
                raise OddemoError(
                    "The protobuf is too large to be read statically.",
                    expected=f"at most {MAX_FIELDS} fields",
                    do="check where the file comes from",
                )
        self._budget.left = left
        return found

    def messages(self, number: int) -> Iterator[Message]:
        """Yield the nested messages of a repeated field."""
        for value in self.fields().get(number, ()):
            if isinstance(value, tuple):
                yield Message(self.data, *value, budget=self._budget)

    def message(self, number: int) -> Message:
        """Return a nested message (the last, as protobuf does); an empty one if it is absent."""
        values = self.fields().get(number, ())
        if values and isinstance(values[-1], tuple):
            return Message(self.data, *values[-1], budget=self._budget)
        return Message(self.data, self.start, self.start, budget=self._budget)

    def has(self, number: int) -> bool:
        """Return whether the field is present."""
        return number in self.fields()

    def raw(self, number: int) -> bytes:
        """Return a bytes field, empty if absent."""
        values = (self._fields or self.fields()).get(number)
        if values is None:
            return b""
        value = values[-1]
        return self.data[value[0] : value[1]] if isinstance(value, tuple) else b""

    def span(self, number: int) -> tuple[int, int]:
        """Return where a bytes field lies in the buffer, `(start, end)`, without copying it."""
        values = self.fields().get(number, ())
        return values[-1] if values and isinstance(values[-1], tuple) else (self.start, self.start)

    def text(self, number: int) -> str:
        """Return a string field, empty if absent; bytes that are no UTF-8 are shown as replacement signs."""
        return self.raw(number).decode("utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        """Return a repeated string field."""
        data, values = self.data, self.fields().get(number, ())
        return [data[v[0] : v[1]].decode("utf-8", "replace") for v in values if isinstance(v, tuple)]

    def integer(self, number: int, default: int = 0) -> int:
        """Return an int32, int64, bool or enum field."""
        values = self.fields().get(number, ())
        return signed(values[-1]) if values and isinstance(values[-1], int) else default

    def integers(self, number: int, *, limit: int) -> list[int]:
        """Return at most `limit` values of a repeated integer field, packed or not."""
        values: list[int] = []
        for value in self.fields().get(number, ()):
            if isinstance(value, int):
                values.append(signed(value))
                continue
            position, end = value
            while position < end and len(values) < limit:
                item, position = read_varint(self.data, position, end)
                values.append(signed(item))
        return values[:limit]

    def floats(self, number: int, *, limit: int, double: bool = False) -> list[float]:
        """Return at most `limit` values of a float (or double) field, packed or not."""
        size, code = (8, "d") if double else (4, "f")
        values: list[float] = []
        for value in self.fields().get(number, ()):
            if isinstance(value, int):
                continue
            start, end = value
            count = min((end - start) // size, limit - len(values))
            values.extend(struct.unpack_from(f"<{count}{code}", self.data, start))
        return values


def map_entries(message: Message, number: int) -> dict[str, Message]:
    """Return a `map<string, message>` field as key → value message."""
    return {entry.text(1): entry.message(2) for entry in message.messages(number)}
