"""Reads a Keras model's configuration: layers that treat pixels, and layers that run foreign code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oddemo.export.cards.card import Danger, Fact, Signature, TensorSpec
from oddemo.export.cards.danger import CUSTOM, PYTHON, gather
from oddemo.export.cards.normalization import Affine, AffineStep

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Convolution2D")
_NESTED = ("Functional", "Sequential", "Model")
_TRUSTED = (
    "keras",
    "tf_keras",
    "keras_core",
    "builtins",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow_models",
)
_OPERATIONS = {"Subtract": "Sub", "Add": "Add", "Multiply": "Mul", "TrueDivide": "RealDiv", "Divide": "RealDiv"}

Layer = dict[str, Any]


def objects(config: Any) -> Iterator[tuple[str, Layer]]:
    """Yield `(place, object)` of every serialised object, however deep, without recursion."""
    stack: list[tuple[str, Any]] = [("", config)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            name = value.get("class_name")
            if isinstance(name, str):
                inner = value.get("config")
                own = value.get("name") or (inner.get("name") if isinstance(inner, dict) else None) or name
                place = f"{place}/{own}".strip("/")
                yield place, value
            stack.extend((place, item) for item in value.values())
        elif isinstance(value, list):
            stack.extend((place, item) for item in value)


def dangers(config: Any) -> tuple[Danger, ...]:
    """Return the layers that run Python, or that need code which is not in Keras."""
    found = []
    for place, item in objects(config):
        name, module = item["class_name"], item.get("module")
        registered = item.get("registered_name")
        if name in ("Lambda", "__lambda__"):
            found.append((name, PYTHON, place))
        elif name in {"__numpy__", "__tensor__"}:
            continue
        elif isinstance(module, str) and module.split(".")[0] not in _TRUSTED and not module.startswith(_TRUSTED):
            found.append((f"{module}.{name}", CUSTOM, place))
        elif (isinstance(registered, str) and ">" in registered) or ">" in name:
            found.append((registered if isinstance(registered, str) else name, CUSTOM, place))
    return gather(found)


def layers_of(model: Any) -> list[Layer]:
    """Return the layers of a model's configuration in their order."""
    config = model.get("config") if isinstance(model, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []


def _settings(layer: Layer) -> dict[str, Any]:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def _class(layer: Layer) -> str:
    name = layer.get("class_name")
    return name if isinstance(name, str) else ""


def _name(layer: Layer) -> str:
    return str(layer.get("name") or _settings(layer).get("name") or "")


def inbound(layer: Layer) -> list[str]:
    """Return the names of the layers that feed this one, from either generation's format."""
    found: list[str] = []
    stack: list[Any] = [layer.get("inbound_nodes")]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            history = value.get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                found.append(history[0])
            else:
                stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
                found.append(value[0])
            else:
                stack.extend(reversed(value))
    return found


def pixel_layers(model: Any, depth: int = 0) -> tuple[list[Layer], Layer] | None:
    """Return the layers between the picture and the first convolution, in order, and that convolution."""
    layers = layers_of(model)
    if depth > 20 or not layers:
        return None
    chained = any(inbound(layer) for layer in layers)
    by_name = {_name(layer): layer for layer in layers}
    for position, layer in enumerate(layers):
        inner = pixel_layers(layer, depth + 1) if _class(layer) in _NESTED else None
        if _class(layer) not in _CONVOLUTIONS and inner is None:
            continue
        before = _chain(layer, by_name) if chained else layers[:position]
        return (before + inner[0], inner[1]) if inner is not None else (before, layer)
    return None


def _chain(layer: Layer, by_name: dict[str, Layer]) -> list[Layer]:
    found: list[Layer] = []
    seen = {_name(layer)}
    while True:
        source = next((name for name in inbound(layer) if name in by_name), None)
        if source is None or source in seen:
            return list(reversed(found))
        seen.add(source)
        layer = by_name[source]
        found.append(layer)


def config_facts(model: Any) -> dict[str, Fact]:
    """Return what the layers before the first convolution do to a picture."""
    path = pixel_layers(model)
    if path is None:
        return {}
    affine, order = Affine(), []
    found: dict[str, Fact] = {}
    where = f"the layers before {_name(path[1])}"
    foreign: list[str] = []
    size: list[int | None] = [None, None]
    resizes: list[Fact] = []
    for layer in path[0]:
        name, config = _class(layer), _settings(layer)
        steps = arithmetic(layer)
        if name == "InputLayer":
            shape = config.get("batch_shape") or config.get("batch_input_shape")
            size = list(shape[1:3]) if isinstance(shape, list) and len(shape) == 4 else size
        elif name == "Resizing":
            resizes.append(_resizing(config, _name(layer)))
            size = [config.get("height"), config.get("width")]
            order.append("resize")
        elif name == "ZeroPadding2D":
            found["padding"] = Fact({"op": "ZeroPadding2D", "amount": config.get("padding")}, _name(layer))
            size = [None, None]
            order.append("pad")
        elif steps:
            for step in steps:
                affine.append(step)
            order += [] if order[-1:] == ["normalise"] else ["normalise"]
        elif name not in ("Dropout", "Identity", "Activation", *_NESTED):
            foreign.append(f"{name} {_name(layer)}")
    found["normalization"] = affine.fact(where) if not foreign else Fact(None, where, f"{foreign[0]} was not followed")
    found["resize"] = resizes[0] if len(resizes) == 1 else Fact({"op": "none"} if not resizes else None, where)
    found.setdefault("padding", Fact({"op": "none"}, where))
    found["preprocessing_order"] = Fact(order or ["none"], where)
    if all(isinstance(side, int) for side in size):
        found["network_size_hw_px"] = Fact(size, where)
    return found


def _resizing(config: dict[str, Any], name: str) -> Fact:
    value = {"op": "Resizing", "method": config.get("interpolation", "bilinear")}
    for flag in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if flag in config:
            value[flag] = config[flag]
    return Fact(value, name)


def arithmetic(layer: Layer) -> list[AffineStep]:
    """Return what a layer does to pixel values, as a chain of constant operations; empty if it is no such layer."""
    name, config, own = _class(layer), _settings(layer), _name(layer)
    if name == "Rescaling":
        return [
            AffineStep("Mul", _numbers(config.get("scale")), True, own),
            AffineStep("Add", _numbers(config.get("offset", 0)), True, own),
        ]
    if name == "Normalization":
        mean, variance = _numbers(config.get("mean")), _numbers(config.get("variance"))
        deviation = None if variance is None else tuple(max(value, 0) ** 0.5 for value in variance)
        return [AffineStep("Sub", mean, True, own), AffineStep("RealDiv", deviation, True, own)]
    if name in _OPERATIONS:
        return [AffineStep(_OPERATIONS[name], _operand(layer), True, own)]
    if name == "TFOpLambda":
        op = str(config.get("function")).removeprefix("math.").removeprefix("__operators__.")
        known = {"subtract": "Sub", "add": "Add", "multiply": "Mul", "truediv": "RealDiv", "divide": "RealDiv"}
        return [AffineStep(known[op], _operand(layer), True, own)] if op in known else []
    return []


def _operand(layer: Layer) -> tuple[float, ...] | None:
    """Return the constant that an operation's call was given beside the tensor."""
    stack: list[Any] = [layer.get("inbound_nodes")]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "keras_history" in value:
                continue
            stack.extend(value[key] for key in ("args", "kwargs", "config", "y", "value") if key in value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            return (float(value),)
        elif isinstance(value, list):
            numbers = _numbers(value)
            if numbers is not None:
                return numbers
            if len(value) >= 3 and isinstance(value[0], str):
                stack.extend(value[3:])
            else:
                stack.extend(value)
    return None


def _numbers(value: Any) -> tuple[float, ...] | None:
    """Return a number or a (nested) list of at most 64 numbers as a tuple."""
    if isinstance(value, dict) and "value" in _settings(value):
        value = _settings(value)["value"]
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= 64 or not all(isinstance(i, (int, float)) and not isinstance(i, bool) for i in items):
        return None
    return tuple(float(item) for item in items)


def signature(model: Any) -> tuple[Signature, ...]:
    """Return how the model is called, as far as its input layers tell."""
    specs = []
    for layer in layers_of(model):
        config = _settings(layer)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape):
            dtype = config.get("dtype")
            inner = _settings(dtype).get("name") if isinstance(dtype, dict) else dtype
            specs.append(TensorSpec(_name(layer), inner if isinstance(inner, str) else "float32", tuple(shape)))
            if _class(layer) != "InputLayer":
                break
    return (Signature("call", tuple(specs), ()),) if specs else ()
