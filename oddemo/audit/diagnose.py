"""Finding the causes: take the earliest difference, look for the change of the reference that removes it, go on.

A cause counts as verified only when the reference, run with that one change, no longer differs from the candidate at
the stage in question, or at any stage before it, on any picture of the audit. Several faults are found one after the
other; where no single change helps, two and three together are tried. What cannot be removed is called unexplained,
never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice

from oddemo.audit.bench import Bench
from oddemo.audit.compare import Comparison, StageResult, compare_traces
from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.faults.registry import FAULTS
from oddemo.audit.faults.registry import fault as registered
from oddemo.audit.images import ImageSet
from oddemo.audit.networks import OtherNetwork
from oddemo.audit.search import OTHER_SHAPE, Search
from oddemo.audit.settings import Settings
from oddemo.audit.stages import STAGES, stage_index
from oddemo.audit.together import Attempt, Together, best_of_each_fault
from oddemo.audit.trace import Trace

#: Rounds, each of which may find one more cause (or a pair).
ROUNDS = 4
#: Hypotheses of one fault that are tried.
MOST_HYPOTHESES = 128
#: A suspicion is reported if it removes at least this part of the difference.
SUSPICION = 0.25


@dataclass(frozen=True)
class Cause:
    """A named cause.

    Attributes:
        id: Fault id.
        stage: Where it acts.
        verified: Whether the reference with this change no longer differs where it did.
        claim: What the candidate does.
        evidence: What was measured, before and after.
        fix: What to change in the candidate.
        also: Other hypotheses that remove the difference just as well on these pictures.
    """

    id: str
    stage: str
    verified: bool
    claim: str
    evidence: str
    fix: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found.

    Attributes:
        causes: Verified ones in pipeline order; then at most one suspicion.
        before: The comparison as it is.
        after: The comparison with all verified causes taken on by the reference.
        settings: The reference's settings with all verified causes.
        cured: The reference's trace under them.
        tried: How many hypotheses were run.
    """

    causes: tuple[Cause, ...]
    before: Comparison
    after: Comparison
    settings: Settings
    cured: Trace
    tried: int

    @property
    def explained(self) -> bool:
        """Whether the verified causes account for every difference."""
        return self.after.first_divergence is None


def diagnose(
    bench: Bench,
    pictures: ImageSet,
    reference: Trace,
    candidate: Trace,
    *,
    networks: Sequence[OtherNetwork] = (),
    on_try: Callable[[Hypothesis], None] | None = None,
) -> Diagnosis:
    """Find out why the candidate differs from the reference.

    Args:
        bench: The reference, runnable under changed settings.
        pictures: The pictures of both traces.
        reference: Trace of the reference as it is.
        candidate: Trace of the candidate.
        networks: Other networks that the bench knows, most likely first.
        on_try: Called before each hypothesis, for progress.
    """
    before = compare_traces(reference, candidate, score_floor=bench.settings.post.score_threshold)
    search = Search(bench, pictures, candidate, tuple(networks), on_try)
    settings, current, comparison = bench.settings, reference, before
    causes: list[Cause] = []
    for _ in range(ROUNDS):
        stage = comparison.first_divergence
        if stage is None:
            break
        search.focus(current, stage)
        found = _explain(search, settings, current, comparison, stage)
        causes += found.causes
        if found.settings is None:
            break
        settings = found.settings
        current = search.run(pictures, settings, "labels")
        comparison = compare_traces(current, candidate, score_floor=settings.post.score_threshold)
    verified = sorted((c for c in causes if c.verified), key=lambda c: stage_index(c.stage))
    suspicions = [c for c in causes if not c.verified]
    return Diagnosis((*verified, *suspicions[:1]), before, comparison, settings, current, search.tried)


@dataclass(frozen=True)
class _Found:
    causes: tuple[Cause, ...]
    settings: Settings | None


def _explain(search: Search, settings: Settings, current: Trace, comparison: Comparison, stage: str) -> _Found:
    """Find the change, or the pair of changes, that removes the first difference."""
    faults = [fault for fault in FAULTS if _can_explain(fault, stage, comparison.compared)]
    evidence = Evidence(settings, current, search.candidate, search.networks, search.pictures.paths)
    start = search.distance(settings, stage)
    result = comparison.stage(stage)
    if start == 0.0 and search.cured(settings, stage):
        return _Found((_verified(_noise(settings), result, comparison.images, ()),), settings)
    attempts: list[Attempt] = []
    for _, group in groupby(_proposals(faults, search.bench, evidence), key=lambda item: item[0]):
        tried = [Attempt(search.attempt(hypothesis, stage), hypothesis) for _, hypothesis in group]
        solutions = [attempt.hypothesis for attempt in tried if attempt.left == 0.0]
        if solutions:
            also = tuple(dict.fromkeys(h.claim for h in solutions[1:] if h.fault != solutions[0].fault))
            return _Found((_verified(solutions[0], result, comparison.images, also),), solutions[0].settings)
        attempts += tried
    attempts.sort(key=lambda attempt: attempt.left)

    def others() -> list[Hypothesis]:
        # Where ids are shifted as well, hardly a detection is alike, and no partial improvement shows.
        return _by_boxes(search, settings, attempts) if stage == "detections" else []

    propose = partial(_proposals, faults, search.bench)
    together = Together(search, evidence, stage, propose, attempts, start).explain(others)
    if together:
        named = tuple(_verified(h, result, comparison.images, (), together=len(together)) for h in together)
        return _Found(named, together[-1].settings)
    return _Found(_suspicion(attempts, start, stage), None)


def _by_boxes(search: Search, settings: Settings, attempts: Sequence[Attempt]) -> list[Hypothesis]:
    """Return the best partial improvement of each fault if class ids are left aside, best first."""
    start = search.distance_without_classes(settings)
    asked = {one.hypothesis.settings: one.hypothesis for one in attempts if not one.hypothesis.rank}
    ranked = sorted(((search.distance_without_classes(way), place) for place, way in enumerate(asked)))
    found = list(asked.values())
    return best_of_each_fault(found[place] for left, place in ranked if left < start)


def _can_explain(fault: Fault, stage: str, compared: Sequence[str]) -> bool:
    """Say whether a fault can be behind a first difference at `stage`: no stage that would show it earlier is equal."""
    possible = range(stage_index(fault.shows_at), stage_index(fault.shows_until) + 1)
    return stage in [next((s for s in STAGES[first:] if s in compared), None) for first in possible]


def _proposals(faults: Iterable[Fault], bench: Bench, evidence: Evidence) -> list[tuple[int, Hypothesis]]:
    """Return (rank, hypothesis) that the bench can run, cheap ones first, each settings once."""
    unique: dict[Settings, Hypothesis] = {}
    for fault in faults:
        for hypothesis in islice(fault.propose(evidence), MOST_HYPOTHESES):
            if bench.can_run(hypothesis.settings):
                unique.setdefault(hypothesis.settings, hypothesis)
    ranked = [(max(h.rank, int(h.settings.pre != evidence.settings.pre)), h) for h in unique.values()]
    return sorted(ranked, key=lambda item: item[0])


def _noise(settings: Settings) -> Hypothesis:
    return Hypothesis(
        "numeric_noise",
        settings,
        "rounds differently in the last digits, and scores that are equal but for that come out in another order",
        "nothing to change: the boxes and scores before suppression agree",
    )


def _verified(
    hypothesis: Hypothesis, result: StageResult, images: int, also: tuple[str, ...], *, together: int = 1
) -> Cause:
    taken_on = "this" if together == 1 else f"this and {'another' if together == 2 else 'two others'}"
    evidence = (
        f"as it is, {result.differing_images} of {images} pictures differ at {result.stage}; "
        f"with {taken_on} taken on by the reference, 0 of {images} differ up to {result.stage}"
    )
    stage = registered(hypothesis.fault).stage
    return Cause(hypothesis.fault, stage, True, hypothesis.claim, evidence, hypothesis.fix, also)


def _suspicion(attempts: Sequence[Attempt], start: float, stage: str) -> tuple[Cause, ...]:
    """Report the most helpful change that does not remove the whole difference, if it helps enough; not verified."""
    if not attempts or start <= 0.0 or attempts[0].left > (1.0 - SUSPICION) * start:
        return ()
    best = attempts[0].hypothesis
    removed = 1.0 - attempts[0].left / start
    evidence = f"taken on by the reference, it removes {removed:.0%} of the difference at {stage}, not all of it"
    if start >= OTHER_SHAPE:
        evidence = f"taken on by the reference, its arrays at {stage} have the candidate's shape; their numbers differ"
    return (Cause(best.fault, registered(best.fault).stage, False, best.claim, evidence, best.fix),)
