"""`python:FILE.py:FUNCTION`: a user's own serving function, of which only the ends are seen."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.labels import labels_beside
from oddemo.audit.sources.outputs import read_outputs
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError
from oddemo.progress import track
from oddemo.provenance import package_versions

#: A parameter with one of these words in its name, or annotated as str or Path, is given the path of the picture.
_PATH_WORDS = ("path", "file")


class FunctionSource:
    """A function that takes a picture and returns a dict of boxes, scores and classes.

    It is given a (height, width, 3) uint8 RGB array, or the path of the file if its parameter is annotated as `str` or
    `Path` or has `path` or `file` in its name. Boxes are `y_min, x_min, y_max, x_max` in pixels of the picture (or all
    within [0, 1]); class ids start at 1. The file is executed: audit only code that you would run.

    Args:
        file: Python file.
        name: Name of the function in it.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = Path(file), name
        self.labels = labels_beside(self.file)
        self._function = _load(self.file, name)
        self._takes_path = _takes_path(self._function)

    @property
    def spec(self) -> str:
        """`python:FILE.py:FUNCTION`."""
        return f"python:{self.file}:{self.name}"

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:  # noqa: ARG002
        """Run on the pictures; see `Source`.

        Raises:
            OddemoError: If the function raises, or returns something that cannot be read.
        """
        images = pictures.decode()
        detections = []
        pairs = list(zip(pictures.paths, images, strict=True))
        for path, image in track(pairs, f"running {self.name}"):
            given = path if self._takes_path else image.copy()
            outputs = self._call(given, path)
            detections.append(read_outputs(outputs, (image.shape[0], image.shape[1]), self.spec))
        return Trace(
            source=self.spec,
            image_names=pictures.names,
            images=(),
            dense={},
            detections=tuple(detections),
            labels=self.labels,
            provenance={"versions": package_versions(), "batches": [[number] for number in range(len(images))]},
        )

    def _call(self, given: Any, path: Path) -> Mapping[str, Any]:
        try:
            outputs = self._function(given)
        except (Exception, SystemExit) as error:  # whatever a user's code raises is told, an exit least of all obeyed
            raise OddemoError(
                f"{self.spec} failed on {path.name}.",
                expected="a dict of boxes, scores and classes",
                found=f"{type(error).__name__}: {error}",
                do="call the function on this picture by itself",
            ) from error
        if not isinstance(outputs, Mapping):
            raise OddemoError(
                f"{self.spec} does not return a dict.",
                expected="{'boxes': (N, 4), 'scores': (N,), 'classes': (N,)}",
                found=type(outputs).__name__,
            )
        return outputs


def _load(file: Path, name: str) -> Callable[[Any], Any]:
    if not file.is_file():
        raise OddemoError(f"The file {file} does not exist.", expected="python:FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(f"oddemo_user_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise OddemoError(f"{file} is not a Python file.", expected="a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's code raises is told, an exit least of all obeyed
        raise OddemoError(f"{file} cannot be imported.", found=f"{type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        there = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise OddemoError(f"{file} has no function {name!r}.", expected=name, found=", ".join(there) or "no functions")
    called: Callable[[Any], Any] = function
    return called


def _takes_path(function: Callable[[Any], Any]) -> bool:
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        return False
    first = parameters[0]
    annotation = first.annotation if isinstance(first.annotation, str) else getattr(first.annotation, "__name__", "")
    by_name = any(word in first.name.lower() for word in _PATH_WORDS)
    return by_name or annotation.rpartition(".")[2] in ("str", "Path")
