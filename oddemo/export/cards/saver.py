"""Which file operations of a SavedModel are only its own saving and restoring of variables."""

from __future__ import annotations

from oddemo.export.cards.danger import SAVER_OPS
from oddemo.export.cards.graph import Library, Node
from oddemo.export.cards.wire import Message, encode_varint, map_entries

#: Operations of a saver that hold no function, so that their attributes need not be read.
_PLAIN = SAVER_OPS | {
    "AssignVariableOp",
    "Const",
    "DisableCopyOnRead",
    "Identity",
    "NoOp",
    "Pack",
    "ReadVariableOp",
    "Select",
    "StaticRegexFullMatch",
    "StringJoin",
}


def saver_nodes(graph: Message, library: Library) -> set[tuple[str, str]]:
    """Return `(function, node)` of everything that only the saver reaches; the main graph's function is empty.

    What a signature, an initialiser or any other function names as well is left out, so that a file operation cannot
    hide among them.
    """
    saver = graph.message(3)
    entries = {saver.text(number).partition(":")[0] for number in (1, 2, 3)}
    others = {
        tensor.text(1).partition(":")[0]
        for signature in map_entries(graph, 5).values()
        for tensor in map_entries(signature, 2).values()
    }
    for collection in map_entries(graph, 4).values():
        others |= {name.partition(":")[0] for name in collection.message(1).texts(1)}
    mine_main, mine_functions = _reached_nodes(library, entries)
    other_main, _ = _reached_nodes(library, others)
    own = mine_main - other_main
    mine = {("", name) for name in own}
    if _named_only_by(graph, library, mine_functions, own):
        mine |= _nodes_of(library, mine_functions)
    return mine


def _reached_nodes(library: Library, names: set[str]) -> tuple[set[str], set[str]]:
    """Return the nodes of the main graph that these depend on, by data or by control, and the functions they call."""
    seen: set[str] = set()
    functions: set[str] = set()
    waiting = list(names)
    while waiting:
        node = library.main.nodes.get(waiting.pop())
        if node is not None and node.name not in seen:
            seen.add(node.name)
            waiting += [text.lstrip("^").partition(":")[0] for text in node.proto.texts(3)]
            functions |= called(node)
    return seen, functions


def _nodes_of(library: Library, names: set[str]) -> set[tuple[str, str]]:
    """Return `(function, node)` of everything in these functions, and in those that they call."""
    found: set[tuple[str, str]] = set()
    functions, waiting = set(names), list(names)
    while waiting:
        body = library.body(waiting.pop())
        for node in body.nodes.values() if body is not None else ():
            found.add((body.name if body is not None else "", node.name))
            for function in called(node) - functions:
                functions.add(function)
                waiting.append(function)
    return found


def _named_only_by(graph: Message, library: Library, functions: set[str], callers: set[str]) -> bool:
    """Return whether nothing but these nodes of the main graph names the functions: seen at once, from the bytes."""
    start, end = graph.span(2)
    for name in functions:
        text = name.encode()
        written = b"\x0a" + encode_varint(len(text)) + text  # field 1 of an OpDef, and of a function's name as a value
        own = sum(name in called(library.main.nodes[caller]) for caller in callers)
        if graph.data.count(written, start, end) > 1 + own:
            return False
    return True


def called(node: Node) -> set[str]:
    """Return the names of all functions that a node's attributes hold."""
    if node.op in _PLAIN:
        return set()
    found: set[str] = set()
    for value in node.attributes.values():
        found.add(value.message(10).text(1))
        found |= {function.text(1) for function in value.message(1).messages(9)}
    return found - {""}
