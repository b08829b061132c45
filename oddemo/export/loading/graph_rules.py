"""What a SavedModel's graph asks of a runtime: its operations, their attributes, and the values of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oddemo.export.cards.declared import shape_conflicts
from oddemo.export.cards.graph import Body, Library
from oddemo.export.cards.limits import MAX_GRAPH_BYTES, read_file
from oddemo.export.cards.tensors import dtype_name
from oddemo.export.cards.wire import Message, map_entries
from oddemo.export.loading.offers import Runtime, known_anywhere
from oddemo.export.loading.record import CHANGES, FAILS, UNKNOWN, Reading, Reason

LOAD, KERAS_LOAD = "tf.saved_model.load(PATH)", "keras.models.load_model(PATH)"
#: Attributes that name a thing for messages and change nothing that is computed.
_ONLY_NAMES = frozenset({"debug_name"})
#: What graphs hold without any registry: arguments and results of functions.
_INTERNAL = frozenset({"", "_Arg", "_Retval", "_HostSend", "_HostRecv", "_Send", "_Recv", "NoOp"})


def saved_model_readings(folder: Path, runtime: Runtime) -> tuple[Reading, ...]:
    """Return how a SavedModel folder can be read in a runtime.

    Raises:
        OddemoError: If it is damaged or too large.
    """
    data = read_file(folder / "saved_model.pb", limit=MAX_GRAPH_BYTES)
    graphs = list(Message(data).messages(2))
    graph = next((one for one in graphs if "serve" in one.message(1).texts(4)), graphs[0])
    stripped = bool(graph.message(1).integer(7))
    reasons = dict.fromkeys(_of_graph(graph.message(2), runtime, stripped=stripped))
    for conflict in shape_conflicts(graph, folder):
        reasons[Reason("variable_shape", FAILS, f"the variable {conflict}", "variables/variables.index")] = None
    refused: tuple[Reason, ...] = ()
    of_keras = (folder / "keras_metadata.pb").exists()
    if not runtime.of_keras("containers")["saved_model"]:
        text = f"Keras {runtime.keras} does not read SavedModel folders; take {LOAD}, or keras.layers.TFSMLayer"
        refused = (Reason("saved_model_in_keras", FAILS, text),)
    elif not of_keras:
        text = f"it was not written by Keras 2's model.save; take {LOAD}"
        refused = (Reason("no_keras_metadata", FAILS, text, "keras_metadata.pb is not there"),)
    return (Reading(LOAD, tuple(reasons)), Reading(KERAS_LOAD, (*refused, *reasons), meant=of_keras))


def _of_graph(graph_def: Message, runtime: Runtime, *, stripped: bool) -> Iterator[Reason]:
    versions = graph_def.message(4)
    oldest = versions.integer(2)
    if oldest > runtime.graph_number:
        text = (
            f"its graph needs a reader of version {oldest}; TensorFlow {runtime.tensorflow} is {runtime.graph_number}"
        )
        yield Reason("graph_version", FAILS, text, "graph_def.versions.min_consumer")
    library = Library(graph_def)
    told: set[tuple[str, str]] = set()
    for body in library.all_bodies():
        for proto in body.protos:
            op = proto.text(2)
            if op in _INTERNAL or op in library.functions:
                continue
            for key, reason in _of_node(proto, op, body, runtime, stripped=stripped):
                if (op, key) not in told:
                    told.add((op, key))
                    yield reason


def _of_node(proto: Message, op: str, body: Body, runtime: Runtime, *, stripped: bool) -> Iterator[tuple[str, Reason]]:
    """Yield an attribute's name, empty for the operation itself, and what is the matter with it.

    Args:
        proto: The NodeDef.
        op: Its operation.
        body: Where it stands.
        runtime: Where it is loaded.
        stripped: Whether attributes with their default value were left out, as TensorFlow 2 does it: then one that is
            there means something.
    """
    where = f"{proto.text(1)} in {body.name}" if body.name else proto.text(1)
    having = runtime.operations.get(op)
    here = f"TensorFlow {runtime.tensorflow}"
    if having is None:
        known = (
            f"{here} does not have it" if known_anywhere(op) else "it is not TensorFlow's own, and needs its library"
        )
        yield "", Reason("op_not_registered", FAILS, f"the operation {op}: {known}", where)
        return
    if op in runtime.without_kernel:
        yield "", Reason("no_kernel", FAILS, f"the operation {op}: {here} cannot run it on a CPU", where)
    for name, value in map_entries(proto, 5).items():
        if name.startswith("_"):
            continue
        if name not in having:
            if name not in _ONLY_NAMES:
                # Without its type, what comes out has another one, and the next operation refuses it.
                outcome = UNKNOWN if not stripped else FAILS if value.has(6) else CHANGES
                text = f"{op}.{name}: {here} does not know this attribute and drops it without a word"
                yield name, Reason("attribute_dropped", outcome, text, where)
            continue
        allowed = runtime.allowed(op, name)
        types = [value.integer(6)] if value.has(6) else value.message(1).integers(6, limit=64)
        strange = [dtype_name(number) for number in types if allowed is not None and number not in allowed]
        if strange:
            text = f"{op}.{name} is {strange[0]}, which {here} does not take there"
            yield name, Reason("value_not_allowed", FAILS, text, where)
