"""How much faster is the paired interval than running pycocotools again for each resample?

Both start from the same detections of reference and candidate. Here: match once, take 1000 resamples. There: for each
resample, evaluate and accumulate both models; this is timed on a few resamples and multiplied. pycocotools is spared
all that the interval does not need (area ranges, smaller numbers of detections, building its index), so the ratio is a
low one; those of other ways to use it stand beside it. Both run on one core and are timed in processor seconds, so that
other work on the machine does not count. The values of the timed resamples must agree to 1e-9.

    python -m benchmarks.interval_speed [--images 128] [--timed 5] [--out results/performance.json]
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks.simulated_pictures import VARIANTS, simulate_reference, vary
from oddemo.data.records import Dataset, Detections
from oddemo.files import read_json, write_json
from oddemo.metrics.average_precision import average_precision
from oddemo.metrics.bootstrap import resampled_weights
from oddemo.metrics.coco_form import detections_as_coco, truths_as_coco
from oddemo.metrics.interval import delta_map_interval
from oddemo.metrics.matches import match_dataset
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
RESAMPLES = 1000
SEED = 7


def main() -> None:
    """Time both ways in one run and write the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--timed", type=int, default=5, help="resamples on which pycocotools is timed")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "performance.json")
    options = parser.parse_args()
    dataset, found = simulate_reference(options.images, class_shares=(0.2,) * 5, seed=SEED)
    models = (found, vary(found, VARIANTS[2], classes=5, seed=SEED + 1))

    def interval() -> None:
        delta_map_interval(*(match_dataset(dataset, one) for one in models), resamples=RESAMPLES)

    interval()
    ours = min(seconds(interval) for _ in range(3))
    whole, lean, accumulated, worst = time_pycocotools(dataset, models, options.timed)
    if worst > 1e-9:
        raise RuntimeError(f"the two do not compute the same: they differ by {worst:.1e}")
    ratio = RESAMPLES * lean / ours
    measured = {
        "interval_seconds": ours,
        "interval_resamples": RESAMPLES,
        "pycocotools_seconds_per_resample": lean,
        "pycocotools_timed_resamples": options.timed,
        "largest_difference": worst,
        "images": options.images,
        "true_boxes": sum(len(record.class_ids) for record in dataset.records),
        "detections": [sum(len(one) for one in model) for model in models],
        "how": "Processor seconds on one core. interval: matching both models once and 1000 resamples, best of three. "
        "pycocotools: mean of evaluate() and accumulate() of both models, all areas and 100 detections only, index "
        "built beforehand, times 1000.",
        "other_ratios": {
            "pycocotools_with_its_defaults_and_index": RESAMPLES * whole / ours,
            "pycocotools_evaluated_once_accumulated_for_each_resample": RESAMPLES * accumulated / ours,
        },
        "provenance": provenance(seeds=[SEED], command="python -m benchmarks.interval_speed"),
    }
    result = read_json(options.out) if options.out.exists() else {}
    result.setdefault("ratios", {})["interval_speedup"] = round(ratio, 1)
    result.setdefault("measurements", {})["interval_speedup"] = measured
    result.setdefault("provenance", measured["provenance"])
    write_json(options.out, result)
    print(f"interval {ours:.3f} s; pycocotools {RESAMPLES * lean:.0f} s; {ratio:.0f} times faster")
    print({name: round(value) for name, value in measured["other_ratios"].items()})


def time_pycocotools(
    dataset: Dataset, models: tuple[tuple[Detections, ...], ...], timed: int
) -> tuple[float, float, float, float]:
    """Return seconds for each resample of both models, three ways, and the largest difference from our values.

    Returns:
        As a user would call it, building the index included; only what the interval needs; only accumulating anew what
        was evaluated once; and the largest difference.
    """
    matches = [match_dataset(dataset, one) for one in models]
    weights = next(resampled_weights(len(dataset), resamples=timed, seed=0))
    once = [lean_evaluation(*index_of(dataset, one)) for one in models]
    for evaluation in once:
        silently(evaluation.evaluate)
    whole = lean = accumulated = worst = 0.0
    for row in weights:
        for model, matched, evaluated in zip(models, matches, once, strict=True):
            copies, found = repeated(dataset, model, row)

            def as_users_do(copies: Dataset = copies, found: tuple[Detections, ...] = found) -> None:
                evaluation = COCOeval(*index_of(copies, found), "bbox")
                evaluation.evaluate()
                evaluation.accumulate()

            whole += seconds(as_users_do)
            evaluation = lean_evaluation(*index_of(copies, found))
            lean += seconds(evaluation.evaluate) + seconds(evaluation.accumulate)
            accumulated += seconds(partial(accumulate_again, evaluated, row))
            ours = float(average_precision(matched, row[None])[0])
            theirs = (mean_precision(evaluation), mean_precision(accumulate_again(evaluated, row)))
            worst = max(worst, *(abs(one - ours) for one in theirs))
    return whole / timed, lean / timed, accumulated / timed, worst


def repeated(
    dataset: Dataset, model: tuple[Detections, ...], row: NDArray[np.int64]
) -> tuple[Dataset, tuple[Detections, ...]]:
    """Return the dataset with each picture as often as `row` says, copies side by side with ids of their own."""
    chosen = np.repeat(np.arange(len(dataset)), row)
    records = tuple(replace(dataset.records[index], image_id=number) for number, index in enumerate(chosen, 1))
    return replace(dataset, records=records), tuple(model[index] for index in chosen)


def index_of(dataset: Dataset, found: tuple[Detections, ...]) -> tuple[Any, Any]:
    """Return pycocotools' index of the true boxes and of the detections."""
    truths = COCO()
    truths.dataset = truths_as_coco(dataset)
    with contextlib.redirect_stdout(io.StringIO()):
        truths.createIndex()
        return truths, truths.loadRes(detections_as_coco(dataset, list(found)))


def lean_evaluation(truths: Any, found: Any) -> Any:
    """Return an evaluation that does only what the interval needs."""
    evaluation = COCOeval(truths, found, "bbox")
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [100]
    return evaluation


def accumulate_again(evaluated: Any, row: NDArray[np.int64]) -> Any:
    """Return the accumulation of the resampled pictures of an evaluation that was made once."""
    again = copy.copy(evaluated)
    again.params = copy.copy(evaluated.params)
    again._paramsEval = copy.copy(evaluated._paramsEval)
    chosen = np.repeat(np.arange(len(row)), row)
    classes = len(evaluated.params.catIds)
    again.evalImgs = [evaluated.evalImgs[k * len(row) + index] for k in range(classes) for index in chosen]
    again.params.imgIds = again._paramsEval.imgIds = list(range(len(chosen)))
    silently(again.accumulate)
    return again


def mean_precision(evaluation: Any) -> float:
    """Return COCO's mean average precision of an accumulated evaluation."""
    precision = evaluation.eval["precision"]
    return float(precision[precision > -1].mean())


def silently(work: Callable[[], object]) -> None:
    """Do some work without its prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        work()


def seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds that some work takes, its prints thrown away."""
    started = time.process_time()
    silently(work)
    return time.process_time() - started


if __name__ == "__main__":
    main()
