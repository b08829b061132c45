"""Early stopping: measure on validation pictures while training, stop when it gets no better, keep the best weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.errors import OddemoError
from oddemo.files import atomic_file

BEST = "best.npz"
#: In the history of a training: AP on the validation pictures at that step.
MEASURED = "val_ap"


@dataclass(frozen=True)
class EarlyStopping:
    """When a training ends before its last step.

    Attributes:
        every_steps: Steps between two measurements of AP on the validation pictures.
        patience: So many measurements in a row without a new best end the training.
    """

    every_steps: int = 50
    patience: int = 3

    def __post_init__(self) -> None:
        for name, value in (("every_steps", self.every_steps), ("patience", self.patience)):
            if value < 1:
                raise OddemoError(f"Early stopping's {name} is not possible.", expected="at least 1", found=str(value))

    def is_due(self, step: int) -> bool:
        """Whether something is measured after this step."""
        return step % self.every_steps == 0

    def is_over(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Whether the last measurements were no better than one before them.

        Args:
            history: Log lines of the training, oldest first; those that hold `val_ap` count.
        """
        values = [line[MEASURED] for line in history if MEASURED in line]
        return len(values) - 1 - int(np.argmax(values)) >= self.patience if values else False


def best_step(history: Sequence[Mapping[str, float]]) -> int:
    """Return the first step with the best measurement.

    Raises:
        OddemoError: If nothing was measured.
    """
    measured = [line for line in history if MEASURED in line]
    if not measured:
        raise OddemoError(
            "Early stopping measured nothing.",
            expected="a training of at least every_steps steps",
            do="measure more often, or train longer",
        )
    return int(max(measured, key=lambda line: line[MEASURED])["step"])


class BestWeights:
    """The best weights so far, on disk beside the training's state, so that a killed training still has them.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._path = Path(folder) / BEST

    def keep(self, model: Any) -> None:
        """Write a model's weights in place of those kept before."""
        with atomic_file(self._path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, *model.get_weights())

    def put_back(self, model: Any) -> None:
        """Set a model's weights to those kept."""
        with np.load(self._path) as kept:
            model.set_weights([kept[f"arr_{number}"] for number in range(len(kept.files))])
