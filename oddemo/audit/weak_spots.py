"""Where the reference itself is weak on these pictures: for exports that are faithful, and still not good enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from oddemo.data.records import Dataset, Detections
from oddemo.metrics.slices import SliceMetrics, sliced_metrics

#: What pictures and boxes are cut by → where a weak part points to.
POINTERS: Mapping[str, str] = MappingProxyType(
    {
        "class": "count the boxes of each class in the training pictures; rare classes need more of them, or weight",
        "size": "compare the sizes of the training boxes and the input size; small objects need a larger input",
        "position": "look where the training boxes lie; a detector that saw the centre only is weak at the border",
        "brightness": "look whether the training pictures were taken in this light",
    }
)
#: Resamples of each interval: enough to point, not to publish.
_RESAMPLES = 400


@dataclass(frozen=True)
class WeakSpots:
    """What the true boxes say about the reference.

    Attributes:
        ap: Its mean average precision on all of these pictures.
        parts: Every class, size, position and brightness with its average precision.
        weak: The parts whose interval lies wholly below `ap`, weakest first.
        label_faults: Kind of fault → how often `oddemo data check` finds it in these true boxes; only errors and
            warnings.
    """

    ap: float
    parts: tuple[SliceMetrics, ...]
    weak: tuple[SliceMetrics, ...]
    label_faults: Mapping[str, int]

    def pointers(self) -> Iterator[str]:
        """Yield a sentence for each weak part and each kind of fault in the labels."""
        for part in self.weak:
            assert part.interval is not None
            limits = f"[{part.interval.low:.2f}, {part.interval.high:.2f}]"
            found = f"{part.by} {part.name}: AP {part.ap:.2f} {limits}, {self.ap:.2f} over all"
            yield f"{found}; {POINTERS[part.by]}"
        for kind, count in self.label_faults.items():
            yield f"labels: {kind.replace('_', ' ')} {count}x in these true boxes; `oddemo data check` lists them"

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "ap": self.ap,
            "parts": [part.as_dict() for part in self.parts],
            "weak": [f"{part.by} {part.name}" for part in self.weak],
            "label_faults": dict(self.label_faults),
            "pointers": list(self.pointers()),
        }


def find_weak_spots(truth: Dataset, detections: Sequence[Detections], *, ap: float) -> WeakSpots:
    """Look where a detector is weak, and whether its true boxes are sound.

    Args:
        truth: Pictures with their true boxes.
        detections: What the detector found, in the same order, with ids of the dataset's classes.
        ap: Its mean average precision there.

    Raises:
        OddemoError: If there are no true boxes.
    """
    from oddemo.data.check import check_dataset

    parts = [part for by in POINTERS for part in sliced_metrics(truth, detections, by=by, resamples=_RESAMPLES)]
    weak = [part for part in parts if part.interval is not None and part.interval.high < ap]
    findings = check_dataset(truth, read_files=False)
    counts = Counter(finding.kind for finding in findings if finding.severity != "info")
    return WeakSpots(
        ap, tuple(parts), tuple(sorted(weak, key=lambda part: part.ap or 0.0)), MappingProxyType(dict(counts))
    )
