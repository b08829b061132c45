"""What a TFLite file asks of a runtime: versions of built-in operations, custom ones, values for its variables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oddemo.export.cards.limits import read_file
from oddemo.export.cards.tflite import MAX_BYTES, STANDARD
from oddemo.export.cards.tflite_model import Subgraph, TfliteModel, parse_tflite
from oddemo.export.loading.offers import Runtime
from oddemo.export.loading.record import CHANGES, FAILS, Reading, Reason
from oddemo.export.loading.tflite_dynamic import dynamic_reasons

RUN = "tf.lite.Interpreter(PATH)"
_HANDLE, _READ, _ASSIGN = "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"


def tflite_readings(path: Path, runtime: Runtime) -> tuple[Reading, ...]:
    """Return how a TFLite file can be run by the TFLite runtime of a TensorFlow.

    Raises:
        OddemoError: If it is damaged or too large.
    """
    model = parse_tflite(read_file(path, limit=MAX_BYTES))
    reasons = (*_of_operations(model, runtime), *_of_variables(model, runtime), *dynamic_reasons(model, runtime))
    return (Reading(RUN, reasons),)


def _of_operations(model: TfliteModel, runtime: Runtime) -> Iterator[Reason]:
    here = f"the TFLite runtime of TensorFlow {runtime.tensorflow}"
    for name, custom, version in dict.fromkeys(model.codes):
        if custom:
            if name.startswith("Flex"):
                if name.removeprefix("Flex") not in runtime.operations:
                    text = f"the operation {name} is TensorFlow's own, and {runtime.tensorflow} does not have it"
                    yield Reason("op_not_registered", FAILS, text, "operator_codes")
            elif name not in STANDARD:
                yield Reason("custom_op", FAILS, f"the custom operation {name} needs its own library", "operator_codes")
            continue
        having = runtime.tflite_versions(name)
        if having is None:
            yield Reason("builtin_missing", FAILS, f"{here} does not have {name}", "operator_codes")
        elif not having[0] <= version <= having[1]:
            text = f"{here} has {name} up to version {having[1]}, the file needs version {version}"
            yield Reason("builtin_version", FAILS, text, "operator_codes")


def _of_variables(model: TfliteModel, runtime: Runtime) -> Iterator[Reason]:
    read, assigned = set[str](), set[str]()
    for graph in model.subgraphs:
        for operation in graph.operations:
            if operation.op in (_READ, _ASSIGN) and operation.inputs:
                (read if operation.op == _READ else assigned).add(_variable(graph, operation.inputs[0]))
    lacking = sorted(read - assigned)
    if lacking:
        what = f"{len(lacking)} variables are read and never given a value: the weights are not in the file"
        where = f"{_READ} {lacking[0]}"
        if runtime.runs_unassigned_variables:
            text = f"{what}; TensorFlow {runtime.tensorflow} runs it all the same"
            yield Reason("variables_without_values", CHANGES, text, where)
        else:
            yield Reason("variables_without_values", FAILS, what, where)


def _variable(graph: Subgraph, index: int) -> str:
    """Return the name of the variable behind a handle; a handle that comes from elsewhere stands for itself."""
    source = graph.producers.get(index)
    if source is None or source[0].op != _HANDLE or source[0].options is None:
        return f"{graph.name} tensor {index}"
    return source[0].options.text(1)
