"""Finds the operations between a signature's picture and the network's first convolution, in order."""

from __future__ import annotations

from dataclasses import dataclass

from oddemo.export.cards.flow import AnyFlow, Step

CONVOLUTIONS = (
    "Conv2D",
    "DepthwiseConv2dNative",
    "_FusedConv2D",
    "FusedConv2DBiasActivation",
    "_FusedDepthwiseConv2dNative",
)

#: Operations that see only the shape of a picture: what depends on them alone carries no pixels.
_SHAPE_ONLY = ("Shape", "ShapeN", "Size", "Rank", "TensorListLength", "Assert")


@dataclass(frozen=True)
class PixelPath:
    """How pixels reach the first convolution.

    Attributes:
        convolution: Index of the first convolution's step.
        source: Index of the placeholder that the picture enters by.
        steps: Indices of the steps between, from the picture to the network.
        forks: Operations on the path that take pixels from several inputs, of which one was followed.
    """

    convolution: int
    source: int
    steps: tuple[int, ...]
    forks: tuple[str, ...]


def find_pixel_path(flow: AnyFlow) -> PixelPath | None:
    """Return the path of the pixels, or None if no convolution depends on an input of the signature."""
    carries = _carries_pixels(flow)
    behind = [False] * len(flow.steps)
    first: int | None = None
    for index, step in enumerate(flow.steps):
        inner = [source for source, _ in step.inputs if source >= 0]
        behind[index] = any(behind[source] for source in inner)
        if step.op in CONVOLUTIONS:
            source = step.inputs[0][0] if step.inputs else -1
            if first is None and source >= 0 and carries[source] and not behind[source]:
                first = index
            behind[index] = True
    if first is None:
        return None
    steps: list[int] = []
    forks: list[str] = []
    index = flow.steps[first].inputs[0][0]
    while flow.steps[index].op != "Placeholder":
        steps.append(index)
        candidates = [source for source, _ in flow.steps[index].inputs if source >= 0 and carries[source]]
        if not candidates:
            return None
        if len(set(candidates)) > 1 and channel_ports(flow, flow.steps[index]) is None:
            forks.append(flow.steps[index].name)
        index = candidates[0]
    return PixelPath(first, index, tuple(reversed(steps)), tuple(reversed(forks)))


def _carries_pixels(flow: AnyFlow) -> list[bool]:
    """Return for each step whether values of a placeholder, not only its shape, reach it."""
    carries: list[bool] = []
    for step in flow.steps:
        if step.op == "Placeholder":
            carries.append(True)
        elif step.op in _SHAPE_ONLY:
            carries.append(False)
        else:
            carries.append(any(source >= 0 and carries[source] for source, _ in step.inputs))
    return carries


def channel_ports(flow: AnyFlow, step: Step) -> list[int] | None:
    """Return in which order a Pack or ConcatV2 puts together the channels that one Unpack or Split took apart.

    Returns:
        Channel numbers of the taken-apart picture; None if the step is no such thing.
    """
    if step.op not in ("Pack", "ConcatV2", "Concatenation"):
        return None
    ports: list[int] = []
    origins: set[int] = set()
    for source, port in step.inputs[: len(step.inputs) - (step.op == "ConcatV2")]:
        index, out = source, port
        for _ in range(16):
            if index < 0 or flow.steps[index].op in ("Unpack", "Split", "SplitV"):
                break
            inner = flow.steps[index].inputs
            index, out = inner[0] if inner else (-1, 0)
        if index < 0 or flow.steps[index].op not in ("Unpack", "Split", "SplitV"):
            return None
        origins.add(index)
        ports.append(out)
    return ports if len(origins) == 1 and len(ports) > 1 else None
