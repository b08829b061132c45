"""TFLite's operations by TensorFlow's names, with what is set on them."""

from __future__ import annotations

from dataclasses import dataclass

from oddemo.export.cards.flow import Shape
from oddemo.export.cards.tensors import Value, largest_centre
from oddemo.export.cards.tflite_model import Operation, Tensor, TfliteModel

#: Built-in operation → TensorFlow's name, where a reader of facts asks for it.
_NAMES = {
    "ADD": "AddV2",
    "CAST": "Cast",
    "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2dNative",
    "DEQUANTIZE": "Identity",
    "DIV": "RealDiv",
    "DYNAMIC_UPDATE_SLICE": "DynamicUpdateSlice",
    "EXPAND_DIMS": "ExpandDims",
    "FULLY_CONNECTED": "MatMul",
    "GATHER": "GatherV2",
    "GATHER_ND": "GatherNd",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual",
    "IF": "If",
    "LESS": "Less",
    "LOGISTIC": "Sigmoid",
    "MAXIMUM": "Maximum",
    "MINIMUM": "Minimum",
    "MIRROR_PAD": "MirrorPad",
    "MUL": "Mul",
    "NEG": "Neg",
    "NON_MAX_SUPPRESSION_V4": "NonMaxSuppressionV4",
    "NON_MAX_SUPPRESSION_V5": "NonMaxSuppressionV5",
    "PACK": "Pack",
    "PAD": "Pad",
    "PADV2": "PadV2",
    "QUANTIZE": "Identity",
    "REDUCE_MIN": "Min",
    "RESHAPE": "Reshape",
    "RESIZE_BILINEAR": "ResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor",
    "REVERSE_V2": "ReverseV2",
    "ROUND": "Round",
    "RSQRT": "Rsqrt",
    "SELECT_V2": "SelectV2",
    "SHAPE": "Shape",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SPLIT": "Split",
    "SQRT": "Sqrt",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice",
    "SUB": "Sub",
    "TILE": "Tile",
    "TOPK_V2": "TopKV2",
    "TRANSPOSE": "Transpose",
    "UNPACK": "Unpack",
    "WHILE": "While",
}

#: Operation → attribute → `(field of its options, struct code)`.
FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "RESIZE_BILINEAR": {"align_corners": (2, "?"), "half_pixel_centers": (3, "?")},
    "RESIZE_NEAREST_NEIGHBOR": {"align_corners": (0, "?"), "half_pixel_centers": (1, "?")},
    "STRIDED_SLICE": {
        "begin_mask": (0, "i"),
        "end_mask": (1, "i"),
        "ellipsis_mask": (2, "i"),
        "new_axis_mask": (3, "i"),
        "shrink_axis_mask": (4, "i"),
    },
    "PACK": {"axis": (1, "i")},
    "UNPACK": {"axis": (1, "i")},
    "CONCATENATION": {"axis": (0, "i")},
    "GATHER": {"axis": (0, "i")},
    "WHILE": {"cond": (0, "i"), "body": (1, "i")},
    "IF": {"then_branch": (0, "i"), "else_branch": (1, "i")},
}


def operation_name(operation: Operation) -> str:
    """Return TensorFlow's name of an operation; a Select-TF operation's without its prefix."""
    if operation.custom:
        return operation.op.removeprefix("Flex") or operation.op
    return _NAMES.get(operation.op, operation.op)


@dataclass(frozen=True)
class TfliteAttributes:
    """What is set on an operation, and what is known of its tensors."""

    model: TfliteModel
    operation: Operation | None
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        value = self.number(name)
        return default if value is None else int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes or no."""
        value = self.number(name)
        return default if value is None else bool(value)

    def number(self, name: str) -> float | None:
        """Return a number, None if it is not set."""
        if self.operation is None:
            return None
        if name in self.operation.numbers:
            return self.operation.numbers[name]
        place = FIELDS.get(self.operation.op, {}).get(name)
        if place is None or self.operation.options is None:
            return None
        return self.operation.options.integer(*place)

    def text(self, name: str) -> str:
        """Return nothing: no operation that is asked for has strings."""
        del name
        return ""

    def dtype(self, name: str) -> str:
        """Return the dtype of the first input (`SrcT`) or of the output."""
        tensor = next(iter(self.inputs if name == "SrcT" else self.outputs), None)
        return "" if tensor is None else tensor.dtype

    def constant(self) -> Value | None:
        """Return the value of a constant, None if it is large."""
        return self.model.value(self.outputs[0]) if self.outputs else None

    def largest_centre(self) -> float | None:
        """Return the largest centre among constant anchors (y, x, height, width), None for anything else."""
        tensor = self.outputs[0] if self.outputs else None
        if tensor is None or not tensor.constant or tensor.dtype != "float32" or tensor.shape[-1:] != (4,):
            return None
        return largest_centre(self.model.data[slice(*tensor.span)])

    def shape(self, output: int) -> Shape | None:
        """Return the shape of an output."""
        return self.outputs[output].shape if output < len(self.outputs) else None
