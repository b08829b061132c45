"""From `kind:place` to a source."""

from __future__ import annotations

from pathlib import Path

from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.base import Source
from oddemo.audit.trace import Trace, load_trace
from oddemo.errors import OddemoError

KINDS = ("tfvision:DIR", "savedmodel:DIR", "tflite:FILE", "odapi:DIR", "python:FILE.py:FUNCTION", "trace:FILE.npz")


class RecordedSource:
    """`trace:FILE.npz`: what was recorded elsewhere.

    Args:
        file: As `oddemo record` wrote it.
    """

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        self.recorded = load_trace(self.file)

    @property
    def spec(self) -> str:
        """`trace:FILE.npz`."""
        return f"trace:{self.file}"

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:  # noqa: ARG002
        """Return the recorded trace.

        Raises:
            OddemoError: If it was recorded on other pictures.
        """
        if self.recorded.image_names != pictures.names:
            shared = set(self.recorded.image_names) & set(pictures.names)
            raise OddemoError(
                f"{self.spec} was recorded on other pictures.",
                expected=f"{len(pictures)} pictures, first {pictures.names[0]}",
                found=f"{len(self.recorded.image_names)}, of which {len(shared)} are shared",
                do="record it again on this folder, or audit on the folder it was recorded on",
            )
        return self.recorded


def parse_source(spec: str) -> Source:
    """Return the source that `kind:place` names.

    Raises:
        OddemoError: If the kind is not known, or there is no such artefact at the place.
    """
    kind, separator, place = spec.partition(":")
    if not separator or not place:
        raise OddemoError(
            f"{spec!r} is not a source.", expected=" or ".join(KINDS), found=f"no {'place' if separator else 'kind'}"
        )
    if kind == "tfvision":
        from oddemo.audit.sources.tfvision import TFVisionSource

        return TFVisionSource(Path(place))
    if kind == "savedmodel":
        from oddemo.audit.sources.saved_model import SavedModelSource

        return SavedModelSource(Path(place))
    if kind == "tflite":
        from oddemo.audit.sources.tflite import TFLiteSource

        return TFLiteSource(Path(place))
    if kind == "odapi":
        from oddemo.audit.sources.odapi import ODAPISource

        return ODAPISource(Path(place))
    if kind == "python":
        return _function(spec, place)
    if kind == "trace":
        return RecordedSource(Path(place))
    raise OddemoError(f"{kind!r} is not a kind of source.", expected=" or ".join(KINDS), found=spec)


def _function(spec: str, place: str) -> Source:
    from oddemo.audit.sources.function import FunctionSource

    file, separator, name = place.rpartition(":")
    if not separator:
        raise OddemoError(f"{spec!r} names no function.", expected="python:FILE.py:FUNCTION")
    return FunctionSource(Path(file), name)
