"""SavedModels that change their own variables, such as one exported in training mode: loaded so that they cannot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oddemo.detect.runtime import load_tensorflow

#: Operations that write to a variable.
ASSIGNS = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
#: Functions that hold one of these fill the variables in the first place.
_LOADS = frozenset({"RestoreV2", "SaveV2"})


@contextmanager
def without_assignments(folder: Path) -> Iterator[Path]:
    """Yield a folder with the same SavedModel, in which no function writes to a variable.

    What is run then depends on the picture alone, not on how often it was run before. The variables are linked to, not
    copied.

    Args:
        folder: Folder with saved_model.pb.
    """
    load_tensorflow()
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for meta_graph in model.meta_graphs:
        for function in meta_graph.graph_def.library.function:
            if not any(node.op in _LOADS for node in function.node_def):
                _drop_assignments(function)
    with tempfile.TemporaryDirectory(prefix="oddemo-stateless-") as temporary:
        (Path(temporary) / "saved_model.pb").write_bytes(model.SerializeToString())
        for name in ("variables", "assets"):
            if (folder / name).is_dir():
                (Path(temporary) / name).symlink_to((folder / name).resolve(), target_is_directory=True)
        yield Path(temporary)


def _drop_assignments(function: Any) -> None:
    dropped = {node.name for node in function.node_def if node.op in ASSIGNS}
    if not dropped:
        return
    kept = [node for node in function.node_def if node.name not in dropped]
    for node in kept:
        inputs = [name for name in node.input if name.removeprefix("^") not in dropped]
        del node.input[:]
        node.input.extend(inputs)
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del function.node_def[:]
    function.node_def.extend(copies)
    for key in [key for key, value in function.control_ret.items() if value in dropped]:
        del function.control_ret[key]
    signature = [name for name in function.signature.control_output if name in function.control_ret]
    del function.signature.control_output[:]
    function.signature.control_output.extend(signature)
