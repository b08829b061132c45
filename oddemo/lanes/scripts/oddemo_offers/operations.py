"""The operations that this TensorFlow registers: attributes, the values that they may have, and kernels."""

from __future__ import annotations

from typing import Any

#: Devices of kernels that a machine without a GPU can use.
_HERE = ("CPU", "DEFAULT")


def registered() -> dict[str, dict[str, Any]]:
    """Return operation → its attributes, each with the list of types or words that it is limited to, if any."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client.pywrap_tf_session import TF_GetAllOpList, TF_GetBuffer

    listed = op_def_pb2.OpList()
    listed.ParseFromString(TF_GetBuffer(TF_GetAllOpList()))
    on_cpu = _with_cpu_kernel()
    return {
        op.name: {
            "attributes": {attribute.name: _allowed(attribute) for attribute in op.attr},
            "cpu": op.name in on_cpu,
        }
        for op in listed.op
        if not op.name.startswith("_")  # what a runtime puts in by itself
    }


def _allowed(attribute: Any) -> list[Any] | None:
    values = attribute.allowed_values.list
    if values.type:
        return sorted(int(value) for value in values.type)
    return sorted(value.decode() for value in values.s) or None


def _with_cpu_kernel() -> set[str]:
    from tensorflow.python.framework import kernels

    return {kernel.op for kernel in kernels.get_all_registered_kernels().kernel if kernel.device_type in _HERE}


def graph_versions() -> dict[str, int]:
    """Return the number of this TensorFlow's graphs, and the oldest that it still reads."""
    import tensorflow as tf

    return {"producer": tf.version.GRAPH_DEF_VERSION, "min_producer": tf.version.GRAPH_DEF_VERSION_MIN_PRODUCER}
