"""Does the 95 % interval of a change in mAP hold the true change in 95 of 100 cases?

A population of pictures is simulated, with a reference detector and candidates that differ as faulty exports do. The
true change is that on the whole population. Then small sets of pictures are drawn from it, again and again, and every
method's interval is taken from each set. The share of sets whose interval holds the true change is the coverage.

    python -m benchmarks.interval_coverage [--experiments 400] [--out results/interval_coverage.json]

The default method was chosen on populations of other seeds than those used here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.simulated_pictures import VARIANTS, simulate_reference, vary
from oddemo.files import write_json
from oddemo.metrics.average_precision import average_precision
from oddemo.metrics.bootstrap import IntervalMethod, Statistic, bootstrap, interval_limits, leave_out
from oddemo.metrics.interval import DEFAULT_METHOD, delta_map_interval, map_interval
from oddemo.metrics.match_records import Matches
from oddemo.metrics.matches import match_dataset
from oddemo.progress import track
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
METHODS: tuple[IntervalMethod, ...] = get_args(IntervalMethod)
CONFIDENCE = 0.95
RESAMPLES = 1000
POPULATION = 4000
SIZES = (32, 64, 128)
#: Name, share of the true boxes of each class, metric, seed.
POPULATIONS: tuple[tuple[str, tuple[float, ...], str, int], ...] = (
    ("even classes", (0.2, 0.2, 0.2, 0.2, 0.2), "ap", 101),
    ("classes 20 : 1", (0.6, 0.2, 0.12, 0.05, 0.03), "ap", 102),
    ("even classes, AP50", (0.2, 0.2, 0.2, 0.2, 0.2), "ap50", 103),
)


def main() -> None:
    """Run every population and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=400, help="sets drawn for each cell")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "interval_coverage.json")
    options = parser.parse_args()
    started = time.perf_counter()
    cells = [cell for population in POPULATIONS for cell in simulate(*population, experiments=options.experiments)]
    paired = [cell for cell in cells if cell["statistic"] == "change"]
    result = {
        "summary": {
            "nominal": CONFIDENCE,
            "default_method": DEFAULT_METHOD,
            "delta_ap": summary([cell for cell in paired if cell["metric"] == "ap"]),
            "delta_ap50": summary([cell for cell in paired if cell["metric"] == "ap50"]),
            "ap_of_one_detector": summary([cell for cell in cells if cell not in paired and cell["metric"] == "ap"]),
            "minutes": round((time.perf_counter() - started) / 60, 1),
        },
        "how": {
            "population": POPULATION,
            "experiments": options.experiments,
            "resamples": RESAMPLES,
            "drawn": "with replacement, so that the sets are independent draws from the population",
            "truth": "the statistic on the whole population",
            "monte_carlo": "Wilson interval of 95 % of each coverage; a set serves every candidate of its population, "
            "so cells of one population and size are not independent",
            "chosen_on": "populations of other seeds",
        },
        "candidates": [vars(variant) for variant in VARIANTS],
        "cells": cells,
        "provenance": provenance(
            seeds=[population[-1] for population in POPULATIONS], command="python -m benchmarks.interval_coverage"
        ),
    }
    write_json(options.out, result)
    print_table(cells)


def simulate(
    name: str, class_shares: tuple[float, ...], metric: str, seed: int, *, experiments: int
) -> Iterator[dict[str, Any]]:
    """Yield a cell of results for each number of pictures and candidate, and for the reference alone."""
    dataset, found = simulate_reference(POPULATION, class_shares=class_shares, seed=seed)
    everyone = [match_dataset(dataset, found)]
    for variant in VARIANTS:
        candidate = vary(found, variant, classes=len(class_shares), seed=seed + 1000)
        everyone.append(match_dataset(dataset, candidate))
    truths = changes(np.array([average_precision(one, metric=metric) for one in everyone]))[:, 0]
    for images in SIZES:
        rng = np.random.default_rng([seed, images])
        tallies = [Tally(truth) for truth in truths]
        for number in track(range(experiments), f"{name}, {images} pictures"):
            chosen = rng.integers(0, POPULATION, images)
            experiment([one.select(chosen) for one in everyone], tallies, metric=metric, seed=number)
        for index, tally in enumerate(tallies):
            label = {"statistic": "change", "candidate": VARIANTS[index - 1].name}
            if index == 0:
                label = {"statistic": "reference alone", "candidate": ""}
            yield {"population": name, "metric": metric, "images": images, **label, **tally.as_dict()}


def changes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the (1 + C, R) values of reference and candidates into the reference's value and the changes from it."""
    return np.asarray(np.concatenate([values[:1], values[1:] - values[:1]]))


class Tally:
    """Counts how often each method's interval holds the truth, and by which side it fails."""

    def __init__(self, truth: float) -> None:
        self.truth = float(truth)
        self.points: list[float] = []
        self.unpaired: list[float] = []
        self.limits: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}

    def as_dict(self) -> dict[str, Any]:
        """Return the cell's numbers."""
        cell: dict[str, Any] = {
            "truth": self.truth,
            "mean_point": float(np.mean(self.points)),
            "spread_of_points": float(np.std(self.points, ddof=1)),
            "width_if_unpaired": float(np.mean(self.unpaired)) if self.unpaired else None,
        }
        for method, pairs in self.limits.items():
            low, high = np.array(pairs).T
            held = (low <= self.truth) & (self.truth <= high)
            cell.setdefault("coverage", {})[method] = {
                **share(int(held.sum()), len(held)),
                "truth_below": float((self.truth < low).mean()),
                "truth_above": float((self.truth > high).mean()),
                "mean_width": float((high - low).mean()),
            }
        return cell


def experiment(drawn: list[Matches], tallies: list[Tally], *, metric: str, seed: int) -> None:
    """Take every interval from one set of pictures; what `delta_map_interval` does, for all candidates at once."""
    images = len(drawn[0].image_ids)

    def values_of(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        return changes(np.array([average_precision(one, weights, metric=metric) for one in drawn]))

    points = values_of(np.ones((1, images), dtype=np.int64))[:, 0]
    # The bootstrap takes one statistic: the picture weights of each block serve all, kept beside it.
    blocks: list[NDArray[np.float64]] = []
    outs: list[NDArray[np.float64]] = []

    def kept(into: list[NDArray[np.float64]]) -> Statistic:
        def statistic(weights: NDArray[np.int64]) -> NDArray[np.float64]:
            values = values_of(weights)
            into.append(values)
            return np.asarray(values[0])

        return statistic

    bootstrap(kept(blocks), images, resamples=RESAMPLES, seed=seed)
    leave_out(kept(outs), images)
    values, left_out = np.concatenate(blocks, axis=1), np.concatenate(outs, axis=1)
    if np.isnan(values).any() or np.isnan(left_out).any():
        raise RuntimeError("a set without true boxes: draw larger ones")
    for index, tally in enumerate(tallies):
        tally.points.append(float(points[index]))
        if index:
            spread = np.hypot(np.std(values[0], ddof=1), np.std(values[0] + values[index], ddof=1))
            tally.unpaired.append(2 * 1.96 * float(spread))
        for method in METHODS:
            limits = interval_limits(
                values[index],
                float(points[index]),
                images=images,
                confidence=CONFIDENCE,
                method=method,
                left_out=left_out[index],
            )
            if index == 0:
                limits = max(limits[0], 0.0), min(limits[1], 1.0)
            tally.limits[method].append(limits)
    if seed == 0:
        check_shipped(drawn, tallies, metric=metric)


def check_shipped(drawn: list[Matches], tallies: list[Tally], *, metric: str) -> None:
    """Raise unless the shipped functions give the very limits that are counted here."""
    for method in METHODS:
        shipped = [map_interval(drawn[0], metric=metric, method=method)]
        shipped += [delta_map_interval(drawn[0], one, metric=metric, method=method) for one in drawn[1:]]
        for interval, tally in zip(shipped, tallies, strict=True):
            if not np.allclose((interval.low, interval.high), tally.limits[method][0], rtol=0, atol=1e-12):
                raise RuntimeError(f"the simulation does not count what is shipped: {method}")


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the coverage by number of pictures, over all candidates, and the extremes of the default method."""
    values = [cell["coverage"][DEFAULT_METHOD]["value"] for cell in cells]
    by_images = {str(n): pooled([cell for cell in cells if cell["images"] == n]) for n in SIZES}
    return {"by_images": by_images, "default_lowest_cell": min(values), "default_highest_cell": max(values)}


def share(hits: int, count: int) -> dict[str, float]:
    """Return a share with its 95 % Wilson interval."""
    limits = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    return {"value": hits / count, "low": float(limits.low), "high": float(limits.high), "experiments": count}


def pooled(cells: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the coverage of each method over several cells."""
    pooled_cells: dict[str, dict[str, float]] = {}
    for method in METHODS:
        counts = [cell["coverage"][method]["experiments"] for cell in cells]
        hits = [round(cell["coverage"][method]["value"] * count) for cell, count in zip(cells, counts, strict=True)]
        pooled_cells[method] = share(sum(hits), sum(counts))
    return pooled_cells


def print_table(cells: list[dict[str, Any]]) -> None:
    """Print the coverage of every cell and method, in percent."""
    print(f"{'population':<20}{'images':>7} {'candidate':<12}" + "".join(f"{method:>12}" for method in METHODS))
    for cell in cells:
        name = cell["candidate"] or "(alone)"
        values = "".join(f"{100 * cell['coverage'][method]['value']:>12.1f}" for method in METHODS)
        print(f"{cell['population']:<20}{cell['images']:>7} {name:<12}{values}")


if __name__ == "__main__":
    main()
