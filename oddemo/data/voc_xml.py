"""One Pascal VOC annotation file, parsed without believing it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from oddemo.errors import OddemoError


@dataclass(frozen=True)
class VocAnnotation:
    """What one XML file says.

    Attributes:
        path: The XML file.
        file_name: The picture it names, without folders; None if it names none.
        image_size_hw_px: Height and width; None where the file gives none, or 0 as some tools do.
        names: Class name of each box.
        boxes_yxyx_px: (N, 4) continuous pixels.
        difficult: Indices of the boxes that are marked as difficult.
    """

    path: Path
    file_name: str | None
    image_size_hw_px: tuple[int, int] | None
    names: tuple[str, ...]
    boxes_yxyx_px: tuple[tuple[float, float, float, float], ...]
    difficult: tuple[int, ...]


def read_annotation(path: Path) -> VocAnnotation:
    """Read one annotation; document types, and with them every kind of entity expansion, are refused.

    Raises:
        OddemoError: If the file is missing, cut off, not XML, or lacks a class name or a coordinate.
    """
    try:
        data = path.read_bytes()
        _refuse_document_type(path, data)
        root = ElementTree.fromstring(data)
    except OSError as error:
        raise OddemoError(f"The annotation {path} cannot be read.", found=str(error)) from None
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, OddemoError):
            raise
        raise OddemoError(
            f"The annotation {path} is not whole XML.", expected="<annotation> … </annotation>", found=str(error)
        ) from None
    objects = root.findall("object")
    names, boxes = [], []
    for position, entry in enumerate(objects):
        label = f"{path}: object {position}"
        name = (entry.findtext("name") or "").strip()
        if not name:
            raise OddemoError(f"{label} has no class name.", expected="<name>…</name>")
        names.append(name)
        boxes.append(_box_yxyx_px(label, entry))
    file_name = (root.findtext("filename") or "").strip().replace("\\", "/").rsplit("/", 1)[-1]
    return VocAnnotation(
        path=path,
        file_name=file_name or None,
        image_size_hw_px=_size_hw_px(root),
        names=tuple(names),
        boxes_yxyx_px=tuple(boxes),
        difficult=tuple(k for k, entry in enumerate(objects) if (entry.findtext("difficult") or "").strip() == "1"),
    )


def _refuse_document_type(path: Path, data: bytes) -> None:
    def refuse(*_: object) -> None:
        raise OddemoError(
            f"The annotation {path} declares a document type, which is refused.",
            expected="plain XML without <!DOCTYPE …>: a document type can blow up memory or read other files",
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)


def _size_hw_px(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        height, width = (round(float(root.findtext(f"size/{key}") or 0)) for key in ("height", "width"))
    except (ValueError, OverflowError):
        return None
    return (height, width) if height > 0 and width > 0 else None


def _box_yxyx_px(label: str, entry: ElementTree.Element) -> tuple[float, float, float, float]:
    values = {}
    for key in ("ymin", "xmin", "ymax", "xmax"):
        text = entry.findtext(f"bndbox/{key}")
        try:
            values[key] = float(text if text is not None else "nan")
        except ValueError:
            values[key] = math.nan
        if not math.isfinite(values[key]):
            raise OddemoError(
                f"{label} has no usable {key}.",
                expected="<bndbox> with xmin, ymin, xmax, ymax as numbers",
                found=repr(text),
            )
    y_min, y_max = _continuous(values["ymin"], values["ymax"])
    x_min, x_max = _continuous(values["xmin"], values["xmax"])
    return y_min, x_min, y_max, x_max


def _continuous(first: float, last: float) -> tuple[float, float]:
    """Turn 1-based pixels with both ends included into continuous coordinates, keeping faults what they are."""
    if first == last:
        return first - 0.5, first - 0.5
    return (first - 1.0, last) if first < last else (first, last - 1.0)
