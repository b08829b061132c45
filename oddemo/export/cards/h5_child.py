"""Reads an HDF5 file in a process of its own, for `h5_file`: damaged bytes can make the HDF5 library hang or crash.

Stand-alone on purpose: it imports nothing of this package, and nothing from the current folder.
Usage: python h5_child.py LIMITS PATH, where PATH `-` stands for standard input. Writes one line of JSON, then the bytes
of all tensors one after the other.
"""

import json
import math
import sys

sys.path.pop(0)

import io
from collections.abc import Iterator
from typing import Any


class RefusedError(Exception):
    """What is refused, and what was found."""


def limit_process(*, seconds: int, memory: int) -> None:
    """Let the system end this process when it uses more processor time or memory than this."""
    try:
        import resource
    except ImportError:  # not on Windows; there the parent's own timeout remains
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def texts_of(file: Any, limit: int) -> dict[str, str]:
    """Return the root's attributes that are text."""
    found = {}
    for name in file.attrs:
        value = file.attrs[name]
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, str):
            if len(value) > limit:
                raise RefusedError("holds a text of absurd size", f"{len(value)} characters in {name!r}")
            found[name] = value
    return found


def datasets_of(file: Any, limits: dict[str, int], size: int) -> Iterator[tuple[str, Any]]:
    """Yield the numeric datasets, each once, that lie in the file and would fit into memory."""
    import h5py

    stack: list[tuple[str, Any]] = [("", file)]
    seen: set[int] = set()
    count, total = 0, 0
    while stack:
        place, group = stack.pop()
        for name in sorted(group, reverse=True):
            path = f"{place}/{name}".strip("/")
            count += 1
            if count > limits["objects"]:
                raise RefusedError("holds too many objects", f"more than {limits['objects']}")
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise RefusedError("links to another file", f"{path!r} is {link.filename!r}")
            if isinstance(link, h5py.SoftLink):
                continue
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                stack.append((path, item))
            elif isinstance(item, h5py.Dataset) and readable(path, item, limits):
                total += math.prod(item.shape) * item.dtype.itemsize
                if total > max(limits["ratio"] * size, 1 << 24):
                    raise RefusedError("grows too large when it is read", f"{total} bytes from {size}")
                yield path, item


def readable(path: str, item: Any, limits: dict[str, int]) -> bool:
    """Return whether a dataset holds plain numbers; one that is hostile is refused."""
    if item.external is not None or item.is_virtual:
        raise RefusedError("keeps data in another file", repr(path))
    if item.dtype.kind not in "fiub" or item.shape is None:
        return False
    wanted = math.prod(item.shape) * item.dtype.itemsize
    stored = item.id.get_storage_size()
    if wanted > limits["dataset"] or wanted > max(limits["ratio"] * stored, 1 << 16):
        found = f"{path!r} with shape {item.shape}: {wanted} bytes, {stored} stored"
        raise RefusedError("holds a dataset of absurd size", found)
    return True


def main(limits: dict[str, int], path: str) -> None:
    """Read the file and write what is in it."""
    limit_process(seconds=limits["seconds"], memory=limits["memory"])
    import h5py
    import numpy as np

    source: Any = io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path
    out = sys.stdout.buffer
    try:
        with h5py.File(source, "r") as file:
            found: list[tuple[str, str, tuple[int, ...], bytes]] = []
            for name, item in datasets_of(file, limits, limits["size"]):
                array = np.asarray(item[()])
                little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
                found.append((name, array.dtype.name, array.shape, little.tobytes()))
            head = [(name, dtype, list(shape), len(data)) for name, dtype, shape, data in found]
            texts = texts_of(file, limits["text"])
    except RefusedError as error:
        out.write(json.dumps({"problem": error.args[0], "found": error.args[1]}).encode())
        return
    except Exception as error:
        out.write(json.dumps({"problem": "is damaged", "found": f"{type(error).__name__}: {error}"}).encode())
        return
    out.write(json.dumps({"texts": texts, "tensors": head}).encode() + b"\n")
    for *_, data in found:
        out.write(data)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2])
