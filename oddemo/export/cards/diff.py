"""The difference between two contract cards, each field with what it means for someone who runs both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.export.cards.card import FACTS, ContractCard, Fact, as_text
from oddemo.export.cards.compare_weights import WeightComparison, compare_weights
from oddemo.export.cards.read import read_card


@dataclass(frozen=True)
class Difference:
    """One field in which two artefacts promise different things.

    Attributes:
        field: Name of the fact, `signature`, `dangers` or `weights`.
        label: The same for people.
        stage: Pipeline stage that it belongs to.
        first: Value on the first card, a JSON value.
        second: Value on the second.
        meaning: What follows for someone who runs both.
    """

    field: str
    label: str
    stage: str
    first: Any
    second: Any
    meaning: str

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON values."""
        return dict(self.__dict__)


#: Fact → what a difference means; `{a}` and `{b}` are the two values.
_MEANINGS = {
    "input": "They are fed differently: A takes {a}, B takes {b}.",
    "channel_order": "One of them turns red and blue around inside: the same array is seen as two pictures.",
    "size_rule": "A accepts {a}, B accepts {b}: for one of them the caller has to resize.",
    "network_size_hw_px": "The network sees another resolution: small objects and the anchors' fit change.",
    "aspect_ratio": "One stretches a picture to the frame, the other keeps its shape: objects get other proportions.",
    "resize": "Pixels are interpolated in another way: edges and small objects change slightly, scores with them.",
    "normalization": "Pixels reach the network on another scale: the same picture is another input.",
    "padding": "The empty part of the frame is filled differently, which the network sees as content.",
    "preprocessing_order": "The same steps in another order, or other steps, give other pixels.",
    "score_activation": "Scores are on another scale: raw logits, or an activation applied once too often.",
    "quantization": "Weights or activations are rounded to other numbers.",
    "box_coder_scales": "Box encodings are divided by other factors: boxes come out shifted or of another size.",
    "coordinates": "Boxes are given in another frame: the same numbers mean other places.",
    "nms_kind": "Overlapping boxes are removed by another rule: other duplicates stay.",
    "nms_iou_threshold": "Overlapping boxes are removed from another overlap on.",
    "score_threshold": "Each drops boxes below its own score limit. The higher limit may cost mAP: low scores count.",
    "max_detections": "Crowded pictures are cut off at another number of detections.",
    "pre_nms_top_k": "Another number of candidates reaches the suppression.",
    "soft_nms_sigma": "Scores of overlapping boxes are lowered differently.",
    "class_count": "They know another number of classes, or one counts the background.",
    "class_id_offset": "Class ids start at another number: names shift by one unless the label map shifts with them.",
    "tensorflow_version": "Written by different TensorFlow versions: `oddemo lanes matrix` tells what changed.",
    "graph_producer": "Written for different graph versions.",
    "keras_version": "Written by different Keras versions: some layers behave differently in Keras 3.",
    "oldest_runtime": "One of them needs a newer runtime than the other.",
}

#: The same where only one of the two does anything at all.
_LONE = {
    "resize": "Only one of them resizes: for the other, its caller has to, in exactly the same way.",
    "normalization": "Only one of them normalises: for the other, its caller has to, with the same constants.",
    "padding": "Only one of them fills up a frame; the other stretches, or leaves it to its caller.",
}


def diff_cards(
    first: ContractCard, second: ContractCard, *, weights: WeightComparison | None = None
) -> list[Difference]:
    """Return every field in which two cards differ, in pipeline order; what one of them does not tell is left out.

    Args:
        first: Card A.
        second: Card B.
        weights: How their weights are related, if that was looked at (`compare_weights`).
    """
    found: list[Difference] = []
    for name, (label, stage) in FACTS.items():
        a, b = first.facts[name], second.facts[name]
        if a.known and b.known and not _agree(name, a.value, b.value):
            lone = name in _LONE and "none" in (_op(a.value), _op(b.value))
            meaning = (_LONE if lone else _MEANINGS)[name].format(a=as_text(a.value), b=as_text(b.value))
            meaning += _notes(name, a, b)
            found.append(Difference(name, label, stage, a.value, b.value, meaning))
    found += _signature_differences(first, second) + _danger_differences(first, second)
    found += _weight_differences(first, second, weights)
    order = {stage: place for place, stage in enumerate(dict.fromkeys(stage for _, stage in FACTS.values()))}
    return sorted(found, key=lambda difference: order.get(difference.stage, len(order)))


def diff_artefacts(
    first: Path | str, second: Path | str
) -> tuple[ContractCard, ContractCard, list[Difference], WeightComparison | None]:
    """Read two artefacts and return their cards, the differences, and how their weights are related.

    Raises:
        OddemoError: If one of them cannot be read.
    """
    a, b = read_card(first), read_card(second)
    weights = compare_weights(first, second) if a.weights is not None and b.weights is not None else None
    return a, b, diff_cards(a, b, weights=weights), weights


def _agree(name: str, first: Any, second: Any) -> bool:
    """Return whether two values of one fact agree, looking only at what both of them tell."""
    if name == "oldest_runtime" and str(first).partition(" ")[0] != str(second).partition(" ")[0]:
        return True
    if name in ("resize", "padding") and isinstance(first, dict) and isinstance(second, dict):
        if "none" in (first.get("op"), second.get("op")):
            return first.get("op") == second.get("op")
        shared = [key for key in first if key in second and key != "op" and None not in (first[key], second[key])]
        return all(same(first[key], second[key]) for key in shared)
    return same(first, second)


def _op(value: Any) -> Any:
    return value.get("op", value.get("kind")) if isinstance(value, dict) else None


def _notes(name: str, first: Fact, second: Fact) -> str:
    """Return the cards' own remarks where they limit what the difference means."""
    sides = (("A", first.note), ("B", second.note)) if name in ("normalization", "class_count") else ()
    return "".join(f" ({side}: {note}.)" for side, note in sides if note)


def only_in_one(first: ContractCard, second: ContractCard) -> list[tuple[str, str]]:
    """Return `(fact, "A" or "B")` for what only one of two cards tells."""
    sides = ((name, first.facts[name].known, second.facts[name].known) for name in FACTS)
    return [(name, "A" if in_first else "B") for name, in_first, in_second in sides if in_first != in_second]


def same(first: Any, second: Any) -> bool:
    """Return whether two values agree; numbers to five digits, since constants are stored as float32."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        return math.isclose(first, second, rel_tol=1e-5)
    return bool(first == second)


def _serving(card: ContractCard) -> dict[str, Any] | None:
    names = {signature.name: signature for signature in card.signatures}
    chosen = names.get("serving_default") or next(iter(card.signatures), None)
    return None if chosen is None else chosen.to_json()


def _signature_differences(first: ContractCard, second: ContractCard) -> list[Difference]:
    a, b = _serving(first), _serving(second)
    if a is None or b is None:
        return []
    found = []
    for side, stage, meaning in (
        ("inputs", "image", "A caller written for A does not fit B: name, type or shape of what goes in differs."),
        ("outputs", "detections", "What comes out differs in name, type, shape or number: read outputs by name."),
    ):
        if a[side] != b[side]:
            found.append(Difference(f"signature.{side}", f"Signature {side}", stage, a[side], b[side], meaning))
    return found


def _danger_differences(first: ContractCard, second: ContractCard) -> list[Difference]:
    a, b = (sorted({(danger.op, danger.risk) for danger in card.dangers}) for card in (first, second))
    if a == b:
        return []
    meaning = "One of them touches files or the network, runs Python or needs foreign code where the other does not."
    values = [[list(item) for item in side] for side in (a, b)]
    return [Difference("dangers", "Beyond arithmetic", "engine", values[0], values[1], meaning)]


def _weight_differences(
    first: ContractCard, second: ContractCard, weights: WeightComparison | None
) -> list[Difference]:
    a, b = first.weights, second.weights
    if a is None or b is None or a.fingerprint == b.fingerprint:
        return []
    if weights is not None and weights.relation in ("same", "unknown"):
        return []
    if weights is None and "tflite" in (first.kind, second.kind):
        return []
    meaning = "Another checkpoint, averaged weights instead of raw ones, or a restore in part."
    return [
        Difference(
            "weights",
            "Weights",
            "features",
            a.fingerprint,
            b.fingerprint,
            meaning if weights is None else weights.meaning,
        )
    ]
