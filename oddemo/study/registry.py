"""The studies that there are, by name; each is declared in a module of its own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

from oddemo.errors import OddemoError
from oddemo.study.design import Study

#: Study → module that declares it as `STUDY`.
MODULES: Mapping[str, str] = {
    "imbalance": "oddemo.study.imbalance",
    "smote": "oddemo.study.smote",
    "label_noise": "oddemo.study.label_noise",
    "augmentation": "oddemo.study.augmentation",
    "bias": "oddemo.study.bias",
    "hyperparameters": "oddemo.study.hyperparameters",
    "cross_validation": "oddemo.study.cross_validation",
    "architecture": "oddemo.study.architecture",
}


def study_names() -> tuple[str, ...]:
    """Return the names of all studies."""
    return tuple(MODULES)


def find_study(name: str, *, seeds: int | None = None, worlds: tuple[str, ...] = ()) -> Study:
    """Return a study, or a part of it.

    Args:
        name: One of `study_names`.
        seeds: Another number of seeds than its own.
        worlds: Some of its worlds; all if empty.

    Raises:
        OddemoError: If there is no such study or world.
    """
    if name not in MODULES:
        raise OddemoError(f"There is no study {name!r}.", expected=", ".join(MODULES), do="see oddemo study list")
    study: Study = importlib.import_module(MODULES[name]).STUDY
    unknown = [world for world in worlds if world not in study.worlds]
    if unknown:
        raise OddemoError(f"The study {name} does not run in {', '.join(unknown)}.", expected=", ".join(study.worlds))
    chosen = tuple(world for world in study.worlds if not worlds or world in worlds)
    return replace(study, seeds=study.seeds if seeds is None else seeds, worlds=chosen)
