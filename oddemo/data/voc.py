"""Pascal VOC: one XML file a picture, lists of pictures as splits.

VOC counts pixels from 1 and includes both ends: `xmin=1, xmax=640` covers the whole width of 640 pixels. In continuous
coordinates that is `x_min = xmin - 1`, `x_max = xmax`. Where `xmin` equals `xmax` somebody clicked without dragging:
such a box is read with no width (at the middle of its pixel), not as one pixel wide, so that the fault stays visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from oddemo.data.images import IMAGE_SUFFIXES, read_image_rgb
from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.voc_xml import VocAnnotation, read_annotation
from oddemo.errors import OddemoError


def read_voc(
    root: Path,
    split: str | None = None,
    class_names: Sequence[str] | None = None,
    *,
    require_images: bool = True,
) -> Dataset:
    """Read `Annotations/*.xml` and `JPEGImages`; other usual folder names, or one flat folder, will do too.

    Args:
        root: The folder with the two folders in it.
        split: Only the pictures listed in `ImageSets/Main/<split>.txt`; all if not given.
        class_names: The classes in the order of their ids; if not given, all names found in the whole set, sorted, so
            that every split has the same classes.
        require_images: Refuse annotations whose picture is missing.

    Returns:
        The pictures sorted by name, named after the set's folder. A picture has the same id in every split. Indices of
        boxes that are marked as difficult are kept as the attribute `difficult`.

    Raises:
        OddemoError: Naming the file that is missing or malformed, or the class that is not known.
    """
    root = Path(root)
    annotation_folder = _folder(root, ("annotations", "xmls", "labels"), (".xml",), "annotations (*.xml)")
    image_folder = _folder(
        root, ("jpegimages", "images", "imgs"), IMAGE_SUFFIXES, "pictures", missing_ok=not require_images
    )
    stems = sorted(path.stem for path in annotation_folder.glob("*.xml"))
    wanted = set(stems) if split is None else _split_stems(root, split, stems, annotation_folder)
    needed = [stem for stem in stems if class_names is None or stem in wanted]
    annotations = {stem: read_annotation(annotation_folder / f"{stem}.xml") for stem in needed}
    names = tuple(class_names) if class_names is not None else _names_found(root, annotations.values())
    on_disk = {path.name for path in image_folder.iterdir()} if image_folder.is_dir() else set()
    records = []
    for number, stem in enumerate(stems, 1):
        if stem in wanted:
            file_name = _file_name(annotations[stem], image_folder, on_disk, require_images=require_images)
            records.append(_record(number, annotations[stem], image_folder, file_name, names))
    name = root.resolve().name if split is None else f"{root.resolve().name} {split}"
    return Dataset(name, image_folder, names, tuple(records))


def voc_splits(root: Path) -> tuple[str, ...]:
    """Return the names of the splits that a VOC folder lists; lists of single classes (`cat_train`) are left out."""
    names = sorted(path.stem for path in (Path(root) / "ImageSets" / "Main").glob("*.txt"))
    return tuple(name for name in names if not any(name.endswith(f"_{other}") for other in names))


def _folder(
    root: Path, names: Sequence[str], suffixes: tuple[str, ...], what: str, *, missing_ok: bool = False
) -> Path:
    if not root.is_dir():
        raise OddemoError(f"The folder {root} does not exist.", expected="a Pascal VOC folder")
    for folder in [*(p for n in names for p in sorted(root.iterdir()) if p.name.lower() == n and p.is_dir()), root]:
        if any(path.suffix.lower() in suffixes for path in folder.iterdir()):
            return folder
    if missing_ok:
        return root / "JPEGImages"
    raise OddemoError(
        f"The folder {root} holds no {what}.",
        expected="a Pascal VOC folder: Annotations/*.xml, JPEGImages, ImageSets/Main/<split>.txt",
        found=", ".join(sorted(path.name for path in root.iterdir())[:8]) or "an empty folder",
    )


def _split_stems(root: Path, split: str, stems: Sequence[str], annotation_folder: Path) -> set[str]:
    path = root / "ImageSets" / "Main" / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise OddemoError(
            f"The split file {path} does not exist or cannot be read.",
            expected="one picture name a line",
            found=f"the splits {', '.join(voc_splits(root)) or '(none)'}",
        ) from None
    # Lists of one class ("2008_000001 -1") carry a flag behind the name; a name that holds blanks is taken whole.
    known = set(stems)
    listed = [line.strip() if line.strip() in known else line.split()[0] for line in lines if line.strip()]
    absent = sorted(set(listed) - known)
    if absent or not listed:
        raise OddemoError(
            f"The split file {path} does not fit the annotations.",
            expected=f"names of XML files in {annotation_folder}",
            found=f"{len(absent)} without annotation: {', '.join(absent[:5])}" if absent else "an empty list",
        )
    return set(listed)


def _names_found(root: Path, annotations: Iterable[VocAnnotation]) -> tuple[str, ...]:
    names = tuple(sorted({name for annotation in annotations for name in annotation.names}))
    if not names:
        raise OddemoError(
            f"No annotation of {root} holds a box.", expected="at least one object", do="give class names"
        )
    return names


def _file_name(annotation: VocAnnotation, image_folder: Path, on_disk: set[str], *, require_images: bool) -> str:
    stem = annotation.path.stem
    candidates = [stem + suffix for lower in IMAGE_SUFFIXES for suffix in (lower, lower.upper())]
    if annotation.file_name:
        candidates.append(annotation.file_name)
    found = next((name for name in candidates if name in on_disk), None)
    if found is None and require_images:
        raise OddemoError(
            f"The picture of {annotation.path} is missing.",
            expected=f"{image_folder / candidates[0]}, or another picture ending",
            found=f"{len(on_disk)} other files in that folder",
        )
    return found or annotation.file_name or candidates[0]


def _record(
    number: int, annotation: VocAnnotation, image_folder: Path, file_name: str, names: tuple[str, ...]
) -> ImageRecord:
    unknown = sorted(set(annotation.names) - set(names))
    if unknown:
        raise OddemoError(
            f"{annotation.path} names a class that is not in the list.",
            expected=", ".join(names),
            found=", ".join(unknown),
        )
    size_hw_px = annotation.image_size_hw_px
    if size_hw_px is None:
        height, width, _ = read_image_rgb(image_folder / file_name).shape
        size_hw_px = (height, width)
    return ImageRecord(
        image_id=number,
        file_name=file_name,
        image_size_hw_px=size_hw_px,
        boxes_yxyx_px=np.array(annotation.boxes_yxyx_px, dtype=np.float64).reshape(-1, 4),
        class_ids=np.array([names.index(name) + 1 for name in annotation.names], dtype=np.int64),
        attributes={"difficult": list(annotation.difficult)} if annotation.difficult else {},
    )
