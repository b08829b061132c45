"""What was recorded elsewhere, run here: does the same artefact do the same in both places?

The versions of TensorFlow, of LiteRT and of their kernels are no setting that a reference could take on. But where the
recorded artefact lies here unchanged, running it here is the test: what differs between the two runs is the runtime.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.audit.compare import compare_traces
from oddemo.audit.diagnose import Cause
from oddemo.audit.faults.registry import fault
from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.base import Source
from oddemo.audit.sources.parse import RecordedSource, parse_source
from oddemo.audit.trace import Trace

FAULT = "tf_version"


@dataclass(frozen=True, eq=False)
class RunHere:
    """A recorded artefact that does something else here.

    Attributes:
        source: The artefact itself.
        trace: What it does here.
        cause: The difference between the two runs, named.
    """

    source: Source
    trace: Trace
    cause: Cause


def run_here(
    candidate: Source, recorded: Trace, pictures: ImageSet, *, caller: Preprocessing | None, score_floor: float | None
) -> RunHere | None:
    """Run a recorded artefact here; return what it does if, on the same input, that differs from the recording.

    Args:
        candidate: The candidate's source.
        recorded: Its trace.
        pictures: Of the trace.
        caller: How to preprocess for an artefact that takes the network's own input.
        score_floor: Lowest score that both sides hand out.
    """
    if not isinstance(candidate, RecordedSource) or not _lies_here(recorded):
        return None
    source = parse_source(recorded.source)
    here = source.trace(pictures, caller=caller)
    between = compare_traces(here, recorded, score_floor=score_floor)
    given = "pixels" if recorded.source.startswith("tflite:") else "image"
    if between.first_divergence is None or between.stage(given).status != "equal":
        return None  # nothing differs, or what both were given does: that is not the runtime's doing
    result = between.stage(between.first_divergence)
    there, now = (_runtime(trace.provenance) for trace in (recorded, here))
    evidence = (
        f"the same file gives another result in {result.differing_images} of {between.images} pictures at "
        f"{result.stage}, recorded there ({there}) and run here ({now})"
    )
    claim = f"runs in another runtime: {there}"
    fix = f"deploy with the runtime that was evaluated ({now}), or evaluate in the one that is deployed"
    return RunHere(source, here, Cause(FAULT, fault(FAULT).stage, True, claim, evidence, fix))


def _lies_here(recorded: Trace) -> bool:
    """Say whether the artefact that a trace names is at its place, with the same content."""
    kind, _, place = recorded.source.partition(":")
    path = Path(place)
    if kind == "tflite" and path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest() == recorded.provenance.get("file_sha256")
    if kind == "savedmodel" and (path / "saved_model.pb").is_file():
        digest = hashlib.sha256()
        for file in sorted((path / "variables").glob("*")):
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
        return digest.hexdigest() == recorded.provenance.get("weights_sha256")
    return False


def _runtime(provenance: Mapping[str, Any]) -> str:
    """Put into words what ran: versions, and what else the recorder noted."""
    versions = provenance.get("versions", {})
    names = ("tensorflow", "ai-edge-litert", "numpy")
    told = [f"{name} {versions[name]}" for name in names if name in versions]
    return ", ".join([*told, *([str(provenance["machine"])] if "machine" in provenance else [])]) or "unknown"
