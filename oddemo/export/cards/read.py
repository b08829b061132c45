"""Reads the contract card of whatever lies at a path."""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard
from oddemo.export.cards.limits import plain_file

Result = TypeVar("Result")

KINDS = "a SavedModel folder, a .tflite, .keras or .h5 file, a checkpoint, or a detector's folder"

#: Files that stand for the folder they lie in.
_FOLDER_FILES = {"saved_model.pb": "saved_model", "params.yaml": "tfvision", "pipeline.config": "odapi"}

_READERS = {
    "saved_model": ("saved_model", "saved_model_card"),
    "tflite": ("tflite", "tflite_card"),
    "checkpoint": ("checkpoint", "checkpoint_card"),
    "tfvision": ("detector_folder", "detector_card"),
    "odapi": ("odapi", "odapi_card"),
    "keras": ("keras_file", "keras_card"),
    "h5": ("keras_file", "h5_card"),
}


def kind_of(path: Path) -> tuple[str, Path]:
    """Return `(kind, place)`: what lies at a path, and the folder, file or checkpoint prefix to read.

    Raises:
        OddemoError: If there is nothing, or nothing that can be told.
    """
    if path.is_dir():
        return _kind_of_folder(path)
    if path.name in _FOLDER_FILES:
        return _FOLDER_FILES[path.name], path.parent
    stem = path.with_name(path.name.removesuffix(".index"))
    if stem.with_name(f"{stem.name}.index").is_file():
        return "checkpoint", stem
    if not path.exists():
        raise OddemoError(f"{path} does not exist.", expected=KINDS, do="check the path")
    plain_file(path)
    with path.open("rb") as file:
        kind = _kind_of_bytes(path, file.read(16))
    return kind, path


def _kind_of_bytes(path: Path, head: bytes) -> str:
    """Return the kind of a file from how it begins."""
    if head[4:8] == b"TFL3" or path.suffix == ".tflite":
        return "tflite"
    if head.startswith(b"\x89HDF\r\n\x1a\n") or path.suffix in (".h5", ".hdf5"):
        return "h5"
    if head.startswith(b"PK") or path.suffix == ".keras":
        return "keras"
    _refuse_pickle(path, head)
    raise OddemoError(
        f"{path} is not an artefact that can be read.", expected=KINDS, found=f"a file that starts with {head[:8]!r}"
    )


def _kind_of_folder(path: Path) -> tuple[str, Path]:
    if (path / "saved_model.pb").exists():
        return "saved_model", path
    if (path / "saved_model" / "saved_model.pb").exists():
        return "saved_model", path / "saved_model"
    if (path / "pipeline.config").exists():
        return "odapi", path
    if (path / "params.yaml").exists():
        return "tfvision", path
    if (path / "checkpoint").exists() or any(path.glob("*.index")):
        return "checkpoint", path
    names = sorted(entry.name for entry in path.iterdir())
    raise OddemoError(
        f"The folder {path} holds no artefact that can be read.",
        expected=KINDS,
        found=", ".join(map(repr, names[:6])) + (" …" if len(names) > 6 else "") or "an empty folder",
        do="point to the export or the checkpoint itself",
    )


def _refuse_pickle(path: Path, head: bytes) -> None:
    pickled = (head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05") or path.suffix in (
        ".pkl",
        ".pickle",
        ".joblib",
    )
    if pickled or head.startswith(b"\x93NUMPY"):
        what = "a NumPy array file" if head.startswith(b"\x93NUMPY") else "a Python pickle"
        raise OddemoError(
            f"{path} is {what}, which is not read.",
            expected=KINDS,
            found="a format that can run any code when it is opened",
            do="do not open it either unless you wrote it yourself; ask for a SavedModel or a .keras file",
        )


def read_card(path: Path | str) -> ContractCard:
    """Return the contract card of an artefact; nothing in it is executed and TensorFlow is not imported.

    Args:
        path: A SavedModel folder, a `.tflite`, `.keras` or `.h5` file, a checkpoint (its prefix, its `.index` or its
            folder), a TF-Vision detector's folder (params.yaml + checkpoint), or an OD API folder (pipeline.config).

    Raises:
        OddemoError: If it is missing, damaged, too large, or hostile; nothing else is raised for bad bytes.
    """
    kind, place = kind_of(Path(path))
    return guarded(path, lambda: _reader(kind)(place))


def guarded(path: Path | str, read: Callable[[], Result]) -> Result:
    """Return what `read` returns, turning whatever damaged bytes raise into one error that names the path.

    The collector of reference cycles rests meanwhile: a graph is many small records that are all kept, and looking
    through them again and again would take a third of the time.

    Raises:
        OddemoError: If reading fails.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return read()
    except OddemoError as error:
        if str(path) in error.problem:
            raise
        problem = f"{path}: {error.problem}"
        raise OddemoError(problem, expected=error.expected, found=error.found, do=error.do) from None
    except (OSError, struct.error, UnicodeDecodeError, MemoryError, RecursionError) as error:
        raise OddemoError(f"{path} is damaged.", found=f"{type(error).__name__}: {error}") from None
    finally:
        if collecting:
            gc.enable()


def _reader(kind: str) -> Callable[[Path], ContractCard]:
    """Return the function that reads a kind; only its modules are imported."""
    module, function = _READERS[kind]
    reader: Callable[[Path], ContractCard] = getattr(import_module(f"oddemo.export.cards.{module}"), function)
    return reader
