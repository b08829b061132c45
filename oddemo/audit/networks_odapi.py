"""Other networks that a candidate may run in place of a detector of the Object Detection API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oddemo.audit.bench_odapi import ODAPIBench
from oddemo.audit.networks import MOST_CHECKPOINTS, OtherNetwork, export_again, fault_of, told
from oddemo.audit.trace import Trace
from oddemo.export.cards import compare_weights


def other_networks(bench: ODAPIBench, candidate: Any, seen: Trace) -> tuple[OtherNetwork, ...]:
    """Make the networks known to the bench that a hypothesis may try, and return them, most likely first.

    Args:
        bench: The reference.
        candidate: The candidate's source; a SavedModel shows its own variables.
        seen: The candidate's trace.
    """
    return (*_own_variables(bench, candidate, seen), *_checkpoints(bench, candidate))


def _own_variables(bench: ODAPIBench, candidate: Any, seen: Trace) -> Iterator[OtherNetwork]:
    """Where the candidate's variables are others, its own heads take the place of the reference's."""
    prefix = getattr(candidate, "variables_prefix", None)
    if prefix is None or not Path(f"{prefix}.index").is_file() or "heads" not in seen.dense:
        return
    relation = compare_weights(bench.folder, candidate.folder)
    if relation.relation == "same":
        return
    bench.add_spliced("candidate", seen)
    fault, fix = fault_of(relation, bench.settings)
    yield OtherNetwork(fault, {"spliced": "candidate"}, f"runs with other weights: {told(relation)}", fix)


def _checkpoints(bench: ODAPIBench, candidate: Any) -> Iterator[OtherNetwork]:
    """Where no variables can be read, other checkpoints of the same training are run."""
    if getattr(candidate, "variables_prefix", None) is not None:
        return
    for name in sorted(bench.other_checkpoints(), key=lambda name: int(name.rpartition("-")[2]))[-MOST_CHECKPOINTS:]:
        fix = export_again(bench.settings)
        yield OtherNetwork("wrong_checkpoint", {"weights": name}, f"runs with the weights of {name}", fix)
