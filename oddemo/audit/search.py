"""Running hypotheses: cheap pictures first, then all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from oddemo.audit.bench import Bench
from oddemo.audit.compare import compare_stage
from oddemo.audit.faults.record import Hypothesis
from oddemo.audit.images import ImageSet
from oddemo.audit.match import likeness
from oddemo.audit.networks import OtherNetwork
from oddemo.audit.settings import Settings
from oddemo.audit.stages import STAGES, stage_index, tolerance_for
from oddemo.audit.trace import Trace

#: Pictures on which a hypothesis must pass before it is tried on all.
PROBE_IMAGES = 6
#: Overlaps that are this near the threshold of suppression may fall on either side of it.
IOU_EDGE = 1e-4
#: The difference between arrays of different shapes: more than any numbers can be apart, so a change that brings the
#: shape is seen to help.
OTHER_SHAPE = 2.0


@dataclass(eq=False)
class Search:
    """One diagnosis under way: runs hypotheses on the bench and measures what is left of the difference.

    Attributes:
        bench: The reference.
        pictures: All pictures of the audit.
        candidate: The candidate's trace on them.
        networks: Other networks that the bench knows.
        on_try: Called before each hypothesis.
        tried: How many were run.
        probe: The pictures on which hypotheses are tried first.
        probe_candidate: The candidate's trace on these.
    """

    bench: Bench
    pictures: ImageSet
    candidate: Trace
    networks: tuple[OtherNetwork, ...]
    on_try: Callable[[Hypothesis], None] | None
    tried: int = 0
    probe: ImageSet = field(init=False)
    probe_candidate: Trace = field(init=False)

    def focus(self, reference: Trace, stage: str) -> None:
        """Choose the pictures on which hypotheses are tried first: those that differ most visibly."""
        order = np.argsort([-score for score in self._differences(reference, self.candidate, stage)], kind="stable")
        chosen = sorted(order[:PROBE_IMAGES].tolist())
        self.probe = self.pictures.take(chosen)
        self.probe_candidate = take(self.candidate, chosen)

    def run(self, pictures: ImageSet, settings: Settings, stage: str) -> Trace:
        """Run the reference as far as needed, keeping only stages that the candidate shows.

        Where the candidate's boxes and scores before suppression can be seen and agree with the reference's, the
        reference's suppression runs on the candidate's: near-equal scores then fall in the same order on both sides.
        """
        if settings.network.training_mode and pictures is not self.pictures:
            # Who is in the batch matters: all pictures are run, as the candidate ran them.
            whole = self.run(self.pictures, settings, stage)
            return take(whole, [whole.image_names.index(name) for name in pictures.names])
        candidate = self.candidate if pictures is self.pictures else self.probe_candidate
        decoded = candidate.dense.get("decoded")
        inner = "decoded" if decoded is not None and stage_index(stage) > stage_index("decoded") else stage
        trace = self.bench.trace(pictures, settings, upto=inner, stages=tuple(candidate.dense))
        if settings.post.score_step and trace.detections:
            trace = self._with_ties_as(candidate, trace, pictures, settings)
        if inner == stage or decoded is None:
            return trace
        if compare_stage("decoded", trace, candidate).status == "differs":
            return self.bench.trace(pictures, settings, upto=stage, stages=tuple(candidate.dense))
        return replace(trace, detections=tuple(self.bench.suppressed(pictures, decoded, settings)))

    def _with_ties_as(self, candidate: Trace, trace: Trace, pictures: ImageSet, settings: Settings) -> Trace:
        """Settle ties as the candidate does.

        Rounded scores are often equal, and no rule says which box then goes first; rounded boxes often overlap by the
        very threshold, and the last digit decides.
        """
        ways = [
            replace(settings.post, ties_last=last, nms_iou=settings.post.nms_iou + edge)
            for last, edge in itertools.product((False, True), (0.0, -IOU_EDGE, IOU_EDGE))
        ]
        others = [self.bench.trace(pictures, replace(settings, post=way), stages=()).detections for way in ways]
        nearest = [
            max(found, key=lambda one: likeness(one, seen))
            for *found, seen in zip(*others, candidate.detections, strict=True)
        ]
        return replace(trace, detections=tuple(nearest))

    def attempt(self, hypothesis: Hypothesis, stage: str) -> float:
        """Try a hypothesis and return what is left of the difference; 0 only if all pictures agree."""
        self.tried += 1
        if self.on_try is not None:
            self.on_try(hypothesis)
        left = self.distance(hypothesis.settings, stage)
        if left == 0.0 and not self.cured(hypothesis.settings, stage):
            return 1e-6
        return left

    def distance(self, settings: Settings, stage: str) -> float:
        """Return how far the reference under these settings is from the candidate on the probe pictures; 0 if equal."""
        reference = self.run(self.probe, settings, stage)
        if self._equal_upto(reference, self.probe_candidate, stage, settings):
            return 0.0  # also where both find nothing on these few pictures; `cured` looks at all of them
        gaps = self._differences(reference, self.probe_candidate, stage)
        return max(1e-6, float(np.mean(gaps)))

    def distance_without_classes(self, settings: Settings) -> float:
        """Return how far the detections are from the candidate's on the probe pictures if class ids are left aside."""
        reference = self.run(self.probe, settings, "detections")
        pairs = zip(reference.detections, self.probe_candidate.detections, strict=True)
        return float(np.mean([1.0 - likeness(first, second, classes=False) for first, second in pairs]))

    def cured(self, settings: Settings, stage: str) -> bool:
        """Return whether nothing differs any more up to a stage, on all pictures."""
        reference = self.run(self.pictures, settings, stage)
        if stage in ("detections", "labels") and not any(len(d) for d in reference.detections):
            return False  # nothing is detected on either side: that proves nothing
        return self._equal_upto(reference, self.candidate, stage, settings)

    @staticmethod
    def _equal_upto(reference: Trace, candidate: Trace, stage: str, settings: Settings) -> bool:
        floor = settings.post.score_threshold
        results = (
            compare_stage(name, reference, candidate, score_floor=floor) for name in STAGES[: stage_index(stage) + 1]
        )
        return all(result.status != "differs" for result in results)

    @staticmethod
    def _differences(reference: Trace, candidate: Trace, stage: str) -> list[float]:
        """Return a difference a picture to rank by: 0 to 1, and `OTHER_SHAPE` where nothing can be subtracted."""
        if stage in ("detections", "labels"):
            pairs = zip(reference.detections, candidate.detections, strict=True)
            return [1.0 - likeness(first, second) for first, second in pairs]
        if stage == "image":
            pairs_of_images = zip(reference.images, candidate.images, strict=True)
            return [OTHER_SHAPE if a.shape != b.shape else float(np.mean(a != b)) for a, b in pairs_of_images]
        return _dense_differences(reference, candidate, stage)


def _dense_differences(reference: Trace, candidate: Trace, stage: str) -> list[float]:
    first, second = reference.dense[stage], candidate.dense[stage]
    total = np.zeros(len(reference.image_names))
    for name in sorted(set(first) & set(second)):
        if first[name].shape != second[name].shape:
            return [OTHER_SHAPE] * len(total)
        tolerance = tolerance_for(stage, name)
        gap = np.abs(first[name].astype(np.float64) - second[name])
        spread = float(np.std(second[name])) + tolerance.absolute
        total = np.maximum(total, np.minimum(1.0, gap.reshape(len(gap), -1).mean(axis=1) / spread))
    return [float(value) for value in total]


def take(trace: Trace, indices: Sequence[int]) -> Trace:
    """Return a trace of some of its pictures."""
    return replace(
        trace,
        image_names=tuple(trace.image_names[i] for i in indices),
        images=tuple(trace.images[i] for i in indices) if trace.images else (),
        dense={stage: {n: a[list(indices)] for n, a in arrays.items()} for stage, arrays in trace.dense.items()},
        detections=tuple(trace.detections[i] for i in indices) if trace.detections else (),
    )
