"""Causes in class ids and names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

from oddemo.audit.compare import label_of
from oddemo.audit.faults.record import Evidence, Fault, Hypothesis
from oddemo.audit.match import pair_detections

_NOTEBOOK = "12_output_handling"


def _offset(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    for step in (-1, 1):
        yield Hypothesis(
            "label_offset",
            replace(settings, post=replace(settings.post, label_offset=settings.post.label_offset + step)),
            f"hands out class ids {'one lower' if step < 0 else 'one higher'} than the reference",
            f"{'add 1 to' if step < 0 else 'subtract 1 from'} the class ids once: ids start at 1 here, 0 is background",
        )


def _map(evidence: Evidence) -> Iterator[Hypothesis]:
    """Read the new name of each class off the paired detections."""
    names = evidence.reference.labels
    seen: dict[int, Counter[str]] = defaultdict(Counter)
    for first, second in zip(evidence.reference.detections, evidence.candidate.detections, strict=False):
        pairing = pair_detections(first, second)
        for row, column in pairing.pairs[(pairing.iou > 0.9) & (pairing.score_difference < 0.01)]:
            shown = int(first.class_ids[row])
            if 1 <= shown <= len(names):  # where ids are shifted, some have no name on either side
                seen[shown][label_of(int(second.class_ids[column]), evidence.candidate.labels or names)] += 1
    told = {class_id: votes.most_common(1)[0][0] for class_id, votes in seen.items()}
    if not told or any(name not in names for name in told.values()):
        return
    moved = {class_id: names.index(name) + 1 for class_id, name in told.items()}
    permutation = tuple(moved.get(class_id, class_id) for class_id in range(1, len(names) + 1))
    if permutation != tuple(range(1, len(names) + 1)):
        swaps = [f"{names[i - 1]} is called {names[j - 1]}" for i, j in enumerate(permutation, start=1) if i != j]
        yield Hypothesis(
            "label_map",
            replace(evidence.settings, post=replace(evidence.settings.post, label_permutation=permutation)),
            f"names classes by another map: {', '.join(swaps)}",
            f"use the label map of training: {', '.join(f'{i} {name}' for i, name in enumerate(names, start=1))}",
        )


FAULTS = (
    Fault(
        id="label_offset",
        stage="labels",
        shows_at="labels",
        title="class ids shifted by one",
        symptom="Right boxes, names shifted by one; the last class has no name.",
        cure="Decide once whether id 0 is background, and add the offset once.",
        notebook=_NOTEBOOK,
        propose=_offset,
    ),
    Fault(
        id="label_map",
        stage="labels",
        shows_at="labels",
        title="another label map",
        symptom="Right boxes, names swapped.",
        cure="Ship the label map of training with the export.",
        notebook=_NOTEBOOK,
        propose=_map,
    ),
)
