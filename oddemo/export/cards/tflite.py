"""The contract card of a TFLite file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from oddemo.export.cards.card import ContractCard, Danger, Fact, Signature, TensorSpec
from oddemo.export.cards.danger import CUSTOM, gather, risk_of
from oddemo.export.cards.detector_facts import flow_facts
from oddemo.export.cards.flatbuffer import damaged
from oddemo.export.cards.limits import read_file
from oddemo.export.cards.nms import TFLITE_OP
from oddemo.export.cards.tflite_flow import TfliteFlow
from oddemo.export.cards.tflite_model import CONVERTED_BY, Subgraph, Tensor, TfliteModel, parse_tflite
from oddemo.export.cards.weights import WeightTensor, fingerprint_tensor, summarise

#: The format's own limit.
MAX_BYTES = (1 << 31) - 1

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL", "CONV_3D")

#: Custom operations that the standard runtime registers.
STANDARD = frozenset({TFLITE_OP, "AudioSpectrogram", "Mfcc"})

_FOLDED = "a converter may have folded it into the first convolution"


def tflite_card(path: Path) -> ContractCard:
    """Return the card of a TFLite file, without an interpreter.

    Raises:
        OddemoError: If it is damaged or too large.
    """
    model = parse_tflite(read_file(path, limit=MAX_BYTES))
    signatures = _signatures(model)
    chosen = next((s for s in model.signatures if s[0] == "serving_default"), None) or next(
        iter(model.signatures), None
    )
    number, outputs = (chosen[1], chosen[3]) if chosen is not None else (0, _named(model.subgraphs[0], "outputs"))
    signature = next(s for s in signatures if chosen is None or s.name == chosen[0])
    facts = flow_facts(TfliteFlow(model, number, outputs), signature)
    if "normalization" in facts and facts["normalization"].value == {"kind": "none"}:
        facts["normalization"] = Fact({"kind": "none"}, facts["normalization"].found_at, _FOLDED)
    facts |= _file_facts(model)
    notes = []
    if any(op.custom and op.op.startswith("Flex") for graph in model.subgraphs for op in graph.operations):
        notes.append("It needs the Select TF operations (Flex) beside the TFLite runtime.")
    return ContractCard(
        kind="tflite",
        path=str(path),
        signatures=signatures,
        facts=facts,
        dangers=_dangers(model),
        weights=summarise(tflite_weights(model)),
        notes=tuple(notes),
    )


def _named(graph: Subgraph, side: str) -> dict[str, int]:
    indices: tuple[int, ...] = getattr(graph, side)
    return {graph.tensors[index].name: index for index in indices}


def _signatures(model: TfliteModel) -> tuple[Signature, ...]:
    found = [
        Signature(key, _specs(model.subgraphs[place], inputs), _specs(model.subgraphs[place], outputs))
        for key, place, inputs, outputs in model.signatures
    ]
    if not found:
        main = model.subgraphs[0]
        found = [Signature("main", _specs(main, _named(main, "inputs")), _specs(main, _named(main, "outputs")))]
    return tuple(found)


def _specs(graph: Subgraph, names: dict[str, int]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, graph.tensors[index].dtype, graph.tensors[index].shape)
        for name, index in sorted(names.items())
    )


def _file_facts(model: TfliteModel) -> dict[str, Fact]:
    found: dict[str, Fact] = {"quantization": _quantization(model)}
    oldest = model.note("min_runtime_version").split(b"\x00")[0].decode("ascii", "replace")
    if oldest:
        found["oldest_runtime"] = Fact(f"TFLite {oldest}", "metadata min_runtime_version", "as the converter says")
    elif "min_runtime_version" in model.metadata:
        found["oldest_runtime"] = Fact(None, "metadata min_runtime_version", "the converter left it empty")
    if model.converter:
        found["tensorflow_version"] = Fact(model.converter, f"metadata {CONVERTED_BY}", "of the converter")
    return found


def _quantization(model: TfliteModel) -> Fact:
    """Describe the numbers of the layers: what their weights are stored in, and what they compute with."""
    weights: Counter[str] = Counter()
    activations: Counter[str] = Counter()
    for graph in model.subgraphs:
        for op in graph.operations:
            if op.op in _LAYERS and len(op.inputs) > 1 and min(op.inputs[:2]) >= 0:
                weights[_stored(graph, op.inputs[1]).dtype] += 1
                activations[graph.tensors[op.inputs[0]].dtype] += 1
    if not weights:
        return Fact()
    value: dict[str, Any] = {
        "weights": f"{_listed(weights)} weights",
        "activations": f"{_listed(activations)} activations",
    }
    main = model.subgraphs[0]
    given = main.tensors[main.inputs[0]] if main.inputs else None
    if given is not None and given.scales:
        zero = given.zero_points[0] if given.zero_points else 0
        value["input"] = f"{given.dtype} input, scale {given.scales[0]:.6g}, zero point {zero}"
    return Fact(value, f"the {sum(weights.values())} layers with weights")


def _listed(counts: Counter[str]) -> str:
    return " + ".join(dtype for dtype, _ in counts.most_common())


def _dangers(model: TfliteModel) -> tuple[Danger, ...]:
    found = []
    for graph in model.subgraphs:
        for op in graph.operations:
            risk = risk_of(op.op.removeprefix("Flex")) if op.custom else None
            if op.custom and risk is None and not op.op.startswith("Flex") and op.op not in STANDARD:
                risk = CUSTOM
            if risk is not None:
                found.append((op.op, risk, f"graph {graph.name!r}"))
    return gather(found)


def tflite_weights(model: TfliteModel, *, keep: bool = False) -> tuple[WeightTensor, ...]:
    """Return the constants that the layers of a model are given; a buffer that several share is taken once.

    Args:
        model: The model.
        keep: Keep the tensors' bytes too.
    """
    found: dict[tuple[int, int], WeightTensor] = {}
    total = 0
    for graph in model.subgraphs:
        for op in graph.operations:
            for index in op.inputs if op.op in _LAYERS else ():
                tensor = _stored(graph, index) if index >= 0 else None
                if tensor is None or not tensor.constant or tensor.span in found or not _is_weight(tensor):
                    continue
                sizes = tuple(size or 0 for size in tensor.shape)
                data = model.data[slice(*tensor.span)]
                total += len(data)
                if total > len(model.data):
                    raise damaged("weights that lie over each other")
                found[tensor.span] = fingerprint_tensor(tensor.name, data, tensor.dtype, sizes, keep=keep)
    return tuple(found.values())


def _stored(graph: Subgraph, index: int) -> Tensor:
    """Return the tensor that is in the file where a float16 weight is widened before it is used."""
    source = graph.producers.get(index)
    if source is not None and source[0].op == "DEQUANTIZE" and source[0].inputs[:1] > (-1,):
        index = source[0].inputs[0]
    return graph.tensors[index]


def _is_weight(tensor: Tensor) -> bool:
    """Tell weights from shapes and axes: floats, or integers with a scale."""
    return tensor.dtype.startswith(("float", "bfloat")) or bool(tensor.scales)
