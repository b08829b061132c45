"""A training of seconds on six pictures, for the tests of trainings."""

from __future__ import annotations

from dataclasses import replace

from oddemo.data.records import Dataset
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.detect.recipe import Recipe

SHIPPED = data_folder() / "detectors"
TINY = Recipe(steps=12, batch_size=2, input_size_px=64, warmup_steps=4)


def six_pictures() -> Dataset:
    """The first pictures of the inspection sample."""
    sample = sample_dataset("inspection")
    return replace(sample, records=sample.records[:6])
