"""Pictures and class names, found and named as `oddemo` does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from oddemo_probe import RefusedError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


class Pictures(NamedTuple):
    """Pictures below a folder: names with forward slashes, file contents, and (height, width, 3) uint8 RGB arrays."""

    names: list[str]
    contents: list[bytes]
    images: list[Any]


def read_pictures(folder: Path, limit: int | None = None, chosen: list[str] | None = None) -> Pictures:
    """Read the pictures below a folder in the order of their names; with a limit, evenly spread ones.

    Args:
        folder: Searched with its subfolders.
        limit: Take so many.
        chosen: Take these, in this order, and search for none.
    """
    if not folder.is_dir():
        raise RefusedError(f"The folder {folder} does not exist.")
    names = chosen if chosen is not None else _names_below(folder)
    if not names:
        raise RefusedError(f"The folder {folder} holds no pictures ({', '.join(SUFFIXES)}).")
    if limit is not None and limit < len(names):
        names = [names[i] for i in np.linspace(0, len(names) - 1, limit).round().astype(int)]
    contents = [(folder / name).read_bytes() for name in names]
    import tensorflow as tf  # takes seconds, and a mistake above none

    images = []
    for name, content in zip(names, contents):
        try:
            images.append(tf.io.decode_image(content, channels=3, expand_animations=False).numpy())
        except tf.errors.OpError as error:
            raise RefusedError(f"The picture {name} cannot be decoded: {str(error).splitlines()[0][:200]}") from None
    return Pictures(names, contents, images)


def _names_below(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def read_labels(folder: Path) -> list[str]:
    """Return the names in a label_map.pbtxt beside the model, by id from 1; none if there is no such file."""
    for place in (folder / "label_map.pbtxt", folder / "assets" / "label_map.pbtxt"):
        if not place.is_file():
            continue
        text = re.sub(r"(?m)#.*$", "", place.read_text(encoding="utf-8-sig"))
        names = {}
        for item in re.findall(r"item\s*:?\s*[{<](.*?)[}>]", text, re.DOTALL):
            number = re.search(r"\bid\s*:\s*(-?\d+)", item)
            fields = dict(re.findall(r"\b(display_name|name)\s*:\s*[\"']([^\"']*)[\"']", item))
            if number and fields:
                names[int(number.group(1))] = fields.get("display_name") or fields["name"]
        if sorted(names) != list(range(1, len(names) + 1)):
            raise RefusedError(f"{place} does not number its classes from 1 without gaps: {sorted(names)}")
        return [names[number] for number in sorted(names)]
    return []
