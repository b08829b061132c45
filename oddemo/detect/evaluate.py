"""How good a detector is on pictures with known boxes."""

from __future__ import annotations

from collections.abc import Sequence

from oddemo.data.records import Dataset
from oddemo.detect.detector import Detector
from oddemo.errors import OddemoError
from oddemo.metrics.coco import CocoMetrics, coco_metrics


def evaluate(detector: Detector, dataset: Dataset) -> CocoMetrics:
    """Detect in every picture of a dataset and compute the COCO metrics.

    Args:
        detector: A loaded detector.
        dataset: Pictures with their true boxes; its classes must be the detector's, in the same order.

    Raises:
        OddemoError: If there are no pictures, or the classes differ.
    """
    check_classes(detector.class_names, dataset)
    return coco_metrics(dataset, detector.predict(dataset, description="evaluating"))


def check_classes(class_names: Sequence[str], dataset: Dataset) -> None:
    """Check that a detector's classes are those of the pictures that it is to be measured on.

    Raises:
        OddemoError: If there are no pictures, or the classes differ.
    """
    if len(dataset) == 0:
        raise OddemoError(f"{dataset.name} has no pictures to evaluate on.", expected="at least one picture")
    if dataset.class_names != tuple(class_names):
        raise OddemoError(
            f"{dataset.name} has other classes than the detector.",
            expected=", ".join(class_names),
            found=", ".join(dataset.class_names),
            do="use the detector's label map for the annotations, or evaluate a detector of these classes",
        )
