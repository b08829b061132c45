"""Writing a world to disk: pictures, COCO truth, label map and the spec that makes it again."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.scenes.scene import render_scene
from oddemo.data.scenes.spec import WorldSpec
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite, write_json
from oddemo.progress import track
from oddemo.provenance import package_versions

#: Split → index of its first picture; no split can reach into the next one.
SPLIT_STARTS: Mapping[str, int] = {"train": 0, "val": 1_000_000, "test": 2_000_000}
#: Libraries whose version can change a pixel.
DRAWING_PACKAGES = ("oddemo", "numpy", "pillow", "opencv-python-headless")


def default_splits(images: int) -> dict[str, int]:
    """Return how many pictures go to train, val and test: about 4 : 1 : 1, and at least one each from three on."""
    held_out = max(1, images // 6) if images >= 3 else 0
    counts = {"train": images - 2 * held_out, "val": held_out, "test": held_out}
    return {name: count for name, count in counts.items() if count}


def _render_to_file(job: tuple[WorldSpec, Path, str, int]) -> ImageRecord:
    """Render one picture, write it below the folder, and return its record."""
    from PIL import Image

    spec, folder, split, number = job
    index = SPLIT_STARTS[split] + number
    scene = render_scene(spec, index)
    file_name = f"{split}/images/{number:06d}.{spec.image_format}"
    picture = Image.fromarray(scene.image_rgb)
    if spec.image_format == "jpg":
        picture.save(folder / file_name, quality=spec.jpeg_quality, subsampling=0)
    else:
        picture.save(folder / file_name, compress_level=6)
    attributes = {**scene.attributes, "split": split}
    return ImageRecord(index + 1, file_name, spec.image_size_hw_px, scene.boxes_yxyx_px, scene.class_ids, attributes)


def _start_worker() -> None:
    """One thread a process; an interrupt is for the process that started this one."""
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _records(jobs: list[tuple[WorldSpec, Path, str, int]], workers: int) -> Iterator[ImageRecord]:
    if workers == 1:
        yield from map(_render_to_file, jobs)
        return
    # Fresh processes, never forks: TensorFlow may be loaded in this one.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker) as pool:
        try:
            with _interrupts_ignored():  # a process that is only starting up inherits this
                results = pool.map(_render_to_file, jobs, chunksize=4)
            yield from results
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _checked_splits(spec: WorldSpec, splits: Mapping[str, int] | None) -> dict[str, int]:
    counts = default_splits(spec.images) if splits is None else dict(splits)
    wrong = [name for name, count in counts.items() if name not in SPLIT_STARTS or not 1 <= count <= 1_000_000]
    if wrong or not counts:
        raise OddemoError(
            "The splits are not possible.",
            expected=f"some of {', '.join(SPLIT_STARTS)}, each with 1 to 1,000,000 pictures",
            found=str(counts),
        )
    return counts


def make_world(
    spec: WorldSpec,
    folder: Path,
    *,
    splits: Mapping[str, int] | None = None,
    workers: int = 1,
    overwrite: bool = False,
) -> Dataset:
    """Render a world and write it; the folder appears whole or not at all.

    `FOLDER/{train,val,test}/images/*`, `FOLDER/{train,val,test}.json` (COCO, file names relative to FOLDER),
    `FOLDER/label_map.pbtxt` and `FOLDER/world.json`. The labels written are the truth; planting label faults is
    another step that reads this folder and writes beside it.

    Args:
        spec: The world.
        folder: Where to write.
        splits: Split name → number of pictures; by default `spec.images` in about 4 : 1 : 1. Splits never share a
            picture, and making one larger leaves the others as they are.
        workers: Processes that render; any number gives the same bytes. Above 1, a script needs the usual
            `if __name__ == "__main__":` guard.
        overwrite: Whether a folder with files in it may be replaced.

    Returns:
        Every picture of every split, `attributes["split"]` saying which; `read_world` reads one split back.

    Raises:
        OddemoError: If the splits are impossible or the folder is taken.
    """
    from oddemo.data.coco import write_coco
    from oddemo.data.label_map import write_label_map

    folder = Path(folder)
    counts = _checked_splits(spec, splits)
    if workers < 1:
        raise OddemoError("There must be at least one worker.", expected="1 or more", found=str(workers))
    refuse_to_overwrite(folder, overwrite=overwrite)
    spec = replace(spec, images=sum(counts.values()))
    with atomic_folder(folder) as temporary:
        for split in counts:
            (temporary / split / "images").mkdir(parents=True)
        jobs = [(spec, temporary, split, number) for split, count in counts.items() for number in range(count)]
        records = tuple(track(_records(jobs, workers), f"drawing {spec.world}", total=len(jobs)))
        hashes: dict[str, str] = {}
        for split in counts:
            chosen = tuple(record for record in records if record.attributes["split"] == split)
            json_path = temporary / f"{split}.json"
            write_coco(Dataset(f"{spec.world}-{split}", temporary, spec.class_names, chosen), json_path)
            hashes[json_path.name] = hashlib.sha256(json_path.read_bytes()).hexdigest()
        write_label_map(temporary / "label_map.pbtxt", spec.class_names)
        world: dict[str, Any] = {
            "spec": spec.as_json(),
            "splits": counts,
            "versions": package_versions(DRAWING_PACKAGES),
            "sha256": hashes,
        }
        write_json(temporary / "world.json", world)
    return Dataset(spec.world, folder, spec.class_names, records)


def read_world(folder: Path, split: str) -> Dataset:
    """Read one split of a folder that `make_world` wrote.

    Raises:
        OddemoError: If the folder has no such split.
    """
    from oddemo.data.coco import read_coco

    json_path = Path(folder) / f"{split}.json"
    if not json_path.is_file():
        found = sorted(path.stem for path in Path(folder).glob("*.json") if path.stem in SPLIT_STARTS)
        raise OddemoError(
            f"{folder} has no split {split!r}.",
            expected="a folder written by `oddemo data make`",
            found=f"splits: {', '.join(found) or 'none'}",
        )
    return read_coco(json_path, images_root=Path(folder))
