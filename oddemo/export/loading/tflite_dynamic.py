"""Weights of 8 bits with float activations in a TFLite file: does a runtime compute with them as the converter's own?

Such an operation rounds to 8 bits what enters it, while it runs. From some version on TFLite hands some of them to its
delegate (XNNPACK), which rounds in another way; no file says which of the two it was made for. So what is compared is
the TensorFlow that converted the file with the one that runs it.
"""

from __future__ import annotations

from collections.abc import Iterator

from oddemo.export.cards.tflite_model import CONVERTED_BY, Operation, Subgraph, TfliteModel
from oddemo.export.loading.offers import Runtime, runtimes, standing_for, tensorflow_versions
from oddemo.export.loading.record import CHANGES, UNKNOWN, Reason


def dynamic_reasons(model: TfliteModel, runtime: Runtime) -> Iterator[Reason]:
    """Look at each kind of operation that was asked about and has such weights.

    Args:
        model: The file.
        runtime: Where it is run.
    """
    table = runtimes()["dynamic_range"]
    counts: dict[str, int] = {}
    for graph in model.subgraphs:
        for operation in graph.operations:
            if operation.op in table and _is_dynamic(graph, operation):
                counts[operation.op] = counts.get(operation.op, 0) + 1
    writers = standing_for(model.converter, tensorflow_versions()) if model.converter else ()
    for op, count in counts.items():
        same = {writer: runtime.tensorflow in table[op]["same"][writer] for writer in writers or tensorflow_versions()}
        if all(same.values()):
            continue
        what = f"{count} {op} with weights of 8 bits and float activations"
        here = f"TensorFlow {runtime.tensorflow}"
        if writers and not any(same.values()):
            text = f"{what}: {here} computes them in another way than {model.converter}, which converted the file"
            if runtime.tensorflow in table[op]["delegated"]:
                text += "; TFLite hands them to its delegate (XNNPACK) there"
            yield Reason("dynamic_range", CHANGES, text, op)
        else:
            by = f"converted by {model.converter}" if model.converter else f"{CONVERTED_BY} names no converter"
            text = f"{what}: {by}, and not every TensorFlow computes them as {here} does"
            yield Reason("dynamic_range", UNKNOWN, text, op)


def _is_dynamic(graph: Subgraph, operation: Operation) -> bool:
    if len(operation.inputs) < 2 or min(operation.inputs[:2]) < 0:
        return False
    given, weights = (graph.tensors[index] for index in operation.inputs[:2])
    return given.dtype == "float32" and weights.dtype == "int8" and weights.constant and bool(weights.scales)
