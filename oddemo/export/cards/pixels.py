"""Preprocessing facts of a graph: what happens to a picture on its way to the first convolution."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from oddemo.export.cards.card import NOT_FOUND, Fact
from oddemo.export.cards.flow import AnyFlow, Step
from oddemo.export.cards.folding import Folder
from oddemo.export.cards.normalization import Affine, AffineStep
from oddemo.export.cards.pixel_path import PixelPath, channel_ports
from oddemo.export.cards.tensors import Value

_RESIZES = {
    "ResizeBilinear": "bilinear",
    "ResizeBicubic": "bicubic",
    "ResizeNearestNeighbor": "nearest",
    "ResizeArea": "area",
    "ScaleAndTranslate": "",
    "CropAndResize": "",
}
#: Kernel of ScaleAndTranslate → the name that tf.image.resize has for it.
_KERNELS = {"triangle": "bilinear", "keyscubic": "bicubic", "box": "area"}

#: Resizes of one path whose rule is looked into.
MAX_RESIZES = 8

_PADS = ("Pad", "PadV2", "MirrorPad")
_ARITHMETIC = ("Sub", "Add", "AddV2", "BiasAdd", "Mul", "RealDiv", "Div", "DivNoNan")
_DECODERS = ("DecodeImage", "DecodeJpeg", "DecodePng", "DecodeBmp", "DecodeAndCropJpeg", "DecodeWebP", "DecodeRaw")

#: Operations that move pixels without changing them.
_NEUTRAL = frozenset(
    {
        "ConcatV2",
        "Concatenation",
        "DynamicUpdateSlice",
        "EnsureShape",
        "Enter",
        "Exit",
        "ExpandDims",
        "GatherV2",
        "Identity",
        "IdentityN",
        "Merge",
        "NextIteration",
        "Pack",
        "ParseExampleV2",
        "ParseSingleExample",
        "Reshape",
        "Slice",
        "Split",
        "SplitV",
        "Squeeze",
        "StatelessIf",
        "If",
        "StatelessWhile",
        "While",
        "StopGradient",
        "StridedSlice",
        "Switch",
        "TensorArrayGatherV3",
        "TensorArrayReadV3",
        "TensorArrayScatterV3",
        "TensorArrayWriteV3",
        "TensorListFromTensor",
        "TensorListGetItem",
        "TensorListSetItem",
        "TensorListStack",
        "Transpose",
        "Unpack",
    }
)


@dataclass
class _Walk:
    """What was seen on the way from the picture to the network."""

    affine: Affine = field(default_factory=Affine)
    resizes: list[dict[str, Any]] = field(default_factory=list)
    pads: list[dict[str, Any]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    reversals: list[Step] = field(default_factory=list)
    aspect: Fact = NOT_FOUND


@dataclass(frozen=True)
class PixelReader:
    """Reads the preprocessing along one path.

    Attributes:
        flow: The signature's flow.
        path: From the picture to the first convolution.
        folder: Evaluates constants of the flow.
    """

    flow: AnyFlow
    path: PixelPath
    folder: Folder

    @cached_property
    def carried(self) -> frozenset[int]:
        """Indices of the steps that carry the pixels."""
        return frozenset({self.path.source, *self.path.steps})

    def facts(self) -> dict[str, Fact]:
        """Return fact name → fact, for those facts that the path tells."""
        steps = [self.flow.steps[index] for index in self.path.steps]
        convolution, source = self.flow.steps[self.path.convolution], self.flow.steps[self.path.source]
        walk = _Walk()
        for step in steps:
            self._look_at(step, walk)
        for pad in walk.pads:
            after = pad.pop("place") > (walk.order.index("normalise") if "normalise" in walk.order else -1)
            pad["when"] = f"{'after' if after else 'before'} normalisation" if walk.affine.steps else None
        clear = f"all {len(steps)} operations before {convolution.name}"
        note = f"the pixels fork at {self.path.forks[0]}; one branch was followed" if self.path.forks else None
        turned = Fact("reversed inside", walk.reversals[0].name) if len(walk.reversals) % 2 else None
        return {
            "input": self._input(source, steps),
            "channel_order": turned or Fact("used as given", clear),
            "aspect_ratio": walk.aspect,
            "resize": _listed(walk.resizes, clear),
            "padding": _listed(walk.pads, clear),
            "normalization": walk.affine.fact(clear),
            "preprocessing_order": Fact(walk.order or ["none"], f"the path to {convolution.name}", note),
        } | self._sizes(source, convolution)

    def _look_at(self, step: Step, walk: _Walk) -> None:
        """Note what one operation does to the pixels."""
        if step.op in _DECODERS:
            walk.order.append("decode")
        elif step.op in _RESIZES:
            walk.resizes.append(self._resize(step))
            walk.order.append("resize")
            if len(walk.resizes) <= MAX_RESIZES:
                walk.aspect = self._aspect(step)
        elif step.op in _PADS and self._fills(step):
            walk.pads.append(self._pad(step) | {"place": len(walk.order)})
            walk.order.append("pad")
        elif step.op in _ARITHMETIC:
            walk.affine.append(self._arithmetic(step))
            walk.order += [] if walk.order[-1:] == ["normalise"] else ["normalise"]
        elif self._reverses(step):
            walk.reversals.append(step)
            walk.order.append("reverse channels")
        elif step.op == "Cast":
            walk.order += _rounding(step)
        elif step.op not in _NEUTRAL and step.op not in _PADS:
            walk.order.append(step.op)

    def _input(self, source: Step, steps: list[Step]) -> Fact:
        dtype = source.attributes.dtype("dtype")
        if dtype != "string":
            return Fact(f"{dtype} pixels", source.name)
        parser = next((step for step in steps if step.op.startswith("Parse")), None)
        if parser is not None:
            return Fact("serialised tf.Example", parser.name)
        decoder = next((step for step in steps if step.op in _DECODERS), None)
        return Fact("encoded picture" if decoder else "strings", (decoder or source).name)

    def _sizes(self, source: Step, convolution: Step) -> dict[str, Fact]:
        found: dict[str, Fact] = {}
        index, port = convolution.inputs[0]
        shape = self.flow.steps[index].shape(port)
        if shape is not None and len(shape) == 4:
            first = convolution.attributes.text("data_format") == "NCHW"
            hw = shape[2:4] if first else shape[1:3]
            if None not in hw:
                found["network_size_hw_px"] = Fact(list(hw), f"input of {convolution.name}")
        given = source.shape()
        if given is not None and len(given) == 4:
            fixed = None not in given[1:3]
            rule = f"fixed {given[1]} x {given[2]}" if fixed else "dynamic"
            found["size_rule"] = Fact(rule, source.name)
        elif source.attributes.dtype("dtype") == "string":
            found["size_rule"] = Fact("dynamic", source.name)
        return found

    def _resize(self, step: Step) -> dict[str, Any]:
        attributes = step.attributes
        found: dict[str, Any] = {"op": step.op, "method": _RESIZES[step.op]}
        if step.op == "ScaleAndTranslate":
            kernel = attributes.text("kernel_type") or "lanczos3"
            found["method"] = _KERNELS.get(kernel, kernel)
            found["antialias"] = attributes.flag("antialias", True)
        elif step.op == "CropAndResize":
            found["method"] = attributes.text("method") or "bilinear"
        else:
            found["align_corners"] = attributes.flag("align_corners")
            if step.op != "ResizeArea":
                found["half_pixel_centers"] = attributes.flag("half_pixel_centers")
            found["antialias"] = step.op == "ResizeArea"
        return found | {"node": step.name}

    def _aspect(self, step: Step) -> Fact:
        """Tell stretching from keeping the ratio: a constant size stretches, a size by the smaller scale keeps."""
        size = self.folder.input(step, 1)
        if size is not None and size.known:
            rule = "kept" if self._keeps(step, size) else "stretched"
            return Fact(rule, step.name, f"always to {_whole(size)}")
        if len(step.inputs) < 2 or step.inputs[1][0] < 0:
            return Fact()
        behind = [self.flow.steps[index] for index in self.flow.reachable(step.inputs[1][0])]
        smaller = next((s for s in behind if s.op in ("Minimum", "Min") and s.scope is step.scope), None)
        measured = any(other.op == "Shape" for other in behind)
        return Fact("kept", smaller.name) if smaller is not None and measured else Fact()

    def _keeps(self, step: Step, size: Value) -> bool:
        """Return whether a constant size has the same proportions as the picture, whose size is constant too."""
        source, port = step.inputs[0]
        shape = self.flow.steps[source].shape(port) if source >= 0 else None
        if shape is None or len(shape) != 4 or len(size.items) != 2:
            return False
        height, width, (new_height, new_width) = shape[1], shape[2], size.items
        if not height or not width or new_height is None or new_width is None:
            return False
        return abs(new_height * width - new_width * height) <= max(height, width)

    def _fills(self, step: Step) -> bool:
        """Return whether a pad may add anything."""
        amounts = self.folder.input(step, 1)
        return amounts is None or not amounts.known or any(amounts.items)

    def _pad(self, step: Step) -> dict[str, Any]:
        value = self.folder.number(step, 2) if step.op == "PadV2" else 0
        found: dict[str, Any] = {"op": step.op, "value": value if step.op != "MirrorPad" else "mirrored"}
        amounts = self.folder.input(step, 1)
        found["sides"] = None if amounts is None else _sides(amounts)
        return found | {"node": step.name}

    def _arithmetic(self, step: Step) -> AffineStep:
        first = step.inputs[0][0] in self.carried
        value = self.folder.input(step, 1 if first else 0)
        values = None if value is None or not value.known or len(value.items) > 64 else value.items
        return AffineStep(step.op, None if values is None else tuple(float(v or 0) for v in values), first, step.name)

    def _reverses(self, step: Step) -> bool:
        """Tell whether a step turns RGB to BGR."""
        rank = len(step.shape() or ())
        if step.op == "ReverseV2":
            axes = self.folder.input(step, 1)
            return axes is not None and axes.items in ((-1,), (rank - 1,))
        if step.op == "StridedSlice":
            stride = self.folder.input(step, 3)
            return stride is not None and stride.items[-1:] == (-1,)
        if step.op == "GatherV2":
            places = self.folder.input(step, 1)
            return places is not None and places.items == (2, 1, 0)
        if step.op in ("Pack", "ConcatV2", "Concatenation"):
            return channel_ports(self.flow, step) == [2, 1, 0]
        return False


def _listed(items: list[dict[str, Any]], clear: str) -> Fact:
    """Return one item as it is, several as a list, none as `none`."""
    if not items:
        return Fact({"op": "none"}, clear)
    nodes = ", ".join(str(item.pop("node")) for item in items)
    return Fact(items[0] if len(items) == 1 else items, nodes)


def _rounding(step: Step) -> list[str]:
    """Return what a cast does to pixels: nothing, or dropping the fraction."""
    source = step.attributes.dtype("SrcT")
    target = step.attributes.dtype("DstT")
    return [f"cut to {target}"] if source.startswith("float") and "int" in target else []


def _whole(value: Value) -> str:
    return " x ".join(str(item) for item in value.items)


def _sides(amounts: Value) -> str | None:
    """Return which sides of the picture are padded, from [rank, 2] amounts that may be unknown in part."""
    if len(amounts.shape) != 2 or amounts.shape[1] != 2 or amounts.shape[0] not in (2, 3, 4):
        return None
    rows = [amounts.items[2 * axis : 2 * axis + 2] for axis in range(amounts.shape[0])]
    height, width = rows if len(rows) == 2 else rows[-3:-1]
    if amounts.known:
        return f"top {height[0]}, bottom {height[1]}, left {width[0]}, right {width[1]}"
    if height[0] == 0 and width[0] == 0:
        return "bottom and right"
    if height[1] == 0 and width[1] == 0:
        return "top and left"
    return "both sides" if height[0] is None and width[0] is None else None
