"""Weights that are constants of a graph: how TensorFlow 1 exported detectors, and what freezing leaves."""

from __future__ import annotations

from pathlib import Path

from oddemo.export.cards.graph import Library
from oddemo.export.cards.limits import MAX_GRAPH_BYTES, read_file
from oddemo.export.cards.tensors import dtype_name, shape_of
from oddemo.export.cards.weights import WeightTensor, fingerprint_tensor
from oddemo.export.cards.wire import Message, map_entries

#: Bytes from which on a constant is taken for weights; smaller ones are settings.
MIN_BYTES = 64

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def constant_weights(library: Library, *, keep: bool = False) -> tuple[WeightTensor, ...]:
    """Return the float constants of a graph that are large enough for weights.

    Args:
        library: The graph.
        keep: Keep the tensors' bytes too.
    """
    found = []
    for body in library.all_bodies():
        for proto in body.protos:
            if proto.raw(2) != b"Const" or proto.end - proto.start < MIN_BYTES:
                continue
            value = map_entries(proto, 5).get("value")
            tensor = value.message(8) if value is not None else None
            if tensor is None or dtype_name(tensor.integer(1)) not in _FLOATS or len(tensor.raw(4)) < MIN_BYTES:
                continue
            sizes = tuple(size or 0 for size in shape_of(tensor.message(2)) or ())
            name, dtype = proto.text(1), dtype_name(tensor.integer(1))
            found.append(fingerprint_tensor(name, tensor.raw(4), dtype, sizes, keep=keep))
    return tuple(found)


def frozen_weights(folder: Path, *, keep: bool = False) -> tuple[WeightTensor, ...]:
    """Return the weights of a SavedModel without variables."""
    data = read_file(folder / "saved_model.pb", limit=MAX_GRAPH_BYTES)
    graph = next(Message(data).messages(2), None)
    return () if graph is None else constant_weights(Library(graph.message(2)), keep=keep)
