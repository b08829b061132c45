"""The pictures that come with the repository: enough to try every command before any world is made."""

from __future__ import annotations

from pathlib import Path

from oddemo.data.records import Dataset
from oddemo.data.scenes.making import read_world
from oddemo.data.scenes.spec import CLASS_NAMES
from oddemo.errors import OddemoError

SAMPLE_SPLITS = ("val", "test")


def data_folder() -> Path:
    """Return the folder `data` of the checkout that this package runs from; it need not exist."""
    return Path(__file__).resolve().parents[2] / "data"


def sample_dataset(world: str, split: str = "val") -> Dataset:
    """Read the built-in sample of a world: 48 pictures that no training split of the same seed contains.

    Args:
        world: `inspection` or `wildlife`.
        split: `val` or `test`.

    Raises:
        OddemoError: If there is no such sample, or the package runs outside a checkout.
    """
    if world not in CLASS_NAMES or split not in SAMPLE_SPLITS:
        raise OddemoError(
            "There is no such sample.",
            expected=f"world {' or '.join(CLASS_NAMES)}, split {' or '.join(SAMPLE_SPLITS)}",
            found=f"world {world!r}, split {split!r}",
        )
    folder = data_folder() / "sample" / world
    if not (folder / f"{split}.json").is_file():
        raise OddemoError(
            "The built-in sample is not here.",
            expected=f"the folder {folder}",
            found="a package without the checkout's data",
            do=f"run from a clone of the repository, or make pictures: oddemo data make {world} --out DIR",
        )
    return read_world(folder, split)
