"""A trace: what one source did to a set of pictures, stage by stage."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.stages import STAGES
from oddemo.data.records import Detections
from oddemo.errors import OddemoError
from oddemo.files import atomic_file, refuse_to_overwrite

Arrays = Mapping[str, NDArray[Any]]

#: What reading a damaged npz can raise.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
#: Version of the npz layout; readers refuse others.
TRACE_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Trace:
    """Arrays of every stage that a source exposes.

    Attributes:
        source: What was run, `kind:place`.
        image_names: Name of each picture, its path below the images folder; unique.
        images: One (height, width, 3) uint8 RGB array a picture, or empty where the source does not show its decoding.
        dense: Stage (`pixels`, `features`, `heads`, `decoded`) → array name → array of shape (pictures, …).
        detections: One record a picture; boxes in pixels of the picture.
        labels: Name of each class id, starting with id 1; empty if the source knows no names.
        provenance: Versions, threads and what else describes the run; JSON values.
    """

    source: str
    image_names: tuple[str, ...]
    images: tuple[NDArray[np.uint8], ...]
    dense: Mapping[str, Arrays]
    detections: tuple[Detections, ...]
    labels: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.image_names)
        if count == 0:
            raise OddemoError(f"{self.source}: a trace of no pictures proves nothing.", expected="at least one picture")
        if len(set(self.image_names)) != count:
            raise OddemoError(f"{self.source}: the names of the pictures are not unique.")
        for name, parts in (("images", self.images), ("detections", self.detections)):
            if len(parts) not in (0, count):
                raise OddemoError(
                    f"{self.source}: {name} do not fit the pictures.", expected=str(count), found=str(len(parts))
                )
        for stage, arrays in self.dense.items():
            if stage not in STAGES:
                raise OddemoError(f"{self.source}: unknown stage {stage!r}.", expected=", ".join(STAGES))
            for name, array in arrays.items():
                if len(array) != count:
                    raise OddemoError(
                        f"{self.source}: {stage}/{name} does not fit the pictures.",
                        expected=f"{count} rows",
                        found=str(array.shape),
                    )
                if array.size and not np.isfinite(array).all():
                    raise OddemoError(
                        f"{self.source}: {stage}/{name} holds values that are not finite.",
                        expected="finite numbers",
                        found=f"{int((~np.isfinite(array)).sum())} NaN or infinite of {array.size}",
                        do="look for a division by zero, diverged weights or a float16 overflow before auditing",
                    )

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages this trace shows, in pipeline order."""
        shown = set(self.dense)
        if self.images:
            shown.add("image")
        if self.detections:
            shown.add("detections")
        if self.labels:
            shown.add("labels")
        return tuple(stage for stage in STAGES if stage in shown)


def save_trace(trace: Trace, path: Path, *, overwrite: bool = False) -> Path:
    """Write a trace as one npz, atomically.

    Raises:
        OddemoError: If `path` exists and `overwrite` is false.
    """
    path = Path(path)
    refuse_to_overwrite(path, overwrite=overwrite)
    meta = {
        "format": TRACE_FORMAT,
        "source": trace.source,
        "image_names": trace.image_names,
        "labels": trace.labels,
        "provenance": dict(trace.provenance),
        "has_images": bool(trace.images),
        "has_detections": bool(trace.detections),
    }
    arrays: dict[str, NDArray[Any]] = {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    for index, image in enumerate(trace.images):
        arrays[f"image/{index}"] = image
    for stage, members in trace.dense.items():
        for name, array in members.items():
            arrays[f"dense/{stage}/{name}"] = array
    if trace.detections:
        arrays["detections/counts"] = np.array([len(d) for d in trace.detections], dtype=np.int64)
        arrays["detections/boxes_yxyx_px"] = np.concatenate([d.boxes_yxyx_px for d in trace.detections])
        arrays["detections/scores"] = np.concatenate([d.scores for d in trace.detections])
        arrays["detections/class_ids"] = np.concatenate([d.class_ids for d in trace.detections])
    with atomic_file(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]
    return path


def load_trace(path: Path) -> Trace:
    """Read a trace that `save_trace` or the stand-alone probe script wrote; nothing in it is executed.

    Raises:
        OddemoError: If the file is missing, truncated, of another format, or not a trace.
    """
    path = Path(path)
    try:
        # numpy leaves the file open when the archive is damaged, so it is opened here.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(arrays["meta"].tobytes().decode())
    except FileNotFoundError:
        raise OddemoError(f"The trace {path} does not exist.", do="record it with `oddemo record`") from None
    except _DAMAGED as error:
        raise OddemoError(
            f"{path} cannot be read as a trace.", expected="an npz written by `oddemo record`", found=str(error)
        ) from None
    if not isinstance(meta, dict) or meta.get("format") != TRACE_FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else type(meta).__name__
        raise OddemoError(f"{path} is a trace of another format.", expected=str(TRACE_FORMAT), found=str(found))
    try:
        return _trace_from_arrays(meta, arrays)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, OddemoError):
            raise
        raise OddemoError(f"{path} is not a whole trace.", found=f"{type(error).__name__}: {error}") from None


def _trace_from_arrays(meta: Mapping[str, Any], arrays: Arrays) -> Trace:
    names = tuple(meta["image_names"])
    images = tuple(arrays[f"image/{index}"] for index in range(len(names))) if meta["has_images"] else ()
    dense: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in arrays.items():
        if key.startswith("dense/"):
            _, stage, name = key.split("/", 2)
            dense.setdefault(stage, {})[name] = array
    detections: tuple[Detections, ...] = ()
    if meta["has_detections"]:
        splits = np.cumsum(arrays["detections/counts"])[:-1]
        parts = [np.split(arrays[f"detections/{name}"], splits) for name in ("boxes_yxyx_px", "scores", "class_ids")]
        detections = tuple(Detections(*part) for part in zip(*parts, strict=True))
    return Trace(
        source=meta["source"],
        image_names=names,
        images=images,
        dense=dense,
        detections=detections,
        labels=tuple(meta["labels"]),
        provenance=meta["provenance"],
    )
