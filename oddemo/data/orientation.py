"""Which way up a camera was held: a tag in a JPEG file that some programs follow when reading it, and others do not."""

from __future__ import annotations

from oddemo.errors import OddemoError

#: Number of the tag among EXIF's.
ORIENTATION_TAG = 0x0112
#: Values of the tag: 1 as stored, 3 upside down, 6 to be turned clockwise, 8 to be turned anticlockwise; the even ones
#: below 6 and the odd ones above 4 are mirrored.
ORIENTATIONS = tuple(range(1, 9))
_START_OF_JPEG = b"\xff\xd8"
_START_OF_EXIF = b"\xff\xe1"


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG file with an orientation tag; its compressed pixels stay what they are, byte for byte.

    Args:
        jpeg: Content of a JPEG file without EXIF data.
        orientation: One of `ORIENTATIONS`.

    Raises:
        OddemoError: If there is no such orientation, or the content is no JPEG file or holds EXIF data already.
    """
    from PIL.Image import Exif

    if orientation not in ORIENTATIONS:
        raise OddemoError(
            "There is no such orientation.",
            expected=f"one of {', '.join(map(str, ORIENTATIONS))}",
            found=str(orientation),
        )
    if not jpeg.startswith(_START_OF_JPEG):
        raise OddemoError("Only JPEG files are given an orientation here.", expected="the content of a JPEG file")
    if b"Exif\x00\x00" in jpeg[: 2**16]:
        raise OddemoError("The picture holds EXIF data already.", do="save it without them first")
    tags = Exif()
    tags[ORIENTATION_TAG] = orientation
    content = tags.tobytes()
    # A segment starts with its own length, which counts the two bytes that hold it.
    segment = _START_OF_EXIF + (len(content) + 2).to_bytes(2, "big") + content
    return _START_OF_JPEG + segment + jpeg[len(_START_OF_JPEG) :]
