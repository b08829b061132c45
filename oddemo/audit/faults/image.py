"""Causes that act on the decoded picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from oddemo.audit.faults.record import Evidence, Fault, Hypothesis

_NOTEBOOK = "10_preprocessing_faults"


def _decode(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    if settings.pre.decoder == "tensorflow" and any(_is_jpeg(file) for file in evidence.files):
        yield Hypothesis(
            "image_decode",
            replace(settings, pre=replace(settings.pre, decoder="accurate")),
            "decodes JPEG files with the accurate integer transform (Pillow, OpenCV), the reference with the fast one "
            "(TensorFlow's default)",
            "decode with tf.io.decode_image as in training, or train with "
            'tf.io.decode_jpeg(..., dct_method="INTEGER_ACCURATE")',
        )


def _is_jpeg(file: Path) -> bool:
    return file.suffix.lower() in (".jpg", ".jpeg")


def _orientation(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    if settings.pre.orientation == "stored" and _any_turned(evidence):
        yield Hypothesis(
            "exif_orientation",
            replace(settings, pre=replace(settings.pre, orientation="exif")),
            "turns pictures as their EXIF tag says, and the reference does not",
            "treat the EXIF orientation alike: PIL.ImageOps.exif_transpose in training and serving, or in neither",
        )


def _any_turned(evidence: Evidence) -> bool:
    from PIL import Image

    for file in evidence.files:
        with Image.open(file) as picture:
            if picture.getexif().get(0x0112, 1) != 1:
                return True
    return False


def _channels(evidence: Evidence) -> Iterator[Hypothesis]:
    settings = evidence.settings
    order = "bgr" if settings.pre.channel_order == "rgb" else "rgb"
    yield Hypothesis(
        "channel_order",
        replace(settings, pre=replace(settings.pre, channel_order=order)),
        f"feeds the channels in the order {order.upper()}",
        "convert once before the network: image = image[..., ::-1], or cv2.cvtColor(image, cv2.COLOR_BGR2RGB)",
    )


FAULTS = (
    Fault(
        id="image_decode",
        stage="image",
        shows_at="image",
        title="another JPEG decoder",
        symptom="Scores differ a little on JPEG files and not at all on PNG files.",
        cure="Decode with the same library and transform on both sides.",
        notebook=_NOTEBOOK,
        propose=_decode,
    ),
    Fault(
        id="exif_orientation",
        stage="image",
        shows_at="image",
        title="EXIF orientation honoured on one side only",
        symptom="Phone pictures get turned or transposed boxes; all others are fine.",
        cure="Turn picture and boxes alike on both sides.",
        notebook=_NOTEBOOK,
        propose=_orientation,
    ),
    Fault(
        id="channel_order",
        stage="image",
        shows_at="pixels",
        title="BGR instead of RGB",
        symptom="It works, but worse: classes told apart by colour are mixed up, scores drop.",
        cure="Convert the channel order once; OpenCV reads BGR.",
        notebook=_NOTEBOOK,
        propose=_channels,
    ),
)
