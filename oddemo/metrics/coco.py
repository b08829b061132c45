"""The COCO metrics of a set of detections, by faster-coco-eval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from oddemo.data.records import Dataset, Detections
from oddemo.errors import OddemoError
from oddemo.metrics.coco_form import check_detections, check_truths, detections_as_coco, truths_as_coco


@dataclass(frozen=True)
class CocoMetrics:
    """Average precision and recall as COCO defines them, each from 0 to 1; None where no true box belongs to it.

    Attributes:
        ap: Mean over IoU thresholds 0.50 to 0.95 in steps of 0.05, and over the classes that occur.
        ap50: At IoU 0.50.
        ap75: At IoU 0.75.
        ap_small: True boxes of up to 32 x 32 pixels.
        ap_medium: From there to 96 x 96 pixels.
        ap_large: Above.
        ar1: Mean recall with the best detection of each picture and class.
        ar10: With the best 10.
        ar100: With the best 100.
        ar_small: As `ar100`, small true boxes.
        ar_medium: As `ar100`, medium true boxes.
        ar_large: As `ar100`, large true boxes.
        ap_per_class: Class name to `ap`, in the order of the class ids.
        ap50_per_class: Class name to `ap50`.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float
    ar10: float
    ar100: float
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None
    ap_per_class: Mapping[str, float | None]
    ap50_per_class: Mapping[str, float | None]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ap_per_class", MappingProxyType(dict(self.ap_per_class)))
        object.__setattr__(self, "ap50_per_class", MappingProxyType(dict(self.ap50_per_class)))
        single = [value for value in vars(self).values() if not isinstance(value, Mapping)]
        for value in (*single, *self.ap_per_class.values(), *self.ap50_per_class.values()):
            if value is not None and not (math.isfinite(value) and -1e-9 <= value <= 1 + 1e-9):
                raise OddemoError("A COCO metric is out of range.", expected="0 to 1, or None", found=str(value))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(self).items()}


def coco_metrics(dataset: Dataset, detections: Sequence[Detections]) -> CocoMetrics:
    """Compute the COCO metrics, printing nothing.

    Args:
        dataset: Pictures with their true boxes.
        detections: One set for each picture, in the dataset's order. At most the 100 best of each class and picture
            count; class ids without a name are left out.

    Raises:
        OddemoError: If there are no pictures or no true boxes, or the detections do not fit or are not finite.
    """
    check_detections(dataset, detections)
    check_truths(dataset)
    from faster_coco_eval import COCO, COCOeval_faster

    truths = COCO(truths_as_coco(dataset))
    evaluation = COCOeval_faster(truths, truths.loadRes(detections_as_coco(dataset, detections)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    # Axes: IoU threshold, recall, class, area range (all, small, medium, large), most detections (1, 10, 100).
    precision, recall = np.asarray(evaluation.eval["precision"]), np.asarray(evaluation.eval["recall"])

    def by_class(values: Any) -> dict[str, float | None]:
        return {name: _mean(values[..., index]) for index, name in enumerate(dataset.class_names)}

    return CocoMetrics(
        ap=_defined(precision[:, :, :, 0, 2]),
        ap50=_defined(precision[0, :, :, 0, 2]),
        ap75=_defined(precision[5, :, :, 0, 2]),
        ap_small=_mean(precision[:, :, :, 1, 2]),
        ap_medium=_mean(precision[:, :, :, 2, 2]),
        ap_large=_mean(precision[:, :, :, 3, 2]),
        ar1=_defined(recall[:, :, 0, 0]),
        ar10=_defined(recall[:, :, 0, 1]),
        ar100=_defined(recall[:, :, 0, 2]),
        ar_small=_mean(recall[:, :, 1, 2]),
        ar_medium=_mean(recall[:, :, 2, 2]),
        ar_large=_mean(recall[:, :, 3, 2]),
        ap_per_class=by_class(precision[:, :, :, 0, 2]),
        ap50_per_class=by_class(precision[0, :, :, 0, 2]),
    )


def _mean(values: Any) -> float | None:
    """Return the mean of what is defined: COCO marks what is not by -1."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None


def _defined(values: Any) -> float:
    mean = _mean(values)
    if mean is None:
        raise OddemoError("The evaluator found no true box.", do="check that the true boxes are smaller than 1e10 px²")
    return mean
