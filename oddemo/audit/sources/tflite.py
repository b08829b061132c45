"""`tflite:FILE`: a TFLite file, run by LiteRT and tapped inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.labels import labels_beside
from oddemo.audit.sources.running import TAP, dense_of, detections_of, prepare, stack
from oddemo.audit.sources.taps import Graph, Node, find_taps
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError
from oddemo.provenance import package_versions
from oddemo.quiet import native_stderr_silenced


class TFLiteSource:
    """A TFLite detector whose one input is the network's own: (1, height, width, 3), preprocessed by the caller.

    Args:
        file: The .tflite file.

    Attributes:
        file: As given.
        labels: Names in the label map beside it, if there is one.
    """

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        self.labels = labels_beside(self.file)
        self._interpreter = _interpreter(self.file)
        self._input = self._interpreter.get_input_details()[0]
        self._taps = find_taps(_neutral_graph(self._interpreter))

    @property
    def spec(self) -> str:
        """`tflite:FILE`."""
        return f"tflite:{self.file}"

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:
        """Run on the pictures; see `Source`.

        Raises:
            OddemoError: If no `caller` says how to preprocess, or its outputs cannot be read.
        """
        images = pictures.decode()
        _, height, width, _ = (int(side) for side in self._input["shape"])
        batch = prepare(images, caller, (height, width), self.spec)
        parts: dict[str, list[NDArray[Any]]] = {}
        for pixels in batch.pixels:
            for name, array in self._run(pixels).items():
                parts.setdefault(name, []).append(array)
        arrays = {name: stack(arrays) for name, arrays in parts.items()}
        return Trace(
            source=self.spec,
            image_names=pictures.names,
            images=images,
            dense=dense_of(arrays),
            detections=detections_of(arrays, images, batch, self.spec),
            labels=self.labels,
            provenance={"versions": package_versions(), "notes": list(self._taps.notes)},
        )

    def _run(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        self._interpreter.set_tensor(self._input["index"], _quantized(pixels[None], self._input))
        with native_stderr_silenced():
            self._interpreter.invoke()
        found = {_output_name(d): _number(self._interpreter, d) for d in _outputs(self._interpreter)}
        details = {str(d["index"]): d for d in self._interpreter.get_tensor_details()}
        for name, key in self._taps.named().items():
            found[f"{TAP}{name}"] = _number(self._interpreter, details[key])
        return found


def _interpreter(file: Path) -> Any:
    from ai_edge_litert import interpreter as litert

    if not file.is_file():
        raise OddemoError(f"The TFLite file {file} does not exist.", do="check the path")
    try:
        with native_stderr_silenced():
            made = litert.Interpreter(
                model_path=str(file),
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise OddemoError(
            f"{file} cannot be loaded.",
            expected="a whole TFLite file that this LiteRT can run",
            found=str(error).strip().splitlines()[0][:300],
            do="copy it again, or convert it again; `oddemo inspect` reads it without loading",
        ) from None
    details = made.get_input_details()
    if len(details) != 1 or len(details[0]["shape"]) != 4:
        raise OddemoError(
            f"{file} does not take one picture.",
            expected="one input of shape (1, height, width, 3)",
            found=", ".join(f"{d['name']} {d['shape'].tolist()}" for d in details),
            do="wrap it in a function and audit it as python:FILE.py:FUNCTION",
        )
    return made


def _outputs(interpreter: Any) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    if len(signatures) == 1:
        runner = interpreter.get_signature_runner(next(iter(signatures)))
        names = {d["index"]: name for name, d in runner.get_output_details().items()}
        return [{**d, "name": names.get(d["index"], d["name"])} for d in details]
    return details


def _output_name(detail: dict[str, Any]) -> str:
    return str(detail["name"])


def _quantized(values: NDArray[np.float32], detail: dict[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return values.astype(dtype)
    scale, zero = detail["quantization"]
    limits = np.iinfo(dtype)
    rounded: NDArray[Any] = np.clip(np.round(values / (scale or 1.0)) + zero, limits.min, limits.max).astype(dtype)
    return rounded


def _number(interpreter: Any, detail: dict[str, Any]) -> NDArray[Any]:
    """Read a tensor, as real numbers where it is quantised."""
    array: NDArray[Any] = interpreter.get_tensor(detail["index"])
    scale, zero = detail["quantization"]
    if array.dtype.kind in "iu" and scale:
        array = ((array.astype(np.float32) - zero) * scale).astype(np.float32)
    return array


def _neutral_graph(interpreter: Any) -> Graph:
    nodes = tuple(
        Node(op["op_name"], tuple(str(i) for i in op["inputs"]), tuple(str(i) for i in op["outputs"]))
        for op in interpreter._get_ops_details()
    )
    shapes = {str(d["index"]): tuple(int(side) for side in d["shape"]) for d in interpreter.get_tensor_details()}
    return Graph(nodes, shapes)
