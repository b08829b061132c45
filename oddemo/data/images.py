"""Decoding a picture to the array that every pipeline starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.errors import OddemoError

#: File endings that are taken for pictures, in lower case.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


def read_image_rgb(path: Path) -> NDArray[np.uint8]:
    """Decode a picture with Pillow, as stored: no EXIF rotation.

    Returns:
        (height, width, 3) uint8, RGB, 0-255.

    Raises:
        OddemoError: If the file is missing, truncated or not a picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except FileNotFoundError:
        raise OddemoError(f"The picture {path} does not exist.", do="check the folder and the annotations") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise OddemoError(
            f"The picture {path} cannot be decoded.",
            expected="a whole JPEG, PNG or BMP file",
            found=str(error),
            do="remove or replace this file; `oddemo data check` lists all such files",
        ) from None


def list_images(folder: Path) -> list[Path]:
    """Return the pictures below a folder, sorted by their path below it.

    Raises:
        OddemoError: If the folder is missing or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise OddemoError(f"The folder {folder} does not exist.", expected="a folder with pictures")
    found: list[Any] = [p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
    if not found:
        raise OddemoError(
            f"The folder {folder} holds no pictures.",
            expected=f"files ending in {', '.join(IMAGE_SUFFIXES)}",
            found=f"{sum(1 for _ in folder.rglob('*'))} other entries",
        )
    return sorted(found, key=lambda p: p.relative_to(folder).as_posix())
