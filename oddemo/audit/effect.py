"""What a difference costs: the change in mAP on the same pictures, with its paired interval."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from oddemo.audit.images import ImageSet
from oddemo.audit.trace import Trace
from oddemo.audit.verdict import DeltaMap
from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError

if TYPE_CHECKING:
    from oddemo.audit.weak_spots import WeakSpots
    from oddemo.metrics.errors import ErrorComparison

#: A score from which detections are usually drawn.
SURE = 0.5


def truth_for(truth: Dataset, pictures: ImageSet) -> Dataset:
    """Return the true boxes of these pictures, in their order.

    An entry belongs to a picture if both have the same path, or one path ends in the other, or they alone have the same
    file name.

    Raises:
        OddemoError: If a picture has no entry in the annotations, or shares it with another.
    """
    by_base: dict[str, list[ImageRecord]] = defaultdict(list)
    for record in truth.records:
        by_base[record.file_name.rpartition("/")[2]].append(record)
    records = [_entry_of(name, by_base[name.rpartition("/")[2]]) for name in pictures.names]
    found = [record for record in records if record is not None]
    uses = Counter(record.file_name for record in found)
    missing = [
        name
        for name, record in zip(pictures.names, records, strict=True)
        if record is None or uses[record.file_name] > 1
    ]
    if missing:
        raise OddemoError(
            "The true boxes do not cover the pictures.",
            expected=f"an entry for each of the {len(pictures)} pictures",
            found=f"none, or not a clear one, for {len(missing)} of them, first {missing[0]}",
            do="give the annotations that belong to this folder",
        )
    return replace(truth, records=tuple(found))


def other_files(truth: Dataset, pictures: ImageSet) -> str | None:
    """Return a note if the pictures that the true boxes were written for lie there too, and are not these.

    Names alone do not tell: every split of a set may begin with `000000.jpg`.

    Args:
        truth: True boxes of these pictures, in their order (see `truth_for`).
        pictures: What is audited.
    """
    other = 0
    for record, path in zip(truth.records, pictures.paths, strict=True):
        own = truth.image_path(record)
        if own.is_file() and not own.samefile(path):
            other += own.stat().st_size != path.stat().st_size or own.read_bytes() != path.read_bytes()
    if not other:
        return None
    return (
        f"the true boxes were written for other files of these names ({other} of {len(pictures)} differ in content): "
        "check that they belong to these pictures, or the mAP means nothing"
    )


def _entry_of(name: str, same_base: list[ImageRecord]) -> ImageRecord | None:
    for fits in (
        [record for record in same_base if record.file_name == name],
        [r for r in same_base if name.endswith(f"/{r.file_name}") or r.file_name.endswith(f"/{name}")],
        same_base,
    ):
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def why_unmeasured(truth: Dataset | None) -> str | None:
    """Return why a change in mAP cannot be measured on these pictures, or None if it can."""
    if truth is None:
        return "no true boxes were given, so the effect on mAP was not measured"
    if len(truth) < 2:
        return "one picture is too few for an interval, so the effect on mAP was not measured"
    if not any(len(record.class_ids) for record in truth.records):
        return "no picture has a true box, so the effect on mAP was not measured"
    return None


def change_in_map(truth: Dataset, reference: Trace, candidate: Trace) -> DeltaMap:
    """Return candidate minus reference in COCO mAP, with its 95 % interval over pictures.

    Class ids count by name where the candidate has a label map of its own.

    Args:
        truth: True boxes of the pictures of both traces, in their order (see `truth_for`).
        reference: Trace of the reference.
        candidate: Trace of the candidate.

    Raises:
        OddemoError: If the classes have no name in common, or see `why_unmeasured`.
    """
    from oddemo.metrics.average_precision import average_precision
    from oddemo.metrics.interval import delta_map_interval
    from oddemo.metrics.matches import match_dataset

    matches = [
        match_dataset(truth, [renamed(d, trace.labels, truth.class_names) for d in trace.detections])
        for trace in (reference, candidate)
    ]
    interval = delta_map_interval(*matches)
    points = [float(average_precision(one)[0]) for one in matches]
    return DeltaMap(interval.point, interval.low, interval.high, len(truth), points[0], points[1])


def change_in_errors(truth: Dataset, reference: Trace, candidate: Trace) -> ErrorComparison:
    """Return which kinds of mistakes the candidate makes more or less often: a symptom, not a cause.

    Args:
        truth: True boxes of the pictures of both traces, in their order (see `truth_for`).
        reference: Trace of the reference.
        candidate: Trace of the candidate.
    """
    from oddemo.metrics.errors import describe_change, error_profile

    profiles = [
        error_profile(truth, [renamed(d, trace.labels, truth.class_names) for d in trace.detections])
        for trace in (reference, candidate)
    ]
    return describe_change(*profiles)


def scores_moved(reference: Trace, candidate: Trace) -> str | None:
    """Say so if the candidate is sure of far more or far fewer detections: mAP looks at the order of scores alone.

    Returns:
        A sentence, or None if the numbers of detections from a score of 0.5 on are within a tenth of each other.
    """
    sure = [sum(len(found.above(SURE)) for found in trace.detections) for trace in (reference, candidate)]
    if abs(sure[0] - sure[1]) <= 0.1 * max(sure):
        return None
    return (
        f"mAP looks at the order of scores alone: {sure[1]} detections of the candidate have a score of {SURE:g} or "
        f"more, {sure[0]} of the reference, so a threshold chosen on the reference means something else here"
    )


def weak_spots(truth: Dataset, reference: Trace, delta: DeltaMap) -> WeakSpots:
    """Return where the reference itself is weak on these pictures."""
    from oddemo.audit.weak_spots import find_weak_spots

    found = [renamed(d, reference.labels, truth.class_names) for d in reference.detections]
    return find_weak_spots(truth, found, ap=delta.reference)


def renamed(detections: Detections, names: tuple[str, ...], class_names: tuple[str, ...]) -> Detections:
    """Return the detections with ids of `class_names`, by name; an id whose name is not among them is put beyond them.

    Args:
        detections: With ids that `names` explains.
        names: Name of each id, from 1; where there are none, ids are taken for those of the dataset.
        class_names: Names of the dataset, from id 1.

    Raises:
        OddemoError: If there is no common name.
    """
    names = names or class_names
    if not set(names) & set(class_names):
        raise OddemoError(
            "The detector and the annotations have no class in common.",
            expected=", ".join(class_names),
            found=", ".join(names),
            do="check the label map",
        )
    # Ids without a name stay out of reach of every true class.
    nowhere = len(class_names) + 1
    table = {i: class_names.index(name) + 1 for i, name in enumerate(names, start=1) if name in class_names}
    ids = np.array([table.get(int(i), nowhere) for i in detections.class_ids], dtype=np.int64)
    return Detections(detections.boxes_yxyx_px, detections.scores, ids)
