"""The contract card of a SavedModel."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard, Danger, Fact, Signature, TensorSpec
from oddemo.export.cards.danger import CUSTOM, SAVER_OPS, addresses, gather, risk_of
from oddemo.export.cards.declared import in_words, shape_conflicts
from oddemo.export.cards.detector_facts import flow_facts
from oddemo.export.cards.frozen import constant_weights
from oddemo.export.cards.graph import Body, Library
from oddemo.export.cards.graph_flow import GraphFlow
from oddemo.export.cards.known_ops import is_known, oldest_with
from oddemo.export.cards.limits import MAX_GRAPH_BYTES, read_file, refuse_links_outside
from oddemo.export.cards.saver import saver_nodes
from oddemo.export.cards.tensors import dtype_name, shape_of
from oddemo.export.cards.weights import bundle_weights, summarise
from oddemo.export.cards.wire import Message, map_entries

#: The signature that serves, where there is one.
SERVING = "serving_default"


def saved_model_card(folder: Path) -> ContractCard:
    """Return the card of a SavedModel folder, without loading it.

    Raises:
        OddemoError: If it is damaged, too large, or reaches out of its folder.
    """
    refuse_links_outside(folder)
    data = read_file(folder / "saved_model.pb", limit=MAX_GRAPH_BYTES)
    graphs = list(Message(data).messages(2))
    if not graphs:
        raise OddemoError(
            f"{folder / 'saved_model.pb'} holds no graph.",
            expected="a SavedModel with at least one MetaGraph",
            found=f"{len(data)} bytes without one",
            do="export the model again",
        )
    graph = _serving_graph(graphs)
    library = Library(graph.message(2))
    signatures = _signatures(graph)
    facts = _writer_facts(graph, library)
    notes: list[str] = []
    serving = _serving(signatures)
    if serving is not None:
        facts |= flow_facts(GraphFlow(library, _outputs(graph, serving.name)), serving)
    else:
        notes.append("It has no signature that serves: how pictures are treated cannot be followed.")
    if len(graphs) > 1:
        notes.append(f"It holds {len(graphs)} graphs; the one tagged `serve` was read.")
    if (folder / "variables" / "variables.index").exists():
        weights = summarise(bundle_weights(folder / "variables" / "variables"))
    else:
        weights = summarise(constant_weights(library))
        notes.append("It has no variables: its weights, if it has any, are constants of the graph.")
    conflicts = shape_conflicts(graph, folder)
    if conflicts:
        notes.append(f"It cannot be loaded: {in_words(conflicts)}")
    return ContractCard(
        kind="saved_model",
        path=str(folder),
        signatures=signatures,
        facts=facts,
        dangers=_dangers(graph, library),
        weights=weights,
        notes=tuple(notes),
    )


def why_not_loadable(folder: Path) -> str | None:
    """Return why no TensorFlow can load a SavedModel: variables that cannot take their weights; None if all fit.

    Raises:
        OddemoError: If it cannot be read.
    """
    graphs = list(Message(read_file(folder / "saved_model.pb", limit=MAX_GRAPH_BYTES)).messages(2))
    conflicts = shape_conflicts(_serving_graph(graphs), folder) if graphs else ()
    return in_words(conflicts) if conflicts else None


def _serving_graph(graphs: list[Message]) -> Message:
    return next((graph for graph in graphs if "serve" in graph.message(1).texts(4)), graphs[0])


def _signatures(graph: Message) -> tuple[Signature, ...]:
    found = [
        Signature(name, _specs(proto, 1), _specs(proto, 2))
        for name, proto in sorted(map_entries(graph, 5).items())
        if not name.startswith("__saved_model_")
    ]
    return tuple(found)


def _specs(signature: Message, number: int) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, dtype_name(info.integer(2)), shape_of(info.message(3)))
        for name, info in sorted(map_entries(signature, number).items())
    )


def _serving(signatures: tuple[Signature, ...]) -> Signature | None:
    """Return the signature that serves: the one of that name, else the first that gives something out."""
    named = {signature.name: signature for signature in signatures if signature.outputs}
    return named.get(SERVING) or next(iter(named.values()), None)


def _outputs(graph: Message, name: str) -> dict[str, str]:
    """Return output name → tensor name of a signature."""
    outputs = map_entries(map_entries(graph, 5)[name], 2)
    return {key: info.text(1) for key, info in outputs.items() if info.text(1)}


def _writer_facts(graph: Message, library: Library) -> dict[str, Fact]:
    info = graph.message(1)
    found: dict[str, Fact] = {}
    if info.text(5):
        found["tensorflow_version"] = Fact(info.text(5), "meta_info_def.tensorflow_version", info.text(6) or None)
    producer = graph.message(2).message(4).integer(1)
    if producer:
        found["graph_producer"] = Fact(producer, "graph_def.versions.producer")
    ops = {proto.raw(2) for body in library.all_bodies() for proto in body.protos}
    version, op = oldest_with({op.decode("utf-8", "replace") for op in ops})
    if op is None:
        found["oldest_runtime"] = Fact(
            f"TensorFlow {version} or older", "its operations", "attributes were not checked"
        )
    else:
        note = "the oldest tested version that has it; attributes were not checked"
        found["oldest_runtime"] = Fact(f"TensorFlow {version}", f"operation {op}", note)
    return found


def _dangers(graph: Message, library: Library) -> tuple[Danger, ...]:
    """Look at every operation of the main graph and of every function, used or not."""
    found: list[tuple[str, str, str, tuple[str, str]]] = []
    risks: dict[bytes, str | None] = {}
    for body in library.all_bodies():
        for proto in body.protos:
            op = proto.raw(2)
            if op not in risks:
                risks[op] = _risk(op.decode("utf-8", "replace"), library)
            risk = risks[op]
            if risk is not None:
                found.append((op.decode("utf-8", "replace"), risk, _place(proto, body), (body.name, proto.text(1))))
    found += _named_addresses(graph, library)
    own = saver_nodes(graph, library) if found else set()
    mine = SAVER_OPS | {op for op, *_ in found if " with " in op}
    return gather((op, risk, place) for op, risk, place, node in found if not (op in mine and node in own))


def _risk(op: str, library: Library) -> str | None:
    risk = risk_of(op)
    if risk is None and not is_known(op) and op not in library.functions:
        return CUSTOM
    return risk


def _place(proto: Message, body: Body) -> str:
    return f"{proto.text(1)} in {body.name}" if body.name else proto.text(1)


def _named_addresses(graph: Message, library: Library) -> list[tuple[str, str, str, tuple[str, str]]]:
    """Return the operations that hold an address of a file, as a constant or an attribute."""
    spots = list(addresses(graph.data, *graph.span(2)))
    if not spots:
        return []
    nodes = sorted(((proto, body) for body in library.all_bodies() for proto in body.protos), key=lambda n: n[0].start)
    starts = [proto.start for proto, _ in nodes]
    found = []
    for spot, address, risk in spots:
        proto, body = nodes[bisect_right(starts, spot) - 1]
        if proto.start <= spot < proto.end:
            op = f"{proto.text(2)} with {address}"
            found.append((op, risk, _place(proto, body), (body.name, proto.text(1))))
    return found
