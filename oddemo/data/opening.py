"""Opening what lies at a path, whatever its format."""

from __future__ import annotations

from pathlib import Path

from oddemo.data.coco import read_coco
from oddemo.data.records import Dataset
from oddemo.data.splits import USUAL_SPLITS
from oddemo.data.voc import read_voc
from oddemo.errors import OddemoError


def open_datasets(path: Path, *, images_root: Path | None = None) -> tuple[Dataset, ...]:
    """Read the dataset at a path; missing pictures are no error here, so that a check can list them.

    Args:
        path: A COCO file, a Pascal VOC folder, or a folder made by `oddemo data make` or `oddemo data import`.
        images_root: Folder of the pictures of a COCO file.

    Returns:
        One dataset a split for a made or imported folder, else a single one.

    Raises:
        OddemoError: If nothing readable is there.
    """
    path = Path(path)
    if path.is_file():
        return (read_coco(path, images_root),)
    if not path.is_dir():
        raise OddemoError(f"{path} does not exist.", expected="a COCO file or a folder")
    if images_root is not None:
        raise OddemoError("A folder of pictures is only given with a COCO file.", found=f"the folder {path}")
    files = [file for file in path.glob("*.json") if (path / file.stem / "images").is_dir()]
    if files:
        order = {name: number for number, name in enumerate(USUAL_SPLITS)}
        files.sort(key=lambda file: (order.get(file.stem, len(order)), file.stem))
        return tuple(read_coco(file, path) for file in files)
    if any(path.rglob("*.xml")):
        return (read_voc(path, require_images=False),)
    raise OddemoError(
        f"No dataset is found in {path}.",
        expected="a Pascal VOC folder, or a folder made by `oddemo data make` or `oddemo data import`",
        found=", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "an empty folder",
        do="give the JSON file itself if it has another name",
    )
