"""The reference's network converted to TFLite with quantised weights: what quantisation alone does to it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.trace import Trace
from oddemo.detect.folder import LABEL_MAP, PARAMS, find_checkpoint, read_params

Stages = Mapping[str, Mapping[str, NDArray[Any]]]

#: Conversions that are kept for the next audit of the same reference in this process.
_KEPT = 4
#: A candidate whose heads are at most so many times as far from the reference as its quantised twin's is taken for one.
#: The twin is calibrated on the very pictures of the audit, so it comes out better than a sound candidate: 1.5 to 2
#: times on 24 to 12 pictures.
MOST_TIMES_AS_FAR = 3.0
#: Pictures that the activations of an 8-bit twin are calibrated on.
CALIBRATION = 64
#: TFLite's own suppression: the loops of TF-Vision's cannot be calibrated, and only the network is run here.
_SUPPRESSION = {"task.model.detection_generator.nms_version": "tflite"}


class QuantizedNetwork:
    """A detector's network after conversion, run by LiteRT.

    Args:
        folder: Detector folder.
        kind: `float16`, `dynamic` or `int8`.
        size_hw: Height and width of the network's input, if not the detector's own.
        calibration: (pictures, h, w, 3) network inputs, needed for `int8`.

    Raises:
        OddemoError: If it cannot be converted.
    """

    def __init__(
        self,
        folder: Path,
        kind: str,
        *,
        size_hw: tuple[int, int] | None = None,
        calibration: NDArray[np.float32] | None = None,
    ) -> None:
        from oddemo.audit.sources.interpreter import TappedInterpreter

        with tempfile.TemporaryDirectory(prefix="oddemo-quantised-") as temporary:
            file = Path(temporary) / "network.tflite"
            file.write_bytes(
                _convert(_graph(folder, _digest(folder), size_hw), kind, calibration)
                if kind == "int8" or calibration is not None
                else _converted(folder, kind, size_hw)
            )
            self._interpreter = TappedInterpreter(file)

    def run(self, pixels: NDArray[np.float32]) -> Stages:
        """Return `features` and `heads` of (pictures, h, w, 3) network inputs."""
        from oddemo.audit.sources.running import dense_of

        stages = dense_of(self._interpreter.run_all(pixels))
        return {stage: stages[stage] for stage in ("features", "heads")}


@contextmanager
def float_twin(folder: Path) -> Iterator[Path]:
    """Yield a float32 TFLite file of a detector, to compare kernels with."""
    with tempfile.TemporaryDirectory(prefix="oddemo-float-") as temporary:
        file = Path(temporary) / "network.tflite"
        file.write_bytes(_converted(folder, "none"))
        yield file


def _converted(folder: Path, kind: str, size_hw: tuple[int, int] | None = None) -> bytes:
    """Convert a detector, or take what was made of the same files before."""
    return _kept(folder, kind, _digest(folder), size_hw)


def _digest(folder: Path) -> str:
    prefix = find_checkpoint(folder)
    digest = hashlib.sha256()
    for file in (folder / PARAMS, folder / LABEL_MAP, *sorted(prefix.parent.glob(f"{prefix.name}.*"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=_KEPT)
def _kept(folder: Path, kind: str, digest: str, size_hw: tuple[int, int] | None) -> bytes:
    return _convert(_graph(folder, digest, size_hw), kind, None)


@lru_cache(maxsize=1)
def _graph(folder: Path, digest: str, size_hw: tuple[int, int] | None) -> Mapping[str, bytes]:
    """Return the graph that every conversion starts from: names and contents of its files."""
    from oddemo.export.saved_model import write_graph

    del digest
    with tempfile.TemporaryDirectory(prefix="oddemo-conversion-") as temporary:
        size = {} if size_hw is None else {"task.model.input_size": [*size_hw, 3]}
        params = read_params(folder, overrides={**_SUPPRESSION, **size})
        place = Path(temporary)
        write_graph(params, find_checkpoint(folder), place, input_type="tflite", batch_size=1)
        return {file.relative_to(place).as_posix(): file.read_bytes() for file in place.rglob("*") if file.is_file()}


def _convert(graph: Mapping[str, bytes], kind: str, calibration: NDArray[np.float32] | None) -> bytes:
    from oddemo.export.tflite import convert_graph

    with tempfile.TemporaryDirectory(prefix="oddemo-conversion-") as temporary:
        for name, content in graph.items():
            file = Path(temporary) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return convert_graph(Path(temporary), kind, calibration)


def rounding_compared(folder: Path, pictures: ImageSet, reference: Trace, candidate: Trace) -> tuple[float, float]:
    """Return how far the candidate's heads are from the reference's, and how far 8-bit integers alone move them.

    Both are root mean squares over heads in units of the reference's standard deviation, the worst array counting. The
    twin is calibrated on these pictures.

    Args:
        folder: Detector folder of the reference.
        pictures: Of both traces.
        reference: Trace of the reference, with what was found so far taken on.
        candidate: Trace of the candidate.
    """
    pixels = reference.dense["pixels"]["pixels"]
    spread = np.linspace(0, len(pictures) - 1, min(len(pictures), CALIBRATION)).astype(int)
    twin = QuantizedNetwork(folder, "int8", calibration=pixels[spread]).run(pixels)
    return _distance(reference.dense["heads"], candidate.dense["heads"]), _distance(
        reference.dense["heads"], twin["heads"]
    )


def _distance(first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]]) -> float:
    gaps = [
        float(np.sqrt(np.mean((first[name].astype(np.float64) - second[name]) ** 2)) / np.std(first[name]))
        if first[name].shape == second[name].shape
        else np.inf
        for name in first
    ]
    return max(gaps)
