"""Opening a stranger's files: plain files only, inside their folder, and no larger than is reasonable."""

from __future__ import annotations

import stat
from pathlib import Path

from oddemo.errors import OddemoError

#: Bytes of a graph, an archive member or a text that are read into memory.
MAX_GRAPH_BYTES, MAX_TEXT_BYTES = 1 << 29, 1 << 24

#: Bytes of a configuration that people write, and of a checkpoint's index.
MAX_CONFIG_BYTES, MAX_INDEX_BYTES = 1 << 20, 1 << 26


def plain_file(path: Path) -> int:
    """Return the size in bytes of a plain file.

    Raises:
        OddemoError: If it is missing, or a folder, a pipe or a device.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise OddemoError(f"{path} cannot be read.", found=str(error), do="check the path") from None
    if not stat.S_ISREG(status.st_mode):
        raise OddemoError(f"{path} is not a plain file.", expected="a file", found=stat.filemode(status.st_mode))
    return status.st_size


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the contents of a plain file of at most `limit` bytes.

    Raises:
        OddemoError: If it is missing, no plain file, or larger.
    """
    size = plain_file(path)
    if size > limit:
        raise OddemoError(
            f"{path} is too large to be read statically.",
            expected=f"at most {limit} bytes",
            found=f"{size} bytes",
            do="check where the file comes from",
        )
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise OddemoError(f"{path} cannot be read.", found=str(error)) from None


def refuse_links_outside(folder: Path) -> None:
    """Raise if a link in the folder (two levels deep, as artefacts are) leads out of it.

    Raises:
        OddemoError: If one does.
    """
    root = folder.resolve()
    for entry in (*folder.iterdir(), *(child for sub in folder.iterdir() if sub.is_dir() for child in sub.iterdir())):
        if entry.is_symlink() and not entry.resolve().is_relative_to(root):
            raise OddemoError(
                f"{entry} is a link that leads out of its folder.",
                expected="an artefact that is whole in itself",
                found=f"a link to {entry.readlink()}",
                do="copy the file to its place if you trust it",
            )
