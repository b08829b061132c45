"""A small study without TensorFlow for the tests of the engine, and a program that runs it so that it can be killed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.errors import OddemoError
from oddemo.files import write_json
from oddemo.study.design import Condition, Study
from oddemo.study.engine import run_study
from oddemo.study.results import study_result

#: What a condition adds in each world.
TRUE_EFFECT = 0.1


@dataclass(frozen=True)
class Inner:
    scale: float = 1.0


@dataclass(frozen=True)
class DrawTrial:
    """Draw numbers whose level depends on world and seed, so that only paired differences show the effect."""

    effect: float = 0.0
    noise: Inner = Inner()
    seconds: float = 0.0
    fail_at_seed: int = 0
    end_process: bool = False

    def prepare(self, world: str, work: Path) -> Mapping[str, Any]:
        path = work / "worlds" / f"{world}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(world)
        return {"world": path.read_text()}

    def measure(self, world: str, seed: int, work: Path, scratch: Path) -> Mapping[str, float]:
        (work / "processes").mkdir(exist_ok=True)
        (work / "processes" / str(os.getpid())).touch()
        (scratch / "half.bin").write_bytes(b"x" * 1000)
        time.sleep(self.seconds)
        if seed == self.fail_at_seed:
            if self.end_process:
                os._exit(9)
            raise OddemoError("The numbers ran out.")
        level = np.random.default_rng([seed, *world.encode()]).normal(0.5, 0.2)
        draw = np.random.default_rng([seed, int(1000 * self.effect)]).normal(0, 0.01 * self.noise.scale)
        return {"ap": float(level + self.effect + draw), "twice": float(2 * level)}


def study(*, seconds: float = 0.0, seeds: int = 5, **trial: Any) -> Study:
    return Study(
        name="drawn",
        question="Do drawn numbers differ?",
        conditions=(
            Condition("plain", "as it is", DrawTrial(seconds=seconds, **trial)),
            Condition("more", "with more", DrawTrial(effect=TRUE_EFFECT, seconds=seconds, **trial), against="plain"),
            Condition("same", "with another noise", DrawTrial(noise=Inner(2.0), seconds=seconds), against="plain"),
        ),
        worlds=("land", "sea"),
        metrics=("ap", "twice"),
        seeds=seeds,
    )


STUDY = study()


def main() -> None:
    work, out, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    one = study(seconds=seconds)
    write_json(out, study_result(one, run_study(one, work=work, jobs=2), {"seeds": [1, 2, 3, 4, 5]}))


if __name__ == "__main__":
    # Under its own name, as workers import it.
    import study_trials

    study_trials.main()
