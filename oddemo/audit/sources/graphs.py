"""Loading a SavedModel's signature as one flat graph that can be tapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.audit.sources.reduced import reduced
from oddemo.audit.sources.running import TAP
from oddemo.audit.sources.taps import Graph, Node, Taps, find_taps
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.export.cards.saved_model import why_not_loadable
from oddemo.quiet import native_stderr_silenced


@dataclass(frozen=True)
class TappedSignature:
    """A signature that returns its outputs and the tapped tensors in one call.

    Attributes:
        call: Takes the input tensor, returns name → tensor; taps are named `tap/…`.
        taps: What was found inside.
        dtype: Of the input.
        shape: Of the input; None where it is free.
        takes_examples: Whether it parses tf.Example records.
    """

    call: Callable[[Any], dict[str, Any]]
    taps: Taps
    dtype: str
    shape: tuple[int | None, ...]
    takes_examples: bool

    @property
    def takes_strings(self) -> bool:
        """Whether it takes encoded pictures or records."""
        return self.dtype == "string"

    @property
    def batch_size(self) -> int | None:
        """How many pictures go into one call; None for any number."""
        return self.shape[0] if self.shape else None

    @property
    def network_size_hw(self) -> tuple[int, int] | None:
        """The size of the network's own input, if that is what it takes: float and of one fixed size."""
        if self.dtype in ("string", "uint8") or len(self.shape) != 4:
            return None
        height, width = self.shape[1:3]
        return None if height is None or width is None else (height, width)

    @property
    def numpy_dtype(self) -> Any:
        """Of the array to feed."""
        return object if self.takes_strings else np.dtype(self.dtype)


def load_signature(folder: Path, signature: str) -> TappedSignature:
    """Load a SavedModel's signature, freeze its variables into constants, and tap it.

    Raises:
        OddemoError: If the folder is no SavedModel, is damaged, or has no such signature with one input.
    """
    if not (folder / "saved_model.pb").is_file():
        raise OddemoError(
            f"{folder} is not a SavedModel.",
            expected="a folder with saved_model.pb and variables/",
            found="no saved_model.pb" if folder.is_dir() else "no such folder",
        )
    misfit = _misfit(folder)
    if misfit is not None:
        raise OddemoError(
            f"The SavedModel {folder} cannot be loaded.",
            expected="weights that fit the graph beside them",
            found=misfit,
            do="export it again with the configuration of training (num_classes in pipeline.config)",
        )
    # The signature alone does not keep its variables alive: what was loaded is held until they are frozen.
    loaded, function = _load(folder, signature)
    tapped = _tap(folder, function)
    del loaded
    return tapped


def _load(folder: Path, signature: str) -> tuple[Any, Any]:
    """Load a SavedModel, and return it with its signature."""
    tf = load_tensorflow()
    try:
        with reduced(folder, signature) as place:
            loaded = tf.saved_model.load(str(place))
    except Exception as error:  # a damaged file surfaces as one of many kinds of exception
        raise OddemoError(
            f"The SavedModel {folder} cannot be loaded.",
            expected="a whole SavedModel that this TensorFlow can read",
            found=f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}",
            do="copy it again, or export it again; `oddemo inspect` reads it without loading",
        ) from None
    if signature not in loaded.signatures:
        raise OddemoError(
            f"The SavedModel {folder} has no signature {signature!r}.",
            expected=signature,
            found=", ".join(loaded.signatures) or "none",
            do="export it with a serving signature",
        )
    return loaded, loaded.signatures[signature]


def _misfit(folder: Path) -> str | None:
    """Return which of its variables cannot take their weights, if that is what is wrong and can be read."""
    try:
        return why_not_loadable(folder)
    except OddemoError:
        return None


def _tap(folder: Path, function: Any) -> TappedSignature:
    tf = load_tensorflow()
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with native_stderr_silenced():
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    inputs = [tensor for tensor in frozen.inputs if tensor.dtype != tf.resource]
    if len(inputs) != 1:
        raise OddemoError(
            f"The SavedModel {folder} takes {len(inputs)} inputs.",
            expected="one, the pictures",
            found=", ".join(tensor.name for tensor in inputs),
            do="wrap it in a function and audit it as python:FILE.py:FUNCTION",
        )
    taps = find_taps(neutral_graph(frozen.graph))
    fetches = dict(zip(sorted(function.structured_outputs), frozen.outputs, strict=True))
    fetches |= {f"{TAP}{name}": frozen.graph.get_tensor_by_name(key) for name, key in taps.named().items()}
    shape = tuple(inputs[0].shape.as_list()) if inputs[0].shape.rank is not None else ()
    definition = frozen.graph.as_graph_def()
    kinds = {
        node.op
        for nodes in (definition.node, *(body.node_def for body in definition.library.function))
        for node in nodes
    }
    return TappedSignature(
        call=_running(definition, inputs[0], fetches),
        taps=taps,
        dtype=inputs[0].dtype.name,
        shape=shape,
        takes_examples=any(kind.startswith(("ParseExample", "ParseSingleExample")) for kind in kinds),
    )


def _running(definition: Any, taken: Any, fetches: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a function that runs a graph from one tensor to others."""
    tf = load_tensorflow()
    names = [tensor.name for tensor in fetches.values()]

    def call(fed: Any) -> dict[str, Any]:
        found = tf.graph_util.import_graph_def(definition, {taken.name: fed}, names, name="")
        return dict(zip(fetches, found, strict=True))

    spec = tf.TensorSpec(taken.shape, taken.dtype)
    running = tf.function(call, input_signature=[spec], autograph=False)
    concrete: Callable[[Any], dict[str, Any]] = running.get_concrete_function()
    return concrete


def neutral_graph(graph: Any) -> Graph:
    """Describe a `tf.Graph` neutrally."""
    operations = graph.get_operations()
    nodes = tuple(
        Node(op.type, tuple(t.name for t in op.inputs), tuple(t.name for t in op.outputs)) for op in operations
    )
    shapes = {
        tensor.name: None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
        for op in operations
        for tensor in op.outputs
    }
    return Graph(nodes, shapes)
