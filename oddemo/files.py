"""Writing files so that a reader sees the old content or the new one, never half of either."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError


def refuse_to_overwrite(path: Path, *, overwrite: bool, flag: str = "--overwrite") -> None:
    """Raise unless `path` is free, an empty folder, or the user asked for it to be replaced.

    Raises:
        OddemoError: If something is there already and `overwrite` is false.
    """
    taken = path.exists() and not (path.is_dir() and not any(path.iterdir()))
    if taken and not overwrite:
        raise OddemoError(
            f"{path} exists already and is not overwritten.",
            expected="a path that is free, or an empty folder",
            found="a folder with files in it" if path.is_dir() else "a file",
            do=f"choose another place, or add {flag} to replace it",
        )


def refuse_unwritable_file(path: Path, *, overwrite: bool) -> None:
    """Raise unless a file can be written at `path`; asked before long work, so that its result is not lost.

    Raises:
        OddemoError: If a folder is there, a file is there and `overwrite` is false, or the folder cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise OddemoError(f"{path} is a folder.", expected="the name of a file to write")
    refuse_to_overwrite(path, overwrite=overwrite)
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OddemoError(
            f"{path} cannot be written.",
            expected="a path below a folder that you may write to",
            found=f"{above}, which is {'not yours to write' if above.is_dir() else 'a file'}",
        )


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the place of `path` only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it takes the place of `path` only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary.chmod(0o755)
    retired: Path | None = None
    try:
        yield temporary
        if path.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent)) / "was"
            path.replace(retired)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if retired is not None:
            shutil.rmtree(retired.parent, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON with a closing newline, atomically; NaN is refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read UTF-8 JSON.

    Raises:
        OddemoError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OddemoError(f"{path} does not exist.", do="check the path") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise OddemoError(f"{path} is not readable as JSON.", expected="UTF-8 JSON", found=str(error)) from None
