"""Tensors of a TensorFlow checkpoint, and of a SavedModel's `variables/`: where each lies, and its bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.export.cards.limits import MAX_INDEX_BYTES, plain_file, read_file
from oddemo.export.cards.sstable import read_table
from oddemo.export.cards.tensors import ITEM_BYTES, dtype_name, shape_of
from oddemo.export.cards.wire import Message, read_varint

#: Key under which TensorFlow 2 stores how the objects hang together.
OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


@dataclass(frozen=True)
class BundleEntry:
    """Where one tensor lies.

    Attributes:
        key: Its name in the checkpoint.
        dtype: NumPy's name, or `string`.
        shape: Whole dimensions.
        shard: Number of the data file.
        offset: First byte in it.
        size: Bytes.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


@dataclass(frozen=True)
class Bundle:
    """A checkpoint on disk.

    Attributes:
        prefix: Path without `.index`.
        shards: How many data files there are.
        entries: Key → entry, in order of the keys.
    """

    prefix: Path
    shards: int
    entries: dict[str, BundleEntry]

    def shard_path(self, shard: int) -> Path:
        """Return the path of a data file."""
        return self.prefix.with_name(f"{self.prefix.name}.data-{shard:05d}-of-{self.shards:05d}")

    def read(self, entry: BundleEntry) -> bytes:
        """Return the stored bytes of one tensor."""
        with self.shard_path(entry.shard).open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)


def _refused(prefix: Path, found: str) -> OddemoError:
    return OddemoError(
        f"The checkpoint {prefix} is not whole.",
        expected="an .index file and the .data files that it speaks of",
        found=found,
        do="copy the checkpoint again, with all its files",
    )


def read_bundle(prefix: Path) -> Bundle:
    """Read a checkpoint's index and check it against the data files.

    Args:
        prefix: Path without `.index`.

    Raises:
        OddemoError: If a file is missing, cut off, or speaks of bytes that are not there.
    """
    table = read_table(read_file(prefix.with_name(f"{prefix.name}.index"), limit=MAX_INDEX_BYTES))
    header = Message(table.get(b"", b""))
    shards = header.integer(1, 1)
    if header.integer(2) != 0:
        raise _refused(prefix, "big-endian data")
    if not 1 <= shards <= 10_000:
        raise _refused(prefix, f"{shards} data files")
    bundle = Bundle(prefix, shards, {})
    for key, value in table.items():
        if key:
            entry = _entry(prefix, key.decode("utf-8", "replace"), Message(value))
            bundle.entries[entry.key] = entry
    _check_sizes(bundle)
    return bundle


def _entry(prefix: Path, key: str, proto: Message) -> BundleEntry:
    shape = shape_of(proto.message(2))
    dtype = dtype_name(proto.integer(1))
    if shape is None or None in shape:
        raise _refused(prefix, f"{key!r} without a shape")
    sizes = tuple(size for size in shape if size is not None)
    entry = BundleEntry(key, dtype, sizes, proto.integer(3), proto.integer(4), proto.integer(5))
    if entry.offset < 0 or entry.size < 0:
        raise _refused(prefix, f"{key!r} at byte {entry.offset}, {entry.size} bytes")
    wanted = math.prod(sizes) * ITEM_BYTES.get(dtype, 0)
    if dtype in ITEM_BYTES and wanted != entry.size and not proto.has(7):
        raise _refused(prefix, f"{key!r} with shape {sizes} of {dtype} in {entry.size} bytes")
    return entry


def _check_sizes(bundle: Bundle) -> None:
    sizes: dict[int, int] = {}
    stored: dict[int, int] = {}
    for entry in bundle.entries.values():
        if not 0 <= entry.shard < bundle.shards:
            raise _refused(bundle.prefix, f"{entry.key!r} in data file {entry.shard} of {bundle.shards}")
        if entry.shard not in sizes:
            sizes[entry.shard] = plain_file(bundle.shard_path(entry.shard))
        if entry.offset + entry.size > sizes[entry.shard]:
            raise _refused(
                bundle.prefix, f"{entry.key!r} ends at byte {entry.offset + entry.size} of {sizes[entry.shard]}"
            )
        stored[entry.shard] = stored.get(entry.shard, 0) + entry.size
    for shard, total in stored.items():
        if total > sizes[shard]:
            raise _refused(bundle.prefix, f"tensors that lie over each other in data file {shard}")


def object_graph(bundle: Bundle) -> list[Message]:
    """Return the objects that a checkpoint was written from, in the order of their numbers; none if it notes none."""
    entry = bundle.entries.get(OBJECT_GRAPH_KEY)
    if entry is None or entry.dtype != "string":
        return []
    data = bundle.read(entry)
    length, position = read_varint(data, 0, len(data))
    start = position + 4  # a checksum of the length
    return list(Message(data, start, start + length).messages(1)) if start + length <= len(data) else []


def full_names(bundle: Bundle) -> dict[str, str]:
    """Return checkpoint key → the variable's own name, as far as the checkpoint notes it."""
    names: dict[str, str] = {}
    for node in object_graph(bundle):
        for attribute in node.messages(2):
            key, name = attribute.text(3), attribute.text(2)
            if key and name:
                names[key] = name
    return names
