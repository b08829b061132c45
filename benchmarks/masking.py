"""Does one of two planted faults hide the other? Asked of the deployments themselves, not of the audit.

A fault is hidden in a pair if the deployment with both does the same, at every stage that can be seen and on every
picture, as the deployment with the other fault alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.detectors import BenchmarkDetector
from oddemo.audit.compare import compare_traces
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import build
from oddemo.audit.plant.record import Parts
from oddemo.audit.plant.registry import find_plant
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.trace import Trace


def hidden_in(trial: dict[str, Any], detector: BenchmarkDetector, pictures: ImageSet, work: Path) -> list[str]:
    """Return the names of the planted faults of a pair that leave no trace beside the other.

    Args:
        trial: As the fault benchmark keeps it; its name holds those of both plants.
        detector: The reference.
        pictures: Those of the trial.
        work: Folder of the benchmark's detectors.
    """
    names = trial["name"].removeprefix(f"{trial['detector']} ").split(" + ")
    first, second = (find_plant(name).parts for name in names)
    both = first.joined(second)
    folder = detector.averaged(work) if both.other_set else detector.folder
    traces = [_trace(parts, folder, detector, pictures) for parts in (both, second, first)]
    # Where the first is hidden, the pair does what the second does alone.
    return [name for name, alone in zip(names, traces[1:], strict=True) if _same(traces[0], alone)]


def _trace(parts: Parts, folder: Path, detector: BenchmarkDetector, pictures: ImageSet) -> Trace:
    calibration = [detector.further.image_path(record) for record in detector.further.records]
    caller = TFVisionSource(folder).bench.settings.pre if parts.tflite else None
    with tempfile.TemporaryDirectory(prefix="oddemo-masking-") as place:
        spec = build(parts, folder, Path(place), calibration=calibration, pictures=pictures)
        return parse_source(spec).trace(pictures, caller=caller)


def _same(first: Trace, second: Trace) -> bool:
    nothing = not any(len(found) for trace in (first, second) for found in trace.detections)
    if nothing and not (first.dense and second.dense):
        return True
    return compare_traces(first, second, score_floor=0.0).first_divergence is None
