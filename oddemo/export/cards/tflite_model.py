"""A TFLite file as records: subgraphs, tensors, operations, signatures (schema version 3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from oddemo.errors import OddemoError
from oddemo.export.cards.flatbuffer import Buffer, Table, damaged, flex_numbers
from oddemo.export.cards.tensors import MAX_ELEMENTS, Value, decode_elements

#: Metadata in which the converter notes its version.
CONVERTED_BY = "CONVERSION_METADATA"
#: TensorType enum, in order.
DTYPES = (
    "float32",
    "float16",
    "int32",
    "uint8",
    "int64",
    "string",
    "bool",
    "int16",
    "complex64",
    "int8",
    "float64",
    "complex128",
    "uint64",
    "resource",
    "variant",
    "uint32",
    "uint16",
    "int4",
    "bfloat16",
    "int2",
    "uint4",
    "float8_e4m3fn",
    "float8_e5m2",
)


@cache
def builtin_names() -> tuple[str, ...]:
    """Return the names of the built-in operations, by their number."""
    text = resources.files("oddemo.export.cards").joinpath("tflite_ops.txt").read_text(encoding="utf-8")
    return tuple(text.split())


@dataclass(frozen=True)
class Tensor:
    """One tensor of a subgraph.

    Attributes:
        name: As the converter wrote it.
        dtype: NumPy's name, or `string`.
        shape: None for a free dimension.
        span: Where its constant bytes lie in the file, `(0, 0)` if it is computed.
        scales: Quantisation scales, one or one a channel.
        zero_points: Quantisation zero points.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    span: tuple[int, int]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]

    @property
    def constant(self) -> bool:
        """Whether its values are in the file."""
        return self.span[1] > self.span[0]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a subgraph.

    Attributes:
        op: The built-in operation's name, or the custom one's.
        custom: Whether it is custom.
        inputs: Indices of tensors, -1 for one that is left out.
        outputs: Indices of tensors.
        options: Its built-in options.
        raw_options: Its custom options.
    """

    op: str
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None
    raw_options: bytes

    @cached_property
    def numbers(self) -> dict[str, int | float | bool]:
        """The numbers among the custom options."""
        return flex_numbers(self.raw_options) if self.raw_options else {}


@dataclass(frozen=True, eq=False)
class Subgraph:
    """A graph of operations.

    Attributes:
        name: Its name.
        tensors: All tensors.
        inputs: Indices of the tensors that are given.
        outputs: Indices of the tensors that are returned.
        operations: In the order in which they run.
    """

    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operations: tuple[Operation, ...]

    @cached_property
    def places(self) -> dict[int, int]:
        """Tensor index → which of the inputs it is."""
        return {tensor: place for place, tensor in reversed(list(enumerate(self.inputs)))}

    @cached_property
    def producers(self) -> dict[int, tuple[Operation, int]]:
        """Tensor index → the operation that computes it, and which of its outputs it is."""
        return {tensor: (op, place) for op in self.operations for place, tensor in enumerate(op.outputs)}


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A whole file.

    Attributes:
        data: Its bytes.
        subgraphs: The main one first.
        signatures: `(key, subgraph, inputs by name, outputs by name)` with tensor indices.
        metadata: Name → where its bytes lie in the file.
        codes: `(operation, whether it is custom, version)` of every operation that the file names.
    """

    data: bytes
    subgraphs: tuple[Subgraph, ...]
    signatures: tuple[tuple[str, int, dict[str, int], dict[str, int]], ...]
    metadata: dict[str, tuple[int, int]]
    codes: tuple[tuple[str, bool, int], ...] = ()

    def note(self, name: str) -> bytes:
        """Return the bytes of a metadata entry, empty if there is none."""
        return self.data[slice(*self.metadata.get(name, (0, 0)))]

    @property
    def converter(self) -> str:
        """The TensorFlow version that the converter noted, empty if it noted none."""
        noted = self.note(CONVERTED_BY)
        environment = Buffer(noted).root().table(0) if noted else None
        return environment.text(0) if environment is not None else ""

    def value(self, tensor: Tensor) -> Value | None:
        """Return a small constant, as the real numbers that it stands for if it is quantised by one scale."""
        sizes = tuple(1 if size is None else size for size in tensor.shape)
        start, end = tensor.span
        if not tensor.constant or end - start > 8 * MAX_ELEMENTS:
            return None
        items = decode_elements(self.data[start:end], tensor.dtype)
        count = 1
        for size in sizes:
            count *= size
        if items is None or len(items) != count or count > MAX_ELEMENTS:
            return None
        if len(tensor.scales) == 1 and tensor.dtype in ("int8", "uint8", "int16"):
            zero = tensor.zero_points[0] if tensor.zero_points else 0
            return Value(sizes, tuple((item - zero) * tensor.scales[0] for item in items))
        return Value(sizes, items)


def parse_tflite(data: bytes) -> TfliteModel:
    """Read a TFLite file.

    Raises:
        OddemoError: If it is damaged, or of another schema version.
    """
    if data[4:8] != b"TFL3":
        raise damaged(f"the identifier {data[4:8]!r} instead of b'TFL3'")
    root = Buffer(data).root()
    if root.integer(0, "I") != 3:
        raise OddemoError("The TFLite schema is another one.", expected="version 3", found=str(root.integer(0, "I")))
    spans = [_span(table, len(data)) for table in root.tables(4)]
    codes = [_code(table) for table in root.tables(1)]
    subgraphs = tuple(_subgraph(table, codes, spans) for table in root.tables(2))
    if not subgraphs:
        raise damaged("a model without a graph")
    metadata = {}
    for table in root.tables(6):
        buffer = table.integer(1, "I")
        if buffer < len(spans):
            metadata[table.text(0)] = spans[buffer]
    signatures = tuple(_signature(table, subgraphs) for table in root.tables(7))
    versions = [table.integer(2, "i", 1) for table in root.tables(1)]
    listed = tuple((*code, version) for code, version in zip(codes, versions, strict=True))
    return TfliteModel(data, subgraphs, signatures, metadata, listed)


def _span(table: Table, size: int) -> tuple[int, int]:
    """Return where a buffer's bytes lie: inside it, or, in large files, behind everything else."""
    offset = table.integer(1, "Q")
    if offset > 1:
        end = offset + table.integer(2, "Q")
        if end > size:
            raise damaged(f"a buffer that ends at byte {end} of {size}")
        return offset, end
    return table.span(0)


def _code(table: Table) -> tuple[str, bool]:
    custom = table.text(1)
    number = max(table.integer(0, "b"), table.integer(3, "i"))
    if custom:
        return custom, True
    names = builtin_names()
    return (names[number] if 0 <= number < len(names) else f"builtin {number}"), False


def _subgraph(table: Table, codes: list[tuple[str, bool]], spans: list[tuple[int, int]]) -> Subgraph:
    tensors = tuple(_tensor(item, spans) for item in table.tables(0))
    operations = tuple(_operation(item, codes, len(tensors)) for item in table.tables(3))
    inputs, outputs = table.integers(1), table.integers(2)
    if any(not 0 <= index < len(tensors) for index in (*inputs, *outputs)):
        raise damaged("a graph whose inputs or outputs are not among its tensors")
    return Subgraph(table.text(4), tensors, inputs, outputs, operations)


def _tensor(table: Table, spans: list[tuple[int, int]]) -> Tensor:
    shape = table.integers(7) if table.has(7) else table.integers(0)
    code, buffer = table.integer(1, "b"), table.integer(2, "I")
    quantization = table.table(4)
    if buffer >= len(spans):
        raise damaged(f"a tensor in buffer {buffer} of {len(spans)}")
    scales: tuple[float, ...] = ()
    zeros: tuple[int, ...] = ()
    if quantization is not None:
        scales = tuple(float(value) for value in quantization.numbers(2, "f"))
        zeros = quantization.integers(3, "q")
    dtype = DTYPES[code] if 0 <= code < len(DTYPES) else f"dtype {code}"
    sizes = tuple(None if size < 0 else size for size in shape)
    return Tensor(table.text(3), dtype, sizes, spans[buffer], scales, zeros)


def _operation(table: Table, codes: list[tuple[str, bool]], tensors: int) -> Operation:
    code = table.integer(0, "I")
    inputs, outputs = table.integers(1), table.integers(2)
    if code >= len(codes) or any(not -1 <= index < tensors for index in (*inputs, *outputs)):
        raise damaged("an operation whose type or tensors are not there")
    return Operation(*codes[code], inputs, outputs, table.table(4), table.raw(5))


def _signature(table: Table, subgraphs: tuple[Subgraph, ...]) -> tuple[str, int, dict[str, int], dict[str, int]]:
    place = table.integer(4, "I")
    if place >= len(subgraphs):
        raise damaged(f"a signature of graph {place} of {len(subgraphs)}")
    inputs = {item.text(0): item.integer(1, "I") for item in table.tables(0)}
    outputs = {item.text(0): item.integer(1, "I") for item in table.tables(1)}
    if any(index >= len(subgraphs[place].tensors) for index in (*inputs.values(), *outputs.values())):
        raise damaged("a signature whose tensors are not there")
    return table.text(2) or "main", place, inputs, outputs
