"""Writing a dataset as Pascal VOC: one XML file a picture.

VOC counts pixels from 1 and names the first and the last one inside: continuous `0 … 320` becomes `1 … 320`. A box that
is one pixel wide has the same first and last pixel, which many tools, and `read_voc`, take for a box without area.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite

#: VOC cannot tell narrower boxes from boxes without area.
LEAST_SIDE_PX = 1.0


def write_voc(dataset: Dataset, root: Path, *, split: str | None = None, overwrite: bool = False) -> None:
    """Write `Annotations/*.xml`, copies of the pictures in `JPEGImages`, and `ImageSets/Main/<split>.txt`.

    Args:
        dataset: What to write.
        root: The folder to make; it appears whole or not at all.
        split: Name of the list of pictures; the dataset's name if not given.
        overwrite: Replace a folder that is there already.

    Raises:
        OddemoError: If the folder is taken, two pictures have the same name, a picture is missing, or a box is not
            wider and higher than one pixel.
    """
    refuse_to_overwrite(Path(root), overwrite=overwrite)
    paths = [PurePosixPath(record.file_name) for record in dataset.records]
    if len({path.stem for path in paths}) != len(paths):
        raise OddemoError(
            f"{dataset.name} has pictures of the same name in different folders, which VOC cannot hold.",
            expected="names that differ without folder and ending",
        )
    with atomic_folder(Path(root)) as folder:
        places = [folder / name for name in ("Annotations", "JPEGImages", "ImageSets/Main")]
        for place in places:
            place.mkdir(parents=True)
        for record, path in zip(dataset.records, paths, strict=True):
            (places[0] / f"{path.stem}.xml").write_text(voc_annotation(record, dataset.class_names), encoding="utf-8")
            source = dataset.image_path(record)
            if not source.is_file():
                raise OddemoError(f"The picture {source} does not exist.", do="check the dataset's folder")
            shutil.copyfile(source, places[1] / path.name)
        names = "".join(f"{path.stem}\n" for path in paths)
        (places[2] / f"{split or dataset.name}.txt").write_text(names, encoding="utf-8")


def voc_annotation(record: ImageRecord, class_names: tuple[str, ...]) -> str:
    """Return one picture's boxes as VOC's XML; whole numbers are written as such.

    Args:
        record: The picture.
        class_names: Class id `k` is `class_names[k - 1]`.

    Raises:
        OddemoError: If a box is not wider and higher than one pixel.
    """
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = PurePosixPath(record.file_name).name
    size = ElementTree.SubElement(root, "size")
    for key, value in zip(("width", "height", "depth"), (*record.image_size_hw_px[::-1], 3), strict=True):
        ElementTree.SubElement(size, key).text = str(value)
    for index, (box, class_id) in enumerate(zip(record.boxes_yxyx_px.tolist(), record.class_ids.tolist(), strict=True)):
        y_min, x_min, y_max, x_max = box
        if not (y_max - y_min > LEAST_SIDE_PX and x_max - x_min > LEAST_SIDE_PX):
            raise OddemoError(
                f"{record.file_name}: box {index} is too small for VOC.",
                expected="more than 1 pixel in width and height",
                found=f"y {y_min:g} to {y_max:g}, x {x_min:g} to {x_max:g}",
                do="leave such boxes out; `oddemo data check` lists those without area",
            )
        entry = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(entry, "name").text = class_names[class_id - 1]
        corners = ElementTree.SubElement(entry, "bndbox")
        pixels = {"xmin": x_min + 1, "ymin": y_min + 1, "xmax": x_max, "ymax": y_max}
        for key, value in pixels.items():
            ElementTree.SubElement(corners, key).text = str(int(value)) if value.is_integer() else repr(value)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
