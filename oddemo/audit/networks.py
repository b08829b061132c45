"""Other networks that a candidate may run: other weights, averages, quantised ones, one in training mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddemo.audit.bench_tfvision import TFVisionBench
from oddemo.audit.faults.parameters import parameter
from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Settings
from oddemo.audit.trace import Trace
from oddemo.detect.folder import find_checkpoint, restore, restore_averages
from oddemo.export.cards import compare_weights
from oddemo.export.cards.compare_weights import WeightComparison
from oddemo.export.cards.weights import AVERAGE, bundle_weights

if TYPE_CHECKING:
    from oddemo.detect.detector import Detector

#: How many other checkpoints in the folder are tried; each costs a few seconds.
MOST_CHECKPOINTS = 4
#: Fewer equal tensors than this part of all are chance: a scale that no step of the training has moved.
_TELLING_PART = 0.1
#: Of TFLite's sigmoid in 8 bits.
_SCORE_STEP = 1.0 / 256.0
_FLOAT = "convert without quantisation (no converter.optimizations), or accept what it costs and state it"
#: Relation of the candidate's variables to the reference's → fault id, and what to do.
_BY_RELATION = {
    "averaged": (
        "ema_weights",
        "export the set that was evaluated: restore the checkpoint, then optimizer.swap_weights() for the averages",
    ),
    "partial_restore": (
        "partial_restore",
        "restore everything before the export, and let status.assert_existing_objects_matched() say so",
    ),
    "part": (
        "partial_restore",
        "restore everything before the export, and let status.assert_existing_objects_matched() say so",
    ),
}


@dataclass(frozen=True)
class OtherNetwork:
    """A network that the candidate may run in place of the reference's.

    Attributes:
        fault: Id of the fault that this would be.
        changes: Entries of `Network` → value.
        post_changes: Entries of `Postprocessing` → value, where what is run goes beyond the heads.
        claim: What the candidate does.
        fix: What to change.
        rank: When to try it; see `Hypothesis`.
    """

    fault: str
    changes: Mapping[str, Any] = field(repr=False)
    claim: str
    fix: str
    rank: int = 2
    post_changes: Mapping[str, Any] = field(default_factory=dict, repr=False)


def other_networks(
    bench: TFVisionBench, candidate: Any, pictures: ImageSet, reference: Trace, seen: Trace
) -> tuple[OtherNetwork, ...]:
    """Make the networks known to the bench that a hypothesis may try, and return them, most likely first.

    Args:
        bench: The reference.
        candidate: The candidate's source; a SavedModel or a detector folder shows its own variables.
        pictures: Of both traces.
        reference: The reference's trace.
        seen: The candidate's trace.
    """
    shown = seen.dense.get("pixels", {}).get("pixels")
    bench.shown_size_hw = None if shown is None else (int(shown.shape[1]), int(shown.shape[2]))
    return (
        *_own_variables(bench, candidate),
        *_own_kernels(bench, candidate, seen),
        *_averages(bench),
        *_checkpoints(bench),
        *_quantized(bench, pictures, reference, seen),
        *_training_mode(seen, len(pictures)),
    )


def _own_variables(bench: TFVisionBench, candidate: Any) -> Iterator[OtherNetwork]:
    prefix = getattr(candidate, "variables_prefix", None)
    if prefix is None and hasattr(candidate, "bench"):
        prefix = find_checkpoint(candidate.folder)
    if prefix is None or not Path(f"{prefix}.index").is_file():
        return
    relation = compare_weights(bench.folder, candidate.folder)
    if relation.relation == "same":
        return
    bench.add_weights("candidate", _loader(prefix))
    fault, fix = fault_of(relation, bench.settings)
    yield OtherNetwork(fault, {"weights": "candidate"}, f"runs with other weights: {told(relation)}", fix)


def _own_kernels(bench: TFVisionBench, candidate: Any, seen: Trace) -> Iterator[OtherNetwork]:
    """A TFLite file has no variables left: its kernels are compared with those of the reference's own conversion.

    The reference cannot run with them, because batch norm is folded in. Where they are others, the candidate's own
    features and heads take the place of the reference's, and all that follows is compared.
    """
    file = getattr(candidate, "file", None)
    if seen.provenance.get("quantization") != "none" or "heads" not in seen.dense or file is None:
        return
    from oddemo.audit.quantized import float_twin

    with float_twin(bench.folder) as twin:
        relation = compare_weights(twin, file)
    if relation.relation == "same":
        return
    bench.add_spliced("candidate", seen)
    fault, fix = fault_of(relation, bench.settings)
    claim = f"holds other kernels than the reference's conversion: {relation.equal} of {relation.of} are equal"
    yield OtherNetwork(fault, {"spliced": "candidate"}, claim, fix)


def fault_of(relation: WeightComparison, settings: Settings) -> tuple[str, str]:
    """Return the fault that a relation of weights would be, and its fix."""
    other = ("wrong_checkpoint", export_again(settings))
    if relation.relation == "part" and relation.equal < _TELLING_PART * relation.of:
        return other
    return _BY_RELATION.get(relation.relation, other)


def export_again(settings: Settings) -> str:
    """Return what to do about another checkpoint."""
    return f"export again from the checkpoint that was evaluated: {parameter(settings, 'checkpoint')}"


def told(relation: WeightComparison) -> str:
    """Return a relation of weights in words that complete a sentence."""
    return relation.meaning[:1].lower() + relation.meaning[1:].rstrip(".")


def _averages(bench: TFVisionBench) -> Iterator[OtherNetwork]:
    prefix = find_checkpoint(bench.folder)
    if any(tensor.role == AVERAGE for tensor in bundle_weights(prefix)):
        bench.add_weights("averages", lambda detector: restore_averages(prefix, detector.model))
        claim = f"runs with the other of the two sets of weights, raw and averaged (EMA), that {prefix.name} holds"
        yield OtherNetwork("ema_weights", {"weights": "averages"}, claim, _BY_RELATION["averaged"][1])


def _checkpoints(bench: TFVisionBench) -> Iterator[OtherNetwork]:
    current = find_checkpoint(bench.folder)
    for index in sorted(bench.folder.rglob("ckpt-*.index"))[-MOST_CHECKPOINTS:]:
        prefix = index.with_suffix("")
        if prefix != current:
            name = prefix.relative_to(bench.folder).as_posix()
            bench.add_weights(name, _loader(prefix))
            fix = export_again(bench.settings)
            yield OtherNetwork("wrong_checkpoint", {"weights": name}, f"runs with the weights of {name}", fix)


def _loader(prefix: Path) -> Callable[[Detector], None]:
    def load(detector: Detector) -> None:
        restore(prefix, model=detector.model)

    return load


def _quantized(bench: TFVisionBench, pictures: ImageSet, reference: Trace, seen: Trace) -> Iterator[OtherNetwork]:
    """Where the candidate shows how it computes, try that; where only its ends are seen, what can be repeated."""
    words = {"float16": "keeps its weights in 16 bits", "dynamic": "keeps its weights in 8 bits (dynamic range)"}
    kind = seen.provenance.get("quantization", "unknown" if "heads" not in seen.dense else "none")
    for one in words if kind == "unknown" else [kind] if kind in words else []:
        yield OtherNetwork("quantization", {"quantization": one}, words[one], _FLOAT)
    if kind == "int8" and "heads" in seen.dense and seen.dense["heads"].keys() <= reference.dense["heads"].keys():
        from oddemo.audit.quantized import MOST_TIMES_AS_FAR, rounding_compared

        found, alone = rounding_compared(bench.folder, pictures, reference, seen)
        if found <= MOST_TIMES_AS_FAR * alone:
            bench.add_spliced("candidate", seen)
            claim = (
                f"computes in 8-bit integers: its heads are {found:.2g} standard deviations off, and the same "
                f"conversion of the reference, calibrated on these pictures, moves them by {alone:.2g}"
            )
            rounded = {"score_step": _SCORE_STEP}
            yield OtherNetwork("quantization", {"spliced": "candidate"}, claim, _FLOAT, post_changes=rounded)


def _training_mode(seen: Trace, count: int) -> Iterator[OtherNetwork]:
    """Batch statistics depend on who is in the batch: take the candidate's batches where they are known."""
    known = seen.provenance.get("batches")
    alone, together = [[number] for number in range(count)], [list(range(count))]
    for batches in [known] if known else [alone, together]:
        yield OtherNetwork(
            "batchnorm_mode",
            {"training_mode": True, "batches": tuple(tuple(batch) for batch in batches)},
            "runs batch normalisation in training mode: a picture's result depends on the others in its batch",
            "export with training=False (model(images, training=False), no set_learning_phase(1))",
        )
