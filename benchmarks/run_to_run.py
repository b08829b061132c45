"""How far do trainings lie apart that differ in the seed alone?

In both worlds the same short recipe is run with several seeds, always from the other world's detector and on the same
pictures; the seed decides the new classifier's first weights, the order of the pictures and their augmentation. Each
detector is measured twice: on the 48 pictures of the built-in sample and on fresh pictures. On the sample, every pair
of seeds is also compared by the paired interval over pictures, which knows nothing of seeds.

    python -m benchmarks.run_to_run [--seeds 5] [--steps 300] [--pictures 300] [--fresh 200] [--work runs/run_to_run]
                                    [--out results/study_run_to_run.json]

A detector that lies in the work folder already is not trained again.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddemo.data.records import Dataset
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.data.scenes import WorldSpec, make_world, read_world
from oddemo.detect.detector import load_detector
from oddemo.detect.folder import TRAINING
from oddemo.detect.recipe import Recipe
from oddemo.detect.train import train
from oddemo.export.cards import read_card
from oddemo.files import read_json, write_json
from oddemo.metrics.average_precision import average_precision
from oddemo.metrics.interval import delta_map_interval
from oddemo.metrics.match_records import Matches
from oddemo.metrics.matches import match_dataset
from oddemo.metrics.seed_spread import seed_spread
from oddemo.progress import track
from oddemo.provenance import provenance

REPOSITORY = Path(__file__).resolve().parents[1]
WORLDS = ("inspection", "wildlife")
METRICS = ("ap", "ap50", "ap75")
#: The set of pictures on which differences are judged.
SAMPLE = "sample"


@dataclass(frozen=True)
class Run:
    """One trained and measured detector.

    Attributes:
        world: What it was trained for.
        seed: Of its training.
        matches: Set of pictures → its matched detections there.
        facts: What is stored of it.
    """

    world: str
    seed: int
    matches: Mapping[str, Matches]
    facts: Mapping[str, Any]


def main() -> None:
    """Train, measure and write the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--pictures", type=int, default=300, help="to learn from")
    parser.add_argument("--fresh", type=int, default=200, help="further pictures to measure on")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "runs" / "run_to_run")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results" / "study_run_to_run.json")
    options = parser.parse_args()
    started = time.process_time()
    seeds = list(range(1, options.seeds + 1))
    recipe = Recipe(steps=options.steps)
    runs = [run for world in WORLDS for run in runs_of(world, recipe, seeds, options)]
    spread = {name: seed_spread([values(runs, world, SAMPLE, name) for world in WORLDS]) for name in METRICS}
    result = {
        "question": "How large is a difference between two trainings that differ in the seed alone?",
        "recipe": recipe.as_json(),
        "pictures": {"train": options.pictures, SAMPLE: 48, "fresh": options.fresh},
        "summary": {
            "chance_difference": {name: one.chance_difference() for name, one in spread.items()},
            "chance_difference_of_five_seeds": {name: one.chance_difference(seeds=5) for name, one in spread.items()},
            "deviation": {name: [one.low, one.deviation, one.high] for name, one in spread.items()},
        },
        "comparisons": list(comparisons(runs, seeds)),
        "pairs": list(pairs(runs)),
        "runs": [run.facts for run in runs],
        "how": "chance_difference: 95 % of the differences between two runs of one recipe stay below it (Student's t, "
        "both worlds together, sample pictures). comparisons: the same in each world, as limits around 0. pairs: "
        "paired bootstrap over the 48 pictures of the sample, second seed minus first. deviation: [low, value, "
        "high].",
        "cpu_seconds": round(time.process_time() - started, 1),
        "provenance": provenance(seeds=seeds, command="python -m benchmarks.run_to_run"),
    }
    write_json(options.out, result)
    print(result["summary"], f"{result['cpu_seconds']} CPU s", sep="\n")


def runs_of(world: str, recipe: Recipe, seeds: Iterable[int], options: argparse.Namespace) -> Iterable[Run]:
    """Yield the runs of one world."""
    folder = options.work / world
    if not (folder / "pictures").is_dir():
        splits = {"train": options.pictures, "val": options.fresh}
        make_world(WorldSpec(world=world, seed=100), folder / "pictures", splits=splits)
    train_data, fresh = (read_world(folder / "pictures", split) for split in ("train", "val"))
    other = next(name for name in WORLDS if name != world)
    for seed in track(seeds, world):
        detector = folder / f"seed{seed}"
        if not (detector / TRAINING).is_file():
            start = data_folder() / "detectors" / other
            train(recipe, train_data, None, detector, init_from=start, seed=seed, overwrite=True)
        yield measured(world, seed, detector, {SAMPLE: sample_dataset(world), "fresh": fresh})


def measured(world: str, seed: int, folder: Path, pictures: Mapping[str, Dataset]) -> Run:
    """Measure one detector on every set of pictures."""
    detector = load_detector(folder)
    matches = {name: match_dataset(dataset, detector.predict(dataset)) for name, dataset in pictures.items()}
    metrics = {
        name: {metric: float(average_precision(one, metric=metric)[0]) for metric in METRICS}
        for name, one in matches.items()
    }
    training = read_json(folder / TRAINING)
    weights = read_card(folder).weights
    facts = {
        "world": world,
        "seed": seed,
        **metrics,
        "last_loss": training["history"][-1]["total_loss"],
        "weights": None if weights is None else weights.fingerprint,
        "cpu_seconds": training["cpu_seconds"],
    }
    print(world, seed, metrics, flush=True)
    return Run(world, seed, matches, facts)


def values(runs: Iterable[Run], world: str, pictures: str, metric: str) -> list[float]:
    """Return a metric of every run in a world."""
    return [run.facts[pictures][metric] for run in runs if run.world == world]


def comparisons(runs: list[Run], seeds: list[int]) -> Iterable[dict[str, Any]]:
    """Yield for each world, set of pictures and metric the limits that another seed alone stays within."""
    for world, pictures, metric in itertools.product(WORLDS, (SAMPLE, "fresh"), METRICS):
        limit = seed_spread([values(runs, world, pictures, metric)]).chance_difference()
        name = f"the same recipe, another seed ({pictures} pictures)"
        yield {"name": name, "world": world, "metric": metric, "point": 0.0, "low": -limit, "high": limit} | {
            "seeds": seeds
        }


def pairs(runs: list[Run]) -> Iterable[dict[str, Any]]:
    """Yield the paired interval over pictures of every pair of seeds."""
    for first, second in itertools.combinations(runs, 2):
        if first.world != second.world:
            continue
        for metric in ("ap", "ap50"):
            found = delta_map_interval(first.matches[SAMPLE], second.matches[SAMPLE], metric=metric)
            limits = {"point": found.point, "low": found.low, "high": found.high, "images": found.images}
            yield {"world": first.world, "seeds": [first.seed, second.seed], "metric": metric, **limits}


if __name__ == "__main__":
    main()
