"""Compares the weights of two artefacts: the same, averaged, restored in part, another step, another checkpoint."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from oddemo.export.cards.frozen import frozen_weights
from oddemo.export.cards.read import guarded, kind_of
from oddemo.export.cards.weights import AVERAGE, MODEL, WeightTensor, bundle_weights

#: Relative distance of two tensors up to which they come from one training, at the median over all pairs.
NEAR = 0.5

_STATISTICS = ("moving_mean", "moving_variance")


@dataclass(frozen=True)
class WeightComparison:
    """How two sets of weights are related.

    Attributes:
        relation: `same`, `averaged`, `partial_restore`, `part`, `same_run`, `other_checkpoint`, `other_architecture`
            or `unknown`.
        meaning: The same in a sentence.
        equal: How many tensors are equal, of those whose elements are not all the same number.
        of: How many such tensors the second artefact has.
        different: Names of tensors that differ, in the second artefact.
        median_distance: Median of |a - b| / max(|a|, |b|) over pairs that differ; None if none could be paired.
    """

    relation: str
    meaning: str
    equal: int
    of: int
    different: tuple[str, ...] = ()
    median_distance: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return dict(self.__dict__) | {"different": list(self.different)}


def read_weights(path: Path | str) -> tuple[str, tuple[WeightTensor, ...]]:
    """Return the kind of an artefact and its tensors with their bytes.

    Raises:
        OddemoError: If it cannot be read.
    """
    kind, place = kind_of(Path(path))
    return kind, guarded(path, lambda: _read(kind, place))


def _read(kind: str, place: Path) -> tuple[WeightTensor, ...]:
    if kind == "saved_model":
        prefix = place / "variables" / "variables"
        if prefix.with_name("variables.index").exists():
            return bundle_weights(prefix, keep=True)
        return frozen_weights(place, keep=True)
    if kind == "tflite":
        from oddemo.export.cards.limits import read_file
        from oddemo.export.cards.tflite import MAX_BYTES, tflite_weights
        from oddemo.export.cards.tflite_model import parse_tflite

        return tflite_weights(parse_tflite(read_file(place, limit=MAX_BYTES)), keep=True)
    if kind == "keras":
        from oddemo.export.cards.keras_file import keras_weights

        return keras_weights(place, keep=True)
    if kind == "h5":
        from oddemo.export.cards.h5_file import read_h5

        return read_h5(place, keep=True)[1]
    from oddemo.export.cards.checkpoint import checkpoint_prefix

    folder = place / "checkpoint" if (place / "checkpoint").is_dir() else place
    return bundle_weights(checkpoint_prefix(folder) if place.is_dir() else place, keep=True)


def compare_weights(first: Path | str, second: Path | str) -> WeightComparison:
    """Return how the weights of two artefacts are related, whatever their names, order and file formats.

    Args:
        first: The reference (A).
        second: The candidate (B).

    Raises:
        OddemoError: If one of them cannot be read.
    """
    (kind_a, a), (kind_b, b) = read_weights(first), read_weights(second)
    if kind_a == kind_b == "tflite":
        return _between_tflite(a, b)
    return _across_layouts(a, b) if "tflite" in (kind_a, kind_b) else compare_tensors(a, b)


def compare_tensors(a: tuple[WeightTensor, ...], b: tuple[WeightTensor, ...]) -> WeightComparison:
    """Return how two sets of tensors are related; see `compare_weights`."""
    model_a, model_b = ([tensor for tensor in side if tensor.role == MODEL] for side in (a, b))
    if not model_a or not model_b:
        return WeightComparison("unknown", "One of them holds no weights that can be read.", 0, len(model_b))
    telling = [tensor for tensor in model_b if not tensor.uniform]
    rest = Counter(tensor.content for tensor in model_a)
    different: list[WeightTensor] = []
    for tensor in model_b:
        if rest[tensor.content] > 0:
            rest[tensor.content] -= 1
        else:
            different.append(tensor)
    equal = sum(1 for tensor in telling if tensor not in different)
    names = tuple(tensor.name for tensor in different)
    missing = sum(rest.values())
    if not different and not missing:
        return WeightComparison("same", "All variables are equal.", equal, len(telling))
    if _averages_of(a, different) or _averages_of(b, [t for t in model_a if rest[t.content] > 0]):
        meaning = "One holds the averaged (EMA) weights that the other keeps beside its raw ones."
        return WeightComparison("averaged", meaning, equal, len(telling), names)
    return _judge(model_a, model_b, different, equal=equal, of=len(telling))


def _averages_of(side: tuple[WeightTensor, ...], wanted: list[WeightTensor]) -> bool:
    """Return whether every telling tensor in `wanted` is one of a side's averaged copies."""
    average = {tensor.content for tensor in side if tensor.role == AVERAGE}
    telling = [tensor for tensor in wanted if not tensor.uniform]
    return bool(telling) and all(tensor.content in average for tensor in telling)


def _judge(
    a: list[WeightTensor], b: list[WeightTensor], different: list[WeightTensor], *, equal: int, of: int
) -> WeightComparison:
    names = tuple(tensor.name for tensor in different)
    known = Counter(tensor.content for tensor in b)
    pairs = _pairs([tensor for tensor in a if known[tensor.content] == 0], different)
    distances = {two.name: _distance(one, two) for one, two in pairs}
    middle = median(distances.values()) if distances else None
    rounded = None if middle is None else float(f"{middle:.4g}")
    shapes_fit = Counter(tensor.shape for tensor in a) == Counter(tensor.shape for tensor in b)

    def result(relation: str, meaning: str) -> WeightComparison:
        return WeightComparison(relation, meaning, equal, of, names, rounded)

    statistics = [tensor for tensor in different if tensor.name.endswith(_STATISTICS)]
    kept = [t for t in b if t.name.endswith(_STATISTICS) and t not in different and not t.uniform]
    if middle is not None and middle < 1 and kept and not statistics and equal == len(kept):
        return result(
            "averaged",
            "Every trained weight differs while the batch-norm statistics are equal: raw against averaged (EMA) "
            "weights of one training step, or a fine-tuning with frozen batch norm.",
        )
    if equal:
        fresh = [two.name for one, two in pairs if two.uniform and not one.uniform]
        stale = [two.name for one, two in pairs if one.uniform and not two.uniform]
        if fresh or stale:
            side, listed = ("second", fresh) if fresh else ("first", stale)
            return result(
                "partial_restore",
                f"{equal} of {of} telling variables are equal; the others look freshly initialised in the {side} one "
                f"(such as {listed[0]}): it was restored in part.",
            )
        return result(
            "part",
            f"{equal} of {of} telling variables are equal, the others are not: a restore in part, or a fine-tuning "
            "that left some layers frozen.",
        )
    if middle is not None and middle < NEAR:
        return result(
            "same_run",
            "No variable is equal but all are close: another step of one training, or of one that began from it.",
        )
    if shapes_fit:
        return result("other_checkpoint", "The same architecture with other weights: another checkpoint.")
    return result("other_architecture", "Variables of other shapes, none equal: another architecture.")


def _pairs(a: list[WeightTensor], b: list[WeightTensor]) -> list[tuple[WeightTensor, WeightTensor]]:
    """Pair tensors of one shape by the longest common end of their names."""
    groups: dict[tuple[int, ...], list[WeightTensor]] = defaultdict(list)
    for tensor in a:
        groups[tensor.shape].append(tensor)
    found = []
    for tensor in b:
        candidates = groups[tensor.shape]
        if candidates:
            best = max(candidates, key=lambda other: _common_end(other.name, tensor.name))
            candidates.remove(best)
            found.append((best, tensor))
    return found


def _common_end(first: str, second: str) -> int:
    count = 0
    for a, b in zip(reversed(first.split("/")), reversed(second.split("/")), strict=False):
        if a != b:
            break
        count += 1
    return count


def _distance(first: WeightTensor, second: WeightTensor) -> float:
    """Return |a - b| / max(|a|, |b|) of two tensors of one shape; 1 if they cannot be compared."""
    import numpy as np

    if first.dtype != second.dtype or first.dtype not in ("float16", "float32", "float64"):
        return 1.0
    a, b = (np.frombuffer(tensor.data, dtype=tensor.dtype).astype(np.float64) for tensor in (first, second))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 1.0
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) / size if size else 0.0


def _across_layouts(a: tuple[WeightTensor, ...], b: tuple[WeightTensor, ...]) -> WeightComparison:
    """Compare with a TFLite file, whose converter turns kernels round and folds batch norm into others."""
    one, two = _value_sets(a), _value_sets(b)
    shared = one & two
    if shared:
        meaning = f"{len(shared)} tensors that the converter did not fold hold the same numbers: the same checkpoint."
        return WeightComparison("same", meaning, len(shared), len(two))
    meaning = "No tensor holds the same numbers; the converter may have folded or rounded all of them."
    return WeightComparison("unknown", meaning, 0, len(two))


def _between_tflite(a: tuple[WeightTensor, ...], b: tuple[WeightTensor, ...]) -> WeightComparison:
    """Compare the kernels of two TFLite files: other constants belong to the graph around them."""
    one, two = (
        tuple(tensor for tensor in side if len(tensor.shape) in (2, 4) and not tensor.uniform) for side in (a, b)
    )
    if {tensor.dtype for tensor in one} == {tensor.dtype for tensor in two}:
        return compare_tensors(one, two)
    return _across_layouts(a, b)


def _value_sets(side: tuple[WeightTensor, ...]) -> set[str]:
    """Return a hash of the sorted numbers of every float kernel: the same whatever the order of its axes."""
    import numpy as np

    kernels = [tensor for tensor in side if tensor.role in (MODEL, AVERAGE) and len(tensor.shape) > 1]
    numbers = [np.frombuffer(t.data, np.float32) for t in kernels if t.dtype == "float32" and not t.uniform]
    return {hashlib.blake2b(np.sort(array).tobytes()).hexdigest() for array in numbers}
