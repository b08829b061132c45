"""Which built-in operations this TensorFlow's TFLite runtime has, in which versions, found by asking it.

It is handed files that name one operation in one version and use it nowhere: a runtime refuses what it does not have
when it opens a file.
"""

from __future__ import annotations

from typing import Any

#: Numbers in the schema that stand for no operation: custom, delegate, and the sign that the number is elsewhere.
_NO_OPERATION = (32, 51, 127)
_NUMBERS, _MAX_VERSION = range(260), 40
_RESOURCE, _FLOAT32 = 13, 0


def _packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _code(schema: Any, number: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.deprecatedBuiltinCode = min(number, 127)
    code.builtinCode, code.version = number, version
    return code


def _model(schema: Any, codes: list[Any]) -> Any:
    model = schema.ModelT()
    model.version, model.operatorCodes = 3, codes
    model.buffers, model.subgraphs = [schema.BufferT()], [schema.SubGraphT()]
    graph = model.subgraphs[0]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    return model


def _opens(data: bytes) -> bool:
    import tensorflow as tf

    try:
        tf.lite.Interpreter(model_content=data)
    except (ValueError, RuntimeError):
        return False
    return True


def builtin_versions() -> dict[int, list[int]]:
    """Return number of a built-in operation → the oldest and the newest version that the runtime has."""
    from tensorflow.lite.python import schema_py_generated as schema

    found = {}
    for number in _NUMBERS:
        if number in _NO_OPERATION:
            continue
        having = []
        for version in range(1, _MAX_VERSION):
            if _opens(_packed(_model(schema, [_code(schema, number, version)]))):
                having.append(version)
            elif having or version > 3:
                break
        if having:
            found[number] = [having[0], having[-1]]
    return found


def builtin_names() -> dict[int, str]:
    """Return the names of the built-in operations in this version's schema."""
    from tensorflow.lite.python import schema_py_generated as schema

    return {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


def unassigned_variable() -> str:
    """Say what the runtime does with a variable that is read and never given a value: `fails` or `runs`."""
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema

    names = {name: number for number, name in builtin_names().items()}
    model = _model(schema, [_code(schema, names[name], 1) for name in ("VAR_HANDLE", "READ_VARIABLE")])
    graph = model.subgraphs[0]
    for dtype, shape, name in ((_RESOURCE, [], "handle"), (_FLOAT32, [1], "value")):
        tensor = schema.TensorT()
        tensor.type, tensor.shape, tensor.name, tensor.buffer = dtype, shape, name, 0
        graph.tensors.append(tensor)
    handle, read = schema.OperatorT(), schema.OperatorT()
    handle.opcodeIndex, handle.inputs, handle.outputs = 0, [], [0]
    handle.builtinOptionsType, handle.builtinOptions = (
        schema.BuiltinOptions.VarHandleOptions,
        schema.VarHandleOptionsT(),
    )
    handle.builtinOptions.sharedName = "weights"
    read.opcodeIndex, read.inputs, read.outputs = 1, [0], [1]
    read.builtinOptionsType, read.builtinOptions = (
        schema.BuiltinOptions.ReadVariableOptions,
        schema.ReadVariableOptionsT(),
    )
    graph.operators, graph.outputs = [handle, read], [1]
    try:
        runtime = tf.lite.Interpreter(model_content=_packed(model))
        runtime.allocate_tensors()
        runtime.invoke()
    except (ValueError, RuntimeError):
        return "fails"
    return "runs"
