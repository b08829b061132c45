"""Reads HDF5 files, refusing what reaches out of the file or would not fit into memory.

The HDF5 library can hang or crash on damaged bytes, so it runs in a process of its own with limits (`h5_child`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.cards.limits import MAX_TEXT_BYTES, plain_file
from oddemo.export.cards.weights import WeightTensor, fingerprint_tensor

#: Bytes of one dataset, objects in a file, and how often a dataset may be larger than what is stored of it.
MAX_DATASET_BYTES, MAX_OBJECTS, MAX_RATIO = 1 << 31, 100_000, 200

#: Processor seconds for a small file, and bytes that a second reads of a large one.
_SECONDS, _BYTES_A_SECOND = 3, 50_000_000
_MEMORY = 6 << 30

_CHILD = Path(__file__).with_name("h5_child.py")


def refused(what: str, found: str) -> OddemoError:
    """Return the error for an HDF5 file that is not read."""
    return OddemoError(
        f"The HDF5 file {what}.",
        expected="plain datasets inside the file, as Keras writes them",
        found=found,
        do="check where the file comes from",
    )


def read_h5(source: Path | bytes, *, keep: bool = False) -> tuple[dict[str, str], tuple[WeightTensor, ...]]:
    """Return the root's text attributes, and the fingerprints of all numeric datasets.

    Args:
        source: A path, or the contents of an HDF5 file.
        keep: Keep the tensors' bytes too.

    Raises:
        OddemoError: If the file is damaged, links to other files, or holds datasets of absurd size.
    """
    size = plain_file(source) if isinstance(source, Path) else len(source)
    output = _run(source, size)
    line, _, data = output.partition(b"\n")
    told = json.loads(line)
    if "problem" in told:
        raise refused(told["problem"], told["found"])
    tensors = []
    position = 0
    for name, dtype, shape, length in told["tensors"]:
        part = data[position : position + length]
        position += length
        tensors.append(fingerprint_tensor(name, part, dtype, tuple(shape), keep=keep))
    return told["texts"], tuple(tensors)


def _run(source: Path | bytes, size: int) -> bytes:
    """Return what the child process writes about an HDF5 file."""
    seconds = _SECONDS + size // _BYTES_A_SECOND
    limits = {
        "dataset": MAX_DATASET_BYTES,
        "objects": MAX_OBJECTS,
        "ratio": MAX_RATIO,
        "text": MAX_TEXT_BYTES,
        "size": size,
        "seconds": seconds,
        "memory": _MEMORY + 4 * size,
    }
    place = str(source.resolve()) if isinstance(source, Path) else "-"
    command = [sys.executable, "-W", "ignore", str(_CHILD), json.dumps(limits), place]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "HDF5_USE_FILE_LOCKING": "FALSE"}
    given = source if isinstance(source, bytes) else b""
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=10 * seconds, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise refused("is damaged", f"the HDF5 library did not come back within {10 * seconds} s") from None
    if done.returncode != 0 or not done.stdout:
        if b"ModuleNotFoundError" in done.stderr:
            raise OddemoError("HDF5 files are read by h5py.", found="no h5py", do="pip install h5py")
        raise refused("is damaged", f"the HDF5 library ended with status {done.returncode} while it read the file")
    return done.stdout


def parse_config(text: str, where: str) -> Any:
    """Return a JSON configuration.

    Raises:
        OddemoError: If it is no JSON, or nested absurdly deep.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        found = "brackets nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise OddemoError(f"{where} is not readable.", expected="JSON", found=found) from None
