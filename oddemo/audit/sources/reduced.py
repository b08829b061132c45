"""SavedModels reduced to what a signature runs: quick to load, and unable to change their own variables.

A SavedModel that Keras wrote holds, beside its signatures, the functions of every layer in training and in inference
mode, and TensorFlow rebuilds all of them in Python before it runs one. The signatures call none of them by name.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oddemo.detect.runtime import load_tensorflow

#: Operations that write to a variable.
_ASSIGNS = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
#: As TensorFlow names them: what `tf.saved_model.load` calls `signatures`, any object, and functions.
_SIGNATURES, _OBJECT = "signature_map", "_generic_user_object"
_FUNCTIONS = frozenset({"function", "bare_concrete_function"})


@contextmanager
def reduced(folder: Path, signature: str) -> Iterator[Path]:
    """Yield a folder with the same SavedModel, without the functions that its signatures do not run.

    What the signature runs writes to no variable there, as one exported in training mode does: its result then depends
    on the picture alone, not on how often it was run before. Variables and assets are linked to, or copied where that
    cannot be.

    Args:
        folder: Folder with saved_model.pb.
        signature: The one that is going to be run; nothing is wrong if there is no such signature.
    """
    load_tensorflow()
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for meta_graph in model.meta_graphs:
        _reduce(meta_graph, signature)
    with tempfile.TemporaryDirectory(prefix="oddemo-reduced-") as temporary:
        (Path(temporary) / "saved_model.pb").write_bytes(model.SerializeToString())
        for name in ("variables", "assets"):
            if (folder / name).is_dir():
                _link((folder / name).resolve(), Path(temporary) / name)
        yield Path(temporary)


def _link(folder: Path, place: Path) -> None:
    try:
        place.symlink_to(folder, target_is_directory=True)
    except OSError:  # a file system, or a user of Windows, that may not link
        shutil.copytree(folder, place)


def _reduce(meta_graph: Any, signature: str) -> None:
    graph = meta_graph.graph_def
    functions = {function.signature.name: function for function in graph.library.function}
    run = [name for node in _nodes_of(meta_graph, signature) for name in _names_in(node)]
    for name in _called(run, functions):
        _drop_assignments(functions[name])
    if not meta_graph.HasField("object_graph_def"):
        return  # of before TensorFlow 2: all of it is one graph
    called = _called(_drop_methods(meta_graph.object_graph_def), functions)
    _set(graph.library.function, [function for name, function in functions.items() if name in called])


def _drop_methods(objects: Any) -> set[str]:
    """Drop the functions of Python objects that neither a signature nor a resource needs; return the others' names.

    A dropped function leaves an empty object in its place: all others are known by their number in the list.
    """
    needed: set[int] = set()
    for node in objects.nodes:
        if node.user_object.identifier == _SIGNATURES or node.WhichOneof("kind") == "resource":
            needed.update(child.node_id for child in node.children)
        for pair in node.saveable_objects.values():
            needed.update((pair.save_function, pair.restore_function))
    methods = {number for number, node in enumerate(objects.nodes) if node.WhichOneof("kind") in _FUNCTIONS} - needed
    names: set[str] = set()
    for number, node in enumerate(objects.nodes):
        if number in methods:
            node.Clear()
            node.user_object.identifier = _OBJECT
            node.user_object.version.producer = node.user_object.version.min_consumer = 1
        else:
            _set(node.children, [child for child in node.children if child.node_id not in methods])
            names.update((*node.function.concrete_functions, node.bare_concrete_function.concrete_function_name))
    for name in set(objects.concrete_functions) - names:
        del objects.concrete_functions[name]
    return names - {""}


def _nodes_of(meta_graph: Any, signature: str) -> list[Any]:
    """Return the nodes of the graph that a signature's outputs are computed by."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    outputs = meta_graph.signature_def[signature].outputs if signature in meta_graph.signature_def else {}
    names, found = [output.name for output in outputs.values()], {}
    while names:
        name = names.pop().removeprefix("^").partition(":")[0]
        if name in nodes and name not in found:
            found[name] = nodes[name]
            names.extend(nodes[name].input)
    return list(found.values())


def _called(names: Iterable[str], functions: Mapping[str, Any]) -> set[str]:
    """Return functions, and all that they call, directly or not."""
    found: set[str] = set()
    new = set(names).intersection(functions)
    while new:
        found |= new
        inside = {name for function in new for node in functions[function].node_def for name in _names_in(node)}
        new = inside.intersection(functions) - found
    return found


def _names_in(node: Any) -> Iterator[str]:
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        for function in value.list.func:
            yield function.name


def _drop_assignments(function: Any) -> None:
    dropped = {node.name for node in function.node_def if node.op in _ASSIGNS}
    if not dropped:
        return
    kept = [node for node in function.node_def if node.name not in dropped]
    for node in kept:
        inputs = [name for name in node.input if name.removeprefix("^") not in dropped]
        del node.input[:]
        node.input.extend(inputs)
    _set(function.node_def, kept)
    for key in [key for key, value in function.control_ret.items() if value in dropped]:
        del function.control_ret[key]
    signature = [name for name in function.signature.control_output if name in function.control_ret]
    del function.signature.control_output[:]
    function.signature.control_output.extend(signature)


def _set(repeated: Any, messages: list[Any]) -> None:
    """Set a repeated field to some of its own messages."""
    copies = [type(message).FromString(message.SerializeToString()) for message in messages]
    del repeated[:]
    repeated.extend(copies)
