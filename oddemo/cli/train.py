"""`oddemo train`: from a folder of annotated pictures to a detector folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from oddemo.data.records import Dataset
    from oddemo.detect.recipe import Recipe

EPILOG = "Example: oddemo train runs/metal --out runs/metal-detector --init-from data/detectors/wildlife --seed 1"


def train(
    dataset: Annotated[
        Path, typer.Argument(help="Folder made by data make or data import: train.json, val.json, pictures.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="The detector folder to make.")],
    init_from: Annotated[
        Path | None, typer.Option(help="Detector folder to start from; its recipe is used unless --recipe is given.")
    ] = None,
    recipe: Annotated[Path | None, typer.Option(help="JSON file with entries of a recipe, or a training.json.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps.", min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures in a step.", min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    input_size: Annotated[int | None, typer.Option(help="Side of the network input in pixels.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other weights.", min=0)] = 0,
    train_split: Annotated[str, typer.Option(help="Split to learn from.")] = "train",
    val_split: Annotated[str, typer.Option(help="Split to measure on at the end, if it is there.")] = "val",
    stop_every: Annotated[
        int | None, typer.Option(help="Early stopping: measure every so many steps, keep the best weights.", min=1)
    ] = None,
    patience: Annotated[int, typer.Option(help="Early stopping: end after so many measurements without a best.")] = 3,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training in OUT.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the detector in OUT.")] = False,
) -> None:
    """Train a small RetinaNet of tf-models-official.

    Makes OUT/params.yaml, OUT/ckpt-*, OUT/label_map.pbtxt, OUT/training.json and OUT/logs (for TensorBoard). The same
    pictures, options and seed give the same weights, also if the training was killed and resumed in between.
    """
    from oddemo.detect.stopping import EarlyStopping
    from oddemo.detect.train import train as run

    changes = {"steps": steps, "batch_size": batch_size, "learning_rate": learning_rate, "input_size_px": input_size}
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    result = run(
        replace(_recipe(recipe, init_from), **given),
        _split(dataset, train_split),
        _split(dataset, val_split) if (dataset / f"{val_split}.json").is_file() else None,
        out,
        init_from=init_from,
        seed=seed,
        stopping=None if stop_every is None else EarlyStopping(stop_every, patience),
        resume=resume,
        overwrite=overwrite,
    )
    last = result.history[-1]
    if result.kept_step != last["step"]:
        typer.echo(f"the weights are those of step {result.kept_step}, the best on {val_split}")
    typer.echo(f"{last['step']:.0f} steps in {result.seconds:.0f} s ({result.cpu_seconds:.0f} CPU s)")
    if result.validation:
        numbers = ", ".join(f"{name.upper()} {result.validation[name]:.3f}" for name in ("ap", "ap50", "ap75"))
        typer.echo(f"{val_split}: {result.validation['pictures']:.0f} pictures, {numbers}")
    typer.echo(f"written: {out}")


def _split(folder: Path, split: str) -> Dataset:
    from oddemo.data.coco import read_coco
    from oddemo.errors import OddemoError

    json_path = folder / f"{split}.json"
    if not json_path.is_file():
        raise OddemoError(
            f"{folder} has no split {split!r}.",
            expected=f"{json_path.name} and its pictures, as `oddemo data make` and `oddemo data import` write them",
            found=", ".join(sorted(path.name for path in folder.glob("*.json"))) or "no JSON file",
        )
    return read_coco(json_path, folder)


def _recipe(file: Path | None, init_from: Path | None) -> Recipe:
    from oddemo.detect.folder import TRAINING
    from oddemo.detect.recipe import FINE_TUNING, Recipe
    from oddemo.files import read_json

    if file is not None:
        content = read_json(file)
        return Recipe.from_json(content.get("recipe", content))
    if init_from is None:
        return Recipe()
    training = Path(init_from) / TRAINING
    found = Recipe.from_json(read_json(training)["recipe"]) if training.is_file() else Recipe()
    return replace(found, **FINE_TUNING)
