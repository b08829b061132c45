"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command_line import FEW, Bench, Ended, contents
from made_once import made_once, open_shared_folder, remove_shared_folder

from oddemo.environment import prepare_environment

if TYPE_CHECKING:
    from oddemo.audit.images import ImageSet
    from oddemo.audit.sources.tfvision import TFVisionSource
    from oddemo.audit.verdict import Audit

# Before anything imports TensorFlow.
prepare_environment()

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        open_shared_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        remove_shared_folder()


@pytest.fixture(scope="session")
def bccd_root() -> Path:
    """The real blood-cell pictures with Pascal VOC boxes; they are not part of the project."""
    place = os.environ.get("ODDEMO_BCCD")
    root = Path(place) if place else REPOSITORY.parent / "shared" / "data" / "bccd"
    if not (root / "Annotations").is_dir():
        pytest.skip(f"the BCCD pictures are not at {root}: clone BCCD_Dataset and set ODDEMO_BCCD to its folder BCCD")
    return root


@pytest.fixture
def few_cells(bccd_root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same pictures, 12 of each split, where studies look for them: enough to see that a trial runs."""
    root = tmp_path_factory.mktemp("few_cells")
    for name in ("Annotations", "JPEGImages"):
        (root / name).symlink_to(bccd_root / name)
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split in ("train", "val", "test"):
        names = (bccd_root / "ImageSets" / "Main" / f"{split}.txt").read_text(encoding="utf-8").split()
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names[:12]), encoding="utf-8")
    monkeypatch.setenv("ODDEMO_BCCD", str(root))
    return root


@pytest.fixture
def oddemo(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command line in this process, as `python -m oddemo` does in one of its own."""
    from oddemo.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["oddemo", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return Ended(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def inspection_detector() -> Path:
    """The detector folder that comes with the repository; read only."""
    return detector_of("inspection")


def detector_of(world: str) -> Path:
    from oddemo.data.sample import data_folder

    return data_folder() / "detectors" / world


@pytest.fixture(scope="session")
def reference_of() -> Callable[[str], TFVisionSource]:
    """Given a world, its shipped detector on the bench; loaded once."""
    from oddemo.audit.sources.tfvision import TFVisionSource

    return cache(lambda world: TFVisionSource(detector_of(world)))


@pytest.fixture(scope="session")
def sound_export() -> Callable[[str, str], Path]:
    """Given a world and an input type or `tflite`, a faithful export of its shipped detector; made once, read only.

    The inspection world's `image_tensor` is whole, as TF-Vision's command writes it; `signature_alone` is the same
    without the functions of its layers, for whoever loads it again and again, and all others are without them, too.
    A SavedModel is called `saved_model`, as serving scripts expect it beside them.
    """
    from oddemo.export.saved_model import export_saved_model
    from oddemo.export.tflite import export_tflite

    def make(world: str, kind: str) -> Path:
        def export(folder: Path) -> Path:
            if kind == "tflite":
                return export_tflite(detector_of(world), folder / "detector.tflite")
            whole = (world, kind) == ("inspection", "image_tensor")
            input_type = "image_tensor" if kind == "signature_alone" else kind
            place = folder / "saved_model"
            return export_saved_model(detector_of(world), place, input_type=input_type, layer_functions=whole)

        return Path(made_once(f"{world}_{kind}", export))

    return make


@pytest.fixture(scope="session")
def few_pictures() -> Callable[[str], ImageSet]:
    """Given a world, 12 pictures of its built-in sample."""
    from oddemo.audit.images import ImageSet
    from oddemo.data.sample import sample_dataset

    def take(world: str) -> ImageSet:
        dataset = sample_dataset(world)
        return ImageSet(dataset.root, tuple(record.file_name for record in dataset.records[:12]))

    return cache(take)


@pytest.fixture(scope="session")
def channel_order_export(inspection_detector: Path) -> str:
    """The source of a real SavedModel of it whose serving graph turns the channels around."""
    from oddemo.audit.plant.registry import plant

    return made_once("channel_order", lambda folder: plant("channel_order", inspection_detector, folder))


@pytest.fixture(scope="session")
def channel_order_audit(
    reference_of: Callable[[str], TFVisionSource],
    few_pictures: Callable[[str], ImageSet],
    channel_order_export: str,
) -> Audit:
    """The audit of that export on 12 pictures of the sample, with true boxes."""
    from oddemo.audit.run import audit
    from oddemo.data.sample import sample_dataset

    truth = sample_dataset("inspection")
    return audit(reference_of("inspection"), channel_order_export, few_pictures("inspection"), truth=truth)


@pytest.fixture(scope="session")
def shared_bench(
    reference_of: Callable[[str], TFVisionSource],
    sound_export: Callable[[str, str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    from oddemo.audit.images import image_set
    from oddemo.audit.trace import save_trace
    from oddemo.data.coco import write_coco
    from oddemo.data.records import Dataset
    from oddemo.data.sample import sample_dataset

    root = tmp_path_factory.mktemp("user")
    reference = reference_of("inspection")
    bench = Bench(root, reference.folder)
    dataset = sample_dataset("inspection")
    bench.pictures.mkdir()
    records = dataset.records[:FEW]
    for record in records:
        shutil.copy(dataset.image_path(record), bench.pictures)
    write_coco(Dataset("few", dataset.root, dataset.class_names, records), bench.truth)
    shutil.copytree(sound_export("inspection", "image_tensor"), bench.export)
    save_trace(reference.trace(image_set(bench.pictures)), root / "reference.npz")
    return bench


@pytest.fixture
def bench(shared_bench: Bench) -> Iterator[Bench]:
    """The shared folder, which no command may change."""
    before = contents(shared_bench.root)
    yield shared_bench
    assert contents(shared_bench.root) == before
