"""The contract card: what an artefact promises, each fact with the place where it was read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oddemo.errors import OddemoError

#: Fact name → (label for people, pipeline stage), in pipeline order. Every card holds each of them, known or not.
FACTS: dict[str, tuple[str, str]] = {
    "input": ("Takes", "image"),
    "channel_order": ("Channel order", "image"),
    "size_rule": ("Input size", "pixels"),
    "network_size_hw_px": ("Network sees (height, width)", "pixels"),
    "aspect_ratio": ("Aspect ratio", "pixels"),
    "resize": ("Resize", "pixels"),
    "normalization": ("Normalisation", "pixels"),
    "padding": ("Padding", "pixels"),
    "preprocessing_order": ("Order of preprocessing", "pixels"),
    "score_activation": ("Score activation", "heads"),
    "quantization": ("Quantisation", "heads"),
    "box_coder_scales": ("Box coder scales (y, x, h, w)", "decoded"),
    "coordinates": ("Box coordinates", "decoded"),
    "nms_kind": ("NMS", "detections"),
    "nms_iou_threshold": ("NMS IoU threshold", "detections"),
    "score_threshold": ("Score threshold", "detections"),
    "max_detections": ("Detections at most", "detections"),
    "pre_nms_top_k": ("Candidates kept before NMS", "detections"),
    "soft_nms_sigma": ("Soft-NMS sigma", "detections"),
    "class_count": ("Classes (without background)", "labels"),
    "class_id_offset": ("Added to class ids at the end", "labels"),
    "tensorflow_version": ("Written by TensorFlow", "engine"),
    "graph_producer": ("Graph version (producer)", "engine"),
    "keras_version": ("Written by Keras", "engine"),
    "oldest_runtime": ("Oldest runtime that loads it", "engine"),
}


def _finite(value: Any) -> Any:
    """Return a value in which numbers that JSON has no word for (nan, inf) are text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Fact:
    """One thing that was read, or that could not be.

    Attributes:
        value: A JSON value; None if it was not found.
        found_at: Where it was read: a node, a file, a field.
        note: What a reader should know besides.
    """

    value: Any = None
    found_at: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _finite(self.value))

    @property
    def known(self) -> bool:
        """Whether a value was found."""
        return self.value is not None

    def to_json(self) -> dict[str, Any]:
        """Return the fact as JSON values."""
        return {"value": self.value, "found_at": self.found_at, "note": self.note}


NOT_FOUND = Fact()


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature.

    Attributes:
        name: Its key in the signature.
        dtype: NumPy's name, or `string`.
        shape: None for a free dimension; None altogether for a free rank.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON values."""
        return {"name": self.name, "dtype": self.dtype, "shape": None if self.shape is None else list(self.shape)}


@dataclass(frozen=True)
class Signature:
    """A way to call the artefact: its name, inputs and outputs, each in order of their names."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the signature as JSON values."""
        return {
            "name": self.name,
            "inputs": [spec.to_json() for spec in self.inputs],
            "outputs": [spec.to_json() for spec in self.outputs],
        }


@dataclass(frozen=True)
class Danger:
    """An operation or layer that does more than arithmetic when the artefact is loaded or called.

    Attributes:
        op: Type of the operation or layer.
        risk: What it does: `reads files`, `writes files`, `runs Python`, `uses the network`, `needs custom code`.
        found_at: The first place where it stands.
        count: How many there are.
    """

    op: str
    risk: str
    found_at: str
    count: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the danger as JSON values."""
        return {"op": self.op, "risk": self.risk, "found_at": self.found_at, "count": self.count}


@dataclass(frozen=True)
class WeightSummary:
    """Fingerprint of the weights.

    Attributes:
        fingerprint: Hex digest over the contents of the model's own tensors, whatever their names and order.
        tensors: How many tensors the model has.
        parameters: How many numbers they hold.
        bytes: How many bytes.
        average_fingerprint: The same over the averaged (EMA) copies, None if there are none.
        average_tensors: How many averaged copies there are.
        other_tensors: Optimizer state, counters and the like, left out of both fingerprints.
    """

    fingerprint: str
    tensors: int
    parameters: int
    bytes: int
    average_fingerprint: str | None = None
    average_tensors: int = 0
    other_tensors: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class ContractCard:
    """What an artefact promises, read without running it.

    Attributes:
        kind: `saved_model`, `tflite`, `keras`, `h5`, `checkpoint`, `tfvision` or `odapi`.
        path: Where it was read.
        signatures: How it can be called.
        facts: Every name of `FACTS` → what was found.
        dangers: Operations that touch the disk or the network, run Python or need custom code.
        weights: Fingerprint of the weights, None if it holds none that can be read.
        notes: What else a reader should know.
    """

    kind: str
    path: str
    signatures: tuple[Signature, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    dangers: tuple[Danger, ...] = ()
    weights: WeightSummary | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strange = sorted(set(self.facts) - set(FACTS))
        if strange:
            raise OddemoError("A card has unknown facts.", expected=", ".join(FACTS), found=", ".join(strange))
        object.__setattr__(self, "facts", {name: self.facts.get(name, NOT_FOUND) for name in FACTS})

    def value(self, name: str) -> Any:
        """Return the value of a fact, None if it was not found."""
        return self.facts[name].value

    def to_json(self) -> dict[str, Any]:
        """Return the whole card as JSON values."""
        return {
            "card_format": 1,
            "kind": self.kind,
            "path": self.path,
            "signatures": [signature.to_json() for signature in self.signatures],
            "facts": {name: fact.to_json() for name, fact in self.facts.items()},
            "dangers": [danger.to_json() for danger in self.dangers],
            "weights": None if self.weights is None else self.weights.to_json(),
            "notes": list(self.notes),
        }


def card_from_json(value: Any) -> ContractCard:
    """Return the card that `to_json` wrote.

    Raises:
        OddemoError: If `value` is not such a card.
    """
    try:
        if value["card_format"] != 1:
            raise OddemoError("The card has another format.", expected="1", found=str(value["card_format"]))
        return ContractCard(
            kind=value["kind"],
            path=value["path"],
            signatures=tuple(
                Signature(item["name"], _specs(item["inputs"]), _specs(item["outputs"])) for item in value["signatures"]
            ),
            facts={name: Fact(**fact) for name, fact in value["facts"].items()},
            dangers=tuple(Danger(**danger) for danger in value["dangers"]),
            weights=None if value["weights"] is None else WeightSummary(**value["weights"]),
            notes=tuple(value["notes"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise OddemoError(
            "This is not a contract card.",
            expected="JSON written by `oddemo inspect --json`",
            found=f"{type(error).__name__}: {error}",
        ) from None


def _specs(items: list[dict[str, Any]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(item["name"], item["dtype"], None if item["shape"] is None else tuple(item["shape"]))
        for item in items
    )


def as_text(value: Any) -> str:
    """Return a fact's value in one line for people."""
    if value is None:
        return "not found"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        shown = {key: item for key, item in value.items() if item is not None and item is not False}
        return ", ".join(item if isinstance(item, str) else _named(key, item) for key, item in shown.items())
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join("?" if item is None else as_text(item) for item in value) + "]"
    return str(value) if isinstance(value, (str, int)) else json.dumps(value)


def _named(key: str, item: Any) -> str:
    return key.replace("_", " ") if item is True else f"{key.replace('_', ' ')} {as_text(item)}"
