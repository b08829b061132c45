"""The pictures of an audit: names, files, and ways of decoding them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.data.images import list_images, read_image_rgb
from oddemo.detect.decode import read_as_trained
from oddemo.errors import OddemoError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures on disk, in a fixed order.

    Attributes:
        root: Folder below which they lie.
        names: Paths below it, with forward slashes.
    """

    root: Path
    names: tuple[str, ...]
    _decoded: dict[tuple[str, str], tuple[NDArray[np.uint8], ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.names:
            raise OddemoError(f"No pictures below {self.root}.", expected="at least one")

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What tells two sets apart."""
        return str(self.root), self.names

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the pictures lie."""
        return tuple(self.root / name for name in self.names)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Sequence[int]) -> ImageSet:
        """Return some of the pictures, sharing what is decoded already."""
        decoded = {key: tuple(images[i] for i in indices) for key, images in self._decoded.items()}
        return ImageSet(self.root, tuple(self.names[i] for i in indices), decoded)

    def decode(self, *, orientation: str = "stored", decoder: str = "tensorflow") -> tuple[NDArray[np.uint8], ...]:
        """Return (height, width, 3) uint8 RGB arrays.

        Args:
            orientation: `stored`, or `exif` to turn a picture as its tag says.
            decoder: `tensorflow`, as in training, or `accurate`, which is what Pillow and OpenCV do with JPEG files.

        Raises:
            OddemoError: If a file is missing or cannot be decoded.
        """
        key = (orientation, decoder)
        if key not in self._decoded:
            self._decoded[key] = tuple(_decode(path, orientation, decoder) for path in self.paths)
        return self._decoded[key]


def image_set(folder: Path, *, limit: int | None = None) -> ImageSet:
    """Return the pictures below a folder, in the order of their names.

    Args:
        folder: Searched with its subfolders.
        limit: Take so many, evenly spread over the list, instead of all.

    Raises:
        OddemoError: If the folder is missing or holds none.
    """
    folder = Path(folder)
    names = [path.relative_to(folder).as_posix() for path in list_images(folder)]
    if limit is not None and limit < len(names):
        if limit < 1:
            raise OddemoError("An audit needs pictures.", expected="a limit of at least 1", found=str(limit))
        names = [names[i] for i in np.linspace(0, len(names) - 1, limit).round().astype(int)]
    return ImageSet(folder, tuple(names))


def _decode(path: Path, orientation: str, decoder: str) -> NDArray[np.uint8]:
    image = read_as_trained(path) if decoder == "tensorflow" else read_image_rgb(path)
    return _turned(image, path) if orientation == "exif" else image


def _turned(image: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    with Image.open(path) as stored:
        tag = stored.getexif().get(0x0112, 1)
    picture = Image.fromarray(image)
    picture.getexif()[0x0112] = tag
    return np.array(ImageOps.exif_transpose(picture))
