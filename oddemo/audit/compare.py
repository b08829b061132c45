"""Comparing two traces stage by stage, and naming the first stage that differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.match import DetectionAgreement, agreement, pair_detections
from oddemo.audit.stages import STAGES, tolerance_for
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError


@dataclass(frozen=True)
class StageResult:
    """What the comparison of one stage found.

    Attributes:
        stage: Its name.
        status: `equal`, `differs`, or `not_compared` where one side does not show the stage.
        largest_difference: Largest absolute difference in the stage's own unit; None where shapes differ.
        differing_images: Number of pictures in which the stage differs.
        detail: One sentence for people.
    """

    stage: str
    status: str
    largest_difference: float | None = None
    differing_images: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """All stages of a pair of traces, in pipeline order."""

    images: int
    stages: tuple[StageResult, ...]

    @property
    def first_divergence(self) -> str | None:
        """The first stage that differs, or None if all that were compared are equal."""
        return next((result.stage for result in self.stages if result.status == "differs"), None)

    @property
    def compared(self) -> tuple[str, ...]:
        """The stages that both sides show."""
        return tuple(result.stage for result in self.stages if result.status != "not_compared")

    def stage(self, name: str) -> StageResult:
        """Return one stage's result."""
        return next(result for result in self.stages if result.stage == name)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the stages as JSON values."""
        return [asdict(result) for result in self.stages]


def compare_traces(reference: Trace, candidate: Trace, *, score_floor: float | None = None) -> Comparison:
    """Compare every stage that both traces show.

    Args:
        reference: Trace of the model as it was trained.
        candidate: Trace of its export on the same pictures.
        score_floor: The reference's score threshold, below which detections come and go with float noise; its lowest
            reported score if not given.

    Raises:
        OddemoError: If the traces are of different pictures, share no stage beyond the picture itself, or have no name
            in common.
    """
    if reference.image_names != candidate.image_names:
        shared = set(reference.image_names) & set(candidate.image_names)
        raise OddemoError(
            "The two traces are not of the same pictures.",
            expected=f"{len(reference.image_names)} pictures in the same order, first {reference.image_names[0]}",
            found=f"{len(candidate.image_names)} pictures, first {candidate.image_names[0]}; {len(shared)} are shared",
            do="record both sources on the same folder",
        )
    if reference.labels and candidate.labels and not set(reference.labels) & set(candidate.labels):
        raise OddemoError(
            "The two sources have no class name in common.",
            expected=", ".join(reference.labels),
            found=", ".join(candidate.labels),
            do="put the label map of training beside the candidate, or none: its ids then get the reference's names",
        )
    results = tuple(compare_stage(stage, reference, candidate, score_floor=score_floor) for stage in STAGES)
    comparison = Comparison(images=len(reference.image_names), stages=results)
    if not set(comparison.compared) - {"image", "labels"}:
        raise OddemoError(
            "The two sources show no common stage, so nothing was compared.",
            expected="at least one of pixels, heads, decoded, detections on both sides",
            found=f"reference: {', '.join(reference.stages)}; candidate: {', '.join(candidate.stages)}",
        )
    return comparison


def compare_stage(stage: str, reference: Trace, candidate: Trace, *, score_floor: float | None = None) -> StageResult:
    """Compare one stage of two traces of the same pictures."""
    if stage not in reference.stages or stage not in candidate.stages:
        missing = [
            name for name, trace in (("reference", reference), ("candidate", candidate)) if stage not in trace.stages
        ]
        return StageResult(stage, "not_compared", detail=f"not shown by the {' and the '.join(missing)}")
    if stage == "image":
        return _compare_images(reference, candidate)
    if stage == "detections":
        return _compare_detections(reference, candidate, score_floor)
    if stage == "labels" and reference.detections and candidate.detections:
        return _compare_labels(reference, candidate)
    if stage == "labels":
        return StageResult(stage, "not_compared", detail="there are no detections to name")
    return compare_dense(stage, reference.dense[stage], candidate.dense[stage])


def compare_dense(
    stage: str, reference: Mapping[str, NDArray[Any]], candidate: Mapping[str, NDArray[Any]]
) -> StageResult:
    """Compare the arrays of one stage, each within its tolerance."""
    names = sorted(set(reference) & set(candidate))
    if not names:
        return StageResult(
            stage, "not_compared", detail=f"no common array: {sorted(reference)} against {sorted(candidate)}"
        )
    differing: NDArray[np.bool_] | None = None
    largest, worst = 0.0, names[0]
    for name in names:
        first, second = reference[name], candidate[name]
        if first.shape != second.shape:
            shapes = f"shape {first.shape[1:]} in the reference and {second.shape[1:]} in the candidate"
            detail = f"{_array_words(stage, name)} has {shapes}"
            return StageResult(stage, "differs", None, len(first), detail)
        tolerance = tolerance_for(stage, name)
        gap = np.abs(first.astype(np.float64) - second)
        over = (gap > tolerance.absolute + tolerance.relative * np.abs(first)).reshape(len(first), -1).any(axis=1)
        differing = over if differing is None else differing | over
        if gap.size and gap.max() >= largest:
            largest, worst = float(gap.max()), name
    count = int(differing.sum()) if differing is not None else 0
    status = "differs" if count else "equal"
    return StageResult(stage, status, largest, count, f"{_array_words(stage, worst)}: largest difference {largest:.3g}")


def _array_words(stage: str, name: str) -> str:
    """Feature maps are named by number alone."""
    return f"level {name} (level 0 is the finest)" if stage == "features" and name.isdecimal() else name


def _compare_images(reference: Trace, candidate: Trace) -> StageResult:
    largest, count, shapes = 0.0, 0, 0
    for first, second in zip(reference.images, candidate.images, strict=True):
        if first.shape != second.shape:
            shapes += 1
            count += 1
            continue
        gap = int(np.abs(first.astype(np.int16) - second).max(initial=0))
        largest = max(largest, float(gap))
        count += gap > 0
    detail = f"largest difference {largest:.0f} grey levels"
    if shapes:
        detail = f"{shapes} pictures have another height and width; " + detail
    return StageResult("image", "differs" if count else "equal", None if shapes else largest, count, detail)


def detection_agreements(
    reference: Trace, candidate: Trace, score_floor: float | None = None
) -> tuple[DetectionAgreement, ...]:
    """Match the detections picture by picture."""
    pairs = list(zip(reference.detections, candidate.detections, strict=True))
    if score_floor is None:
        score_floor = min((float(d.scores.min()) for d, _ in pairs if len(d)), default=0.0)
    return tuple(agreement(first, second, floor=score_floor) for first, second in pairs)


def _compare_detections(reference: Trace, candidate: Trace, score_floor: float | None) -> StageResult:
    results = detection_agreements(reference, candidate, score_floor)
    count = sum(not result.equal for result in results)
    box = max(result.largest_box_difference_px for result in results)
    score = max(result.largest_score_difference for result in results)
    total = {
        name: sum(getattr(result, name) for result in results)
        for name in ("paired", "moved", "reference_only", "candidate_only")
    }
    detail = (
        f"{total['paired']} agree, {total['moved']} moved, {total['reference_only']} only in the reference, "
        f"{total['candidate_only']} only in the candidate; boxes within {box:.2g} px, scores within {score:.2g}"
    )
    return StageResult("detections", "differs" if count else "equal", box, count, detail)


def label_of(class_id: int, labels: tuple[str, ...]) -> str:
    """Return the name of a class id, or words that say that it has none."""
    return labels[class_id - 1] if 1 <= class_id <= len(labels) else f"id {class_id} (no name)"


def _compare_labels(reference: Trace, candidate: Trace) -> StageResult:
    """Compare the names that paired detections end up with, and the sets of names."""
    swaps: Counter[tuple[str, str]] = Counter()
    differing = 0
    for first, second in zip(reference.detections, candidate.detections, strict=True):
        before = swaps.total()
        for row, column in pair_detections(first, second).pairs:
            old = label_of(int(first.class_ids[row]), reference.labels)
            new = label_of(int(second.class_ids[column]), candidate.labels)
            if old != new:
                swaps[old, new] += 1
        differing += swaps.total() > before
    missing = sorted(set(reference.labels) ^ set(candidate.labels))
    if missing and not differing:
        differing = len(reference.image_names)
    told = [f"{old} becomes {new} ({count}x)" for (old, new), count in swaps.most_common(4)]
    if missing:
        told.append(f"names on one side only: {', '.join(missing[:6])}")
    detail = "; ".join(told) if told else "every paired detection has the same name"
    return StageResult("labels", "differs" if told else "equal", None, differing, detail)
