"""An audit from start to end: run both sources, compare, diagnose, weigh the effect, pass the verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.audit.bench import Bench
from oddemo.audit.compare import compare_traces
from oddemo.audit.diagnose import Cause, Diagnosis, diagnose
from oddemo.audit.effect import (
    change_in_errors,
    change_in_map,
    other_files,
    scores_moved,
    truth_for,
    weak_spots,
    why_unmeasured,
)
from oddemo.audit.elsewhere import run_here
from oddemo.audit.faults.record import Hypothesis
from oddemo.audit.images import ImageSet, image_set
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.base import Reference, Source, as_reference
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.trace import Trace
from oddemo.audit.verdict import Audit, Material, verdict_of
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError
from oddemo.progress import Tell, silent
from oddemo.provenance import provenance

_NO_BENCH = (
    "the reference cannot be run under changed settings, so no causes were searched: give it as tfvision:DIR or "
    "odapi:DIR"
)
_NO_CAUSES = "no causes were searched: "


def audit(
    reference: str | Source,
    candidate: str | Source,
    images: Path | ImageSet,
    *,
    truth: Dataset | None = None,
    limit: int | None = None,
    tell: Tell | None = None,
) -> Audit:
    """Find out whether a candidate behaves as the reference does, and if not, why.

    Args:
        reference: The detector as it was trained; `tfvision:DIR` or `odapi:DIR` for a full diagnosis.
        candidate: Its export: `savedmodel:DIR`, `tflite:FILE`, `python:FILE.py:FUNCTION`, `trace:FILE.npz`, or another
            `tfvision:DIR`.
        images: Folder of pictures, or a set of them.
        truth: True boxes for these pictures; the change in mAP is then measured.
        limit: Use so many pictures, evenly spread.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If a source cannot be read or run, there are no pictures, or nothing could be compared.
    """
    say = tell or silent
    clock = _Clock()
    pictures = images if isinstance(images, ImageSet) else image_set(images, limit=limit)
    boxes = None if truth is None else truth_for(truth, pictures)
    with clock.measure("load"):
        say("loading the reference")
        first = parse_source(reference) if isinstance(reference, str) else reference
        say("loading the candidate")
        second = parse_source(candidate) if isinstance(candidate, str) else candidate
        runnable = as_reference(first)
        bench, no_bench = _bench_of(runnable)
    notes: list[str] = []
    with clock.measure("run"):
        say(f"running both on {len(pictures)} pictures")
        traces = _traces(first, second, pictures, caller=None if bench is None else bench.settings.pre)
    with clock.measure("compare"):
        floor = None if bench is None else bench.settings.post.score_threshold
        comparison = compare_traces(*traces, score_floor=floor)
    differs = comparison.first_divergence is not None
    notes += traces[1].provenance.get("notes", [])
    strangers = None if boxes is None else other_files(boxes, pictures)
    if strangers is not None:
        notes.append(strangers)
    with clock.measure("effect"):
        unmeasured = why_unmeasured(boxes)
        delta = None if boxes is None or unmeasured else change_in_map(boxes, *traces)
        errors = None if delta is None or boxes is None or not differs else change_in_errors(boxes, *traces)
        weak = None if delta is None or boxes is None or differs else weak_spots(boxes, traces[0], delta)
    found = _Found()
    if differs:
        with clock.measure("diagnose"):
            say(f"looking for the cause of the difference at {comparison.first_divergence}")
            notes += [no_bench] if no_bench else []
            found = _searched(runnable, bench, second, traces=traces, pictures=pictures, notes=notes, say=say)
    if unmeasured:
        notes.append(unmeasured)
    verdict = verdict_of(comparison, found.causes, explained=found.explained, delta_map=delta)
    moved_scores = scores_moved(*traces) if verdict == "benign" else None
    if moved_scores is not None:
        notes.append(moved_scores)
    return Audit(
        reference=first.spec,
        candidate=second.spec,
        verdict=verdict,
        comparison=comparison,
        causes=found.causes,
        after=None if found.diagnosis is None else found.diagnosis.after,
        delta_map=delta,
        errors=errors,
        weak_spots=weak,
        contract=_contract(first, second),
        notes=tuple(notes),
        provenance=provenance(seeds=[0]),
        seconds=clock.seconds,
        material=Material(pictures, *traces, None if found.diagnosis is None else found.diagnosis.cured, boxes),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """What the search for causes found, here and where a recorded artefact was run again."""

    diagnosis: Diagnosis | None = None
    causes: tuple[Cause, ...] = ()
    explained: bool = False


def _searched(
    runnable: Reference | None,
    bench: Bench | None,
    candidate: Source,
    *,
    traces: tuple[Trace, Trace],
    pictures: ImageSet,
    notes: list[str],
    say: Tell,
) -> _Found:
    """Search for causes: first whether the runtime is one, then on the bench."""
    caller = None if bench is None else bench.settings.pre
    floor = None if bench is None else bench.settings.post.score_threshold
    moved = run_here(candidate, traces[1], pictures, caller=caller, score_floor=floor)
    runs, seen = (candidate, traces[1]) if moved is None else (moved.source, _named(moved.trace, traces[0]))
    by_runtime = () if moved is None else (moved.cause,)
    if bench is not None and not isinstance(runnable, TFVisionSource):
        bench = _bench_that_repeats(bench, traces[0], pictures, notes)
    if bench is None or runnable is None:
        same_here = compare_traces(traces[0], seen, score_floor=floor).first_divergence is None
        return _Found(None, by_runtime, moved is not None and same_here)
    networks = runnable.other_networks(runs, pictures, traces[0], seen)
    found = diagnose(bench, pictures, traces[0], seen, networks=networks, on_try=lambda h: say(_trying(h)))
    return _Found(found, (*by_runtime, *found.causes), found.explained)


def _traces(first: Source, second: Source, pictures: ImageSet, *, caller: Preprocessing | None) -> tuple[Trace, Trace]:
    reference = first.trace(pictures, caller=caller)
    return reference, _named(second.trace(pictures, caller=caller), reference)


def _named(candidate: Trace, reference: Trace) -> Trace:
    """Give a candidate that ships no label map the names of the reference, by id."""
    from dataclasses import replace

    return candidate if candidate.labels else replace(candidate, labels=reference.labels)


def _trying(hypothesis: Hypothesis) -> str:
    return f"trying {hypothesis.fault}: {hypothesis.claim}"


def _bench_of(source: Reference | None) -> tuple[Bench | None, str]:
    """Return the reference on the bench, or None and why not."""
    if source is None:
        return None, _NO_BENCH
    try:
        return source.bench, ""
    except OddemoError as error:
        return None, f"{_NO_CAUSES}{error}"


def _bench_that_repeats(bench: Bench, reference: Trace, pictures: ImageSet, notes: list[str]) -> Bench | None:
    """Return the bench if it says what the reference itself said, elsewhere; else None, with a note."""
    floor = bench.settings.post.score_threshold
    apart = compare_traces(reference, bench.trace(pictures, bench.settings), score_floor=floor).first_divergence
    if apart is None:
        return bench
    notes.append(f"{_NO_CAUSES}run stage by stage, the reference does not repeat itself at {apart}")
    return None


def _contract(first: Source, second: Source) -> dict[str, Any]:
    """Read what the contract cards of both artefacts differ in; cards that cannot be read say why."""
    from oddemo.export.cards import diff_artefacts

    if not all(source.spec.startswith(("tfvision:", "odapi:", "savedmodel:", "tflite:")) for source in (first, second)):
        return {}
    places = [source.spec.partition(":")[2] for source in (first, second)]
    try:
        _, _, differences, weights = diff_artefacts(*places)
    except OddemoError as error:
        return {"not_read": str(error)}
    told: dict[str, Any] = {"differences": [difference.to_json() for difference in differences]}
    if weights is not None:
        told["weights"] = {"relation": weights.relation, "meaning": weights.meaning}
    return told


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = time.perf_counter() - start
