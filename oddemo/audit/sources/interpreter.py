"""A TFLite file in LiteRT, with every tensor that shows a stage read along with the outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.sources.running import TAP, stack
from oddemo.audit.sources.taps import Graph, Node, Taps, find_taps
from oddemo.errors import OddemoError
from oddemo.quiet import native_stderr_silenced

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
#: What TFLite's own post-processing hands out, in its order, where the file names nothing.
_POST_PROCESS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


class TappedInterpreter:
    """A TFLite detector whose one input is the network's own: (1, height, width, 3), preprocessed by the caller.

    Args:
        file: The .tflite file.
        delegates: Run it with the delegates that LiteRT takes by itself (XNNPACK), as who deploys it with no further
            thought does. They show nothing of what is inside, and compute with 8-bit numbers in a way of their own.

    Attributes:
        file: As given.
        taps: What was found inside; nothing with delegates.
        quantization: `none`, `float16` (weights), `dynamic` (weights in 8 bits), or `int8` (activations too).
    """

    def __init__(self, file: Path, *, delegates: bool = False) -> None:
        self.file = Path(file)
        self._interpreter = _open(self.file, delegates=delegates)
        self._input = self._interpreter.get_input_details()[0]
        self._details = {str(d["index"]): d for d in self._interpreter.get_tensor_details()}
        self._operations = self._interpreter._get_ops_details()
        self.taps = Taps() if delegates else find_taps(_neutral_graph(self._operations, self._details))
        self.quantization = _quantization(self._operations, self._details)
        self._names = self._output_names()

    @property
    def input_size_hw(self) -> tuple[int, int]:
        """Height and width of its input."""
        _, height, width, _ = (int(side) for side in self._input["shape"])
        return height, width

    def run(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return outputs and taps, named `tap/…`, for one (h, w, 3) network input; each keeps its batch dimension."""
        self._interpreter.set_tensor(self._input["index"], _quantized(pixels[None], self._input))
        with native_stderr_silenced():
            self._interpreter.invoke()
        found = {name: self._number(self._details[key]) for key, name in self._names.items()}
        found |= {f"{TAP}{name}": self._number(self._details[key]) for name, key in self.taps.named().items()}
        if self.taps.pixels == str(self._input["index"]):
            found[f"{TAP}pixels"] = pixels[None]  # as handed over: rounding it to integers is part of the network
        return found

    def run_all(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return the same for (pictures, h, w, 3) network inputs, stacked."""
        parts: dict[str, list[NDArray[Any]]] = {}
        for one in pixels:
            for name, array in self.run(one).items():
                parts.setdefault(name, []).append(array)
        return {name: stack(arrays) for name, arrays in parts.items()}

    def _output_names(self) -> dict[str, str]:
        """Return tensor → name of the output: the signature's, or by the order of TFLite's own post-processing."""
        outputs = self._interpreter.get_output_details()
        signatures = self._interpreter.get_signature_list()
        named: dict[int, str] = {}
        if len(signatures) == 1:
            runner = self._interpreter.get_signature_runner(next(iter(signatures)))
            named = {d["index"]: name for name, d in runner.get_output_details().items()}
        for operation in self._operations:
            if operation["op_name"] == "TFLite_Detection_PostProcess":
                by_order = zip(operation["outputs"].tolist(), _POST_PROCESS, strict=True)
                named = dict(by_order) | {index: name for index, name in named.items() if name in _POST_PROCESS}
        return {str(d["index"]): named.get(d["index"], str(d["name"])) for d in outputs}

    def _number(self, detail: dict[str, Any]) -> NDArray[Any]:
        """Read a tensor, as real numbers where it is quantised."""
        array: NDArray[Any] = self._interpreter.get_tensor(detail["index"])
        scale, zero = detail["quantization"]
        if array.dtype.kind in "iu" and scale:
            array = ((array.astype(np.float32) - zero) * scale).astype(np.float32)
        return array


def _open(file: Path, *, delegates: bool) -> Any:
    from ai_edge_litert import interpreter as litert

    if not file.is_file():
        raise OddemoError(f"The TFLite file {file} does not exist.", do="check the path")
    kinds = litert.OpResolverType
    try:
        with native_stderr_silenced():
            made = litert.Interpreter(
                model_content=file.read_bytes(),
                experimental_preserve_all_tensors=not delegates,
                experimental_op_resolver_type=kinds.AUTO if delegates else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
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


def _quantized(values: NDArray[np.float32], detail: dict[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return values.astype(dtype)
    scale, zero = detail["quantization"]
    limits = np.iinfo(dtype)
    rounded: NDArray[Any] = np.clip(np.round(values / (scale or 1.0)) + zero, limits.min, limits.max).astype(dtype)
    return rounded


def _quantization(operations: list[dict[str, Any]], details: dict[str, dict[str, Any]]) -> str:
    """Tell from the kernels and results of the convolutions, and from what a float kernel was made of."""
    made_from = {
        str(output): details[str(operation["inputs"][0])]
        for operation in operations
        if operation["op_name"] == "DEQUANTIZE"
        for output in operation["outputs"]
    }
    convolutions = [operation for operation in operations if operation["op_name"] in _CONVOLUTIONS]
    for operation in convolutions:
        result, kernel = details[str(operation["outputs"][0])], str(operation["inputs"][1])
        stored = np.dtype(made_from.get(kernel, details[kernel])["dtype"])
        if np.dtype(result["dtype"]).kind in "iu":
            return "int8"
        if stored.kind in "iu":
            return "dynamic"
        if stored == np.float16:
            return "float16"
    return "none"


def _neutral_graph(operations: list[dict[str, Any]], details: dict[str, dict[str, Any]]) -> Graph:
    nodes = tuple(
        Node(op["op_name"], tuple(str(i) for i in op["inputs"]), tuple(str(i) for i in op["outputs"]))
        for op in operations
    )
    shapes = {key: tuple(int(side) for side in detail["shape"]) for key, detail in details.items()}
    return Graph(nodes, shapes)
