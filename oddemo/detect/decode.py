"""Decoding pictures the way TF-Vision does in training and inside its exports.

TensorFlow's default for JPEG is the fast integer transform. Pillow and OpenCV use the accurate one: the same file comes
out up to seven grey levels apart, one on average. The reference of an audit decodes as it was trained, with TensorFlow;
a deployment that decodes otherwise then shows at the stage `image` (fault `image_decode`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.quiet import native_stderr_silenced


def read_as_trained(path: Path) -> NDArray[np.uint8]:
    """Decode a picture with `tf.io.decode_image`, as stored: no EXIF rotation.

    Returns:
        (height, width, 3) uint8, RGB, 0-255.

    Raises:
        OddemoError: If the file is missing, truncated or not a picture.
    """
    tf = load_tensorflow()
    try:
        content = Path(path).read_bytes()
    except OSError:
        raise OddemoError(f"The picture {path} does not exist.", do="check the folder and the annotations") from None
    try:
        with native_stderr_silenced():  # libjpeg writes of damaged files there, without saying which
            image: NDArray[np.uint8] = tf.io.decode_image(content, channels=3, expand_animations=False).numpy()
    except tf.errors.OpError as error:
        raise OddemoError(
            f"The picture {path} cannot be decoded.",
            expected="a whole JPEG, PNG or BMP file",
            found=str(error).splitlines()[0][:200],
            do="remove or replace this file; `oddemo data check` lists all such files",
        ) from None
    return image
