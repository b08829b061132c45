"""A GraphDef: its nodes and its library of functions, decoded when they are wanted."""

from __future__ import annotations

from functools import cached_property

from oddemo.export.cards.tensors import Value, constant, dtype_name, largest_centre, shape_of
from oddemo.export.cards.wire import Message, map_entries


class Node:
    """One NodeDef."""

    __slots__ = ("_attributes", "_functions", "inputs", "name", "op", "proto")

    def __init__(self, proto: Message) -> None:
        self.proto = proto
        self.name = proto.text(1)
        self.op = proto.text(2)
        self.inputs = [text for text in proto.texts(3) if not text.startswith("^")]
        self._attributes: dict[str, Message] | None = None
        self._functions: dict[str, str] = {}

    @property
    def attributes(self) -> dict[str, Message]:
        """Attribute name → AttrValue."""
        if self._attributes is None:
            self._attributes = map_entries(self.proto, 5)
        return self._attributes

    def attribute(self, name: str) -> Message:
        """Return an AttrValue, an empty one if it was stripped as a default."""
        empty = Message(self.proto.data, self.proto.start, self.proto.start)
        return self.attributes.get(name, empty)

    def function(self, name: str) -> str:
        """Return the name of the function that an attribute holds."""
        if name not in self._functions:
            self._functions[name] = self.attribute(name).message(10).text(1)
        return self._functions[name]


class NodeAttributes:
    """The attributes of a NodeDef, or of the operation that a function stands for.

    Args:
        values: Attribute name → AttrValue.
        shapes: The AttrValue that notes the shapes of its outputs, if any.
        placeholder: Whether that is one shape, as a Placeholder has it.
    """

    def __init__(self, values: dict[str, Message], *, shapes: Message | None = None, placeholder: bool = False) -> None:
        self._values = values
        self._shapes = shapes
        self._placeholder = placeholder

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes or no."""
        return bool(self._values[name].integer(5, default)) if name in self._values else default

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        return self._values[name].integer(3, default) if name in self._values else default

    def number(self, name: str) -> float | None:
        """Return a number, None if it is not set."""
        if name not in self._values:
            return None
        floats = self._values[name].floats(4, limit=1)
        return floats[0] if floats else self._values[name].integer(3)

    def text(self, name: str) -> str:
        """Return a string, empty if it is not set."""
        return self._values[name].text(2) if name in self._values else ""

    def dtype(self, name: str) -> str:
        """Return the name of a dtype."""
        return dtype_name(self._values[name].integer(6)) if name in self._values else ""

    def constant(self) -> Value | None:
        """Return the value of a Const, None if it is large or of strings."""
        return constant(self._values["value"].message(8)) if "value" in self._values else None

    def largest_centre(self) -> float | None:
        """Return the largest centre among constant anchors (y, x, height, width), None for anything else."""
        if "value" not in self._values:
            return None
        proto = self._values["value"].message(8)
        rows = dtype_name(proto.integer(1)) == "float32" and (shape_of(proto.message(2)) or ())[-1:] == (4,)
        return largest_centre(proto.raw(4)) if rows else None

    def shape(self, output: int) -> tuple[int | None, ...] | None:
        """Return the static shape of an output, None if none is noted."""
        if self._shapes is None:
            return None
        if self._placeholder:
            return shape_of(self._shapes.message(7)) if self._shapes.has(7) else None
        for index, proto in enumerate(self._shapes.message(1).messages(7)):
            if index == output:
                return shape_of(proto)
        return None


def node_attributes(node: Node) -> NodeAttributes:
    """Return the attributes of a node for readers of facts."""
    placeholder = node.op == "Placeholder"
    shapes = node.attributes.get("shape" if placeholder else "_output_shapes")
    return NodeAttributes(node.attributes, shapes=shapes, placeholder=placeholder)


class Body:
    """The nodes of the main graph or of one library function.

    Args:
        name: The function's name, empty for the main graph.
        nodes: NodeDefs.
        arguments: Names of the function's inputs, in order.
        returns: Where each output comes from, in order, as written in the file.
        implements: What operation the function stands for (an AttrValue), if it says so.
    """

    def __init__(
        self,
        name: str,
        nodes: list[Message],
        arguments: list[str],
        returns: list[str],
        *,
        implements: Message | None = None,
    ) -> None:
        self.name = name
        self.implements = implements
        self.protos = nodes
        self.arguments = {argument: index for index, argument in enumerate(arguments)}
        self.returns = returns

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Node name → node."""
        return {node.name: node for node in map(Node, self.protos)}


def implemented_name(implements: Message) -> str:
    """Return the name in an `_implements` attribute, which is a string or a function with attributes."""
    return implements.text(2) or implements.message(10).text(1)


def function_body(proto: Message) -> Body:
    """Return a FunctionDef as a body."""
    signature = proto.message(1)
    returns = {entry.text(1): entry.text(2) for entry in proto.messages(4)}
    outputs = [argument.text(1) for argument in signature.messages(3)]
    arguments = [argument.text(1) for argument in signature.messages(2)]
    marks = map_entries(proto, 5)
    implements = marks.get("_implements")
    sources = [returns.get(name, "") for name in outputs]
    return Body(signature.text(1), list(proto.messages(3)), arguments, sources, implements=implements)


class Library:
    """A GraphDef: its main graph and its functions, decoded when they are wanted."""

    def __init__(self, graph_def: Message) -> None:
        self.main = Body("", list(graph_def.messages(1)), [], [])
        self.functions: dict[str, Message] = {}
        for proto in graph_def.message(2).messages(1):
            self.functions[proto.message(1).text(1)] = proto
        self._bodies: dict[str, Body] = {}

    def body(self, name: str) -> Body | None:
        """Return a function's body, None if the library has none of that name."""
        if name not in self._bodies:
            if name not in self.functions:
                return None
            self._bodies[name] = function_body(self.functions[name])
        return self._bodies[name]

    def all_bodies(self) -> list[Body]:
        """Return the main graph and every function, used or not."""
        return [self.main, *(body for name in self.functions if (body := self.body(name)))]
