"""Normalisation as one line: what a chain of subtractions, divisions and the like does to a pixel value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oddemo.export.cards.card import Fact

_SUMS = ("Add", "AddV2", "BiasAdd")


@dataclass(frozen=True)
class AffineStep:
    """One arithmetic operation on the pixels.

    Attributes:
        op: TensorFlow's name of the operation.
        values: The constant operand, one number or one for each channel; None if it is not constant.
        pixels_first: Whether the pixels are the first operand.
        name: The node.
    """

    op: str
    values: tuple[float, ...] | None
    pixels_first: bool
    name: str

    def gain_and_bias(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Return per-channel gain and bias of `gain * pixel + bias`, None if it is no such line."""
        if self.values is None:
            return None
        ones, zeros = (1.0,) * len(self.values), (0.0,) * len(self.values)
        negative = tuple(-value for value in self.values)
        if self.op == "Sub":
            return (ones, negative) if self.pixels_first else (tuple(-one for one in ones), self.values)
        if self.op in _SUMS:
            return ones, self.values
        if self.op == "Mul":
            return self.values, zeros
        divides = self.pixels_first and 0 not in self.values
        return (tuple(1 / value for value in self.values), zeros) if divides else None


@dataclass
class Affine:
    """The composition of such steps, in order."""

    steps: list[AffineStep] = field(default_factory=list)

    def append(self, step: AffineStep) -> None:
        """Add the next operation."""
        self.steps.append(step)

    def line(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Return per-channel gain and bias of the whole, None if a step is not constant or channels do not fit."""
        gain: tuple[float, ...] = (1.0,)
        bias: tuple[float, ...] = (0.0,)
        for step in self.steps:
            line = step.gain_and_bias()
            if line is None:
                return None
            size = max(len(gain), len(line[0]))
            if {len(gain), len(line[0])} - {1, size}:
                return None
            own_gain, own_bias = (_widen(part, size) for part in line)
            gain = tuple(a * b for a, b in zip(own_gain, _widen(gain, size), strict=True))
            bias = tuple(a * b + c for a, b, c in zip(own_gain, _widen(bias, size), own_bias, strict=True))
        return gain, bias

    def fact(self, where: str) -> Fact:
        """Return the fact `normalization`: mean and deviation, `(pixel - mean) / deviation`."""
        if not self.steps:
            return Fact({"kind": "none"}, where)
        names = ", ".join(step.name for step in self.steps)
        line = self.line()
        if line is None or 0 in line[0]:
            unknown = next((step for step in self.steps if step.gain_and_bias() is None), self.steps[0])
            return Fact(None, names, f"{unknown.op} at {unknown.name} has no constant operand")
        return Fact(mean_and_deviation(*line), names)


def mean_and_deviation(gain: tuple[float, ...], bias: tuple[float, ...]) -> dict[str, Any]:
    """Return `gain * pixel + bias` as mean and deviation, six digits, one number where all channels agree."""
    mean = [_rounded(-b / g) for g, b in zip(gain, bias, strict=True)]
    deviation = [_rounded(1 / g) for g in gain]
    return {"kind": "(pixel - mean) / deviation", "mean": _one(mean), "deviation": _one(deviation)}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}") + 0.0


def _one(values: list[float]) -> list[float]:
    return values[:1] if len(set(values)) == 1 else values


def _widen(values: tuple[float, ...], size: int) -> tuple[float, ...]:
    return values * size if len(values) == 1 else values
