"""Reads the sorted tables that TensorFlow writes a checkpoint's index as (the table format of LevelDB)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from oddemo.errors import OddemoError
from oddemo.export.cards.wire import read_varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER, _TRAILER = 48, 5

#: Entries that one table may hold.
MAX_ENTRIES = 1_000_000


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes."""
    value, table = 0xFFFFFFFF, _CRC
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C as TensorFlow stores it."""
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _damaged(found: str) -> OddemoError:
    return OddemoError(
        "The checkpoint index is damaged.",
        expected="a whole table as TensorFlow writes it",
        found=found,
        do="copy the checkpoint again, with its .index and .data files",
    )


def _block(data: bytes, offset: int, size: int) -> bytes:
    """Return a block's contents after its checksum was checked."""
    end = offset + size
    if end + _TRAILER > len(data):
        raise _damaged(f"a block that ends at byte {end} in {len(data)} bytes")
    kind = data[end]
    if kind != 0:
        raise _damaged(f"a block with compression {kind}, which TensorFlow does not write")
    (stored,) = struct.unpack_from("<I", data, end + 1)
    if masked_crc32c(data[offset : end + 1]) != stored:
        raise _damaged(f"a block at byte {offset} whose checksum is wrong")
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; keys share prefixes with the one before."""
    if len(block) < 4:
        raise _damaged("a block without its list of restarts")
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise _damaged(f"a block with {restarts} restarts in {len(block)} bytes")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position, end)
        fresh, position = read_varint(block, position, end)
        length, position = read_varint(block, position, end)
        if shared > len(key) or position + fresh + length > end:
            raise _damaged(f"an entry of {fresh} + {length} bytes at byte {position}")
        key = key[:shared] + block[position : position + fresh]
        position += fresh
        yield key, block[position : position + length]
        position += length


def _handle(value: bytes, position: int = 0) -> tuple[int, int, int]:
    offset, position = read_varint(value, position, len(value))
    size, position = read_varint(value, position, len(value))
    return offset, size, position


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return every key and value of a table.

    Raises:
        OddemoError: If the table is cut off, its checksums are wrong, or it is absurdly large.
    """
    if len(data) < _FOOTER or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise _damaged("no footer with the table's magic number at the end")
    footer = data[len(data) - _FOOTER : -8]
    _, _, position = _handle(footer)
    offset, size, _ = _handle(footer, position)
    found: dict[bytes, bytes] = {}
    read = 0
    for _, handle in _entries(_block(data, offset, size)):
        start, length, _ = _handle(handle)
        read += length
        if read > len(data):
            raise _damaged("blocks that lie over each other")
        for key, value in _entries(_block(data, start, length)):
            found[key] = value
            if len(found) > MAX_ENTRIES:
                raise _damaged(f"more than {MAX_ENTRIES} entries")
    return found
