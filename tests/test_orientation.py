"""The orientation tag: who follows it, and that nothing else in the file changes."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from oddemo.data.orientation import ORIENTATIONS, with_orientation
from oddemo.errors import OddemoError


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def stored(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_pillow_reads_the_tag_and_opencv_follows_it(jpeg, orientation):
    turned = with_orientation(jpeg, orientation)
    np.testing.assert_array_equal(stored(turned), stored(jpeg))
    with Image.open(io.BytesIO(turned)) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture))
    seen = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert upright.shape == seen.shape == ((40, 24, 3) if orientation > 4 else (24, 40, 3))
    # Two builds of libjpeg may round differently by a grey level or two; a wrong turn is off by a hundred.
    assert np.abs(upright.astype(int) - seen).mean() < 2


def test_compressed_pixels_stay_byte_for_byte(jpeg):
    assert with_orientation(jpeg, 6).endswith(jpeg[2:])


@pytest.mark.parametrize(
    ("content", "orientation", "words"),
    [(None, 0, "no such orientation"), (b"\x89PNG", 6, "Only JPEG"), ("tagged", 6, "EXIF data already")],
)
def test_refusals(jpeg, content, orientation, words):
    given = {None: jpeg, "tagged": with_orientation(jpeg, 3)}.get(content, content)
    with pytest.raises(OddemoError, match=words):
        with_orientation(given, orientation)
