"""The contract cards of Keras files: the .keras archive, and HDF5."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard, Fact
from oddemo.export.cards.h5_file import parse_config, read_h5
from oddemo.export.cards.keras_config import config_facts, dangers, signature
from oddemo.export.cards.limits import MAX_TEXT_BYTES, plain_file
from oddemo.export.cards.weights import WeightTensor, summarise

#: Members of an archive, bytes they may unpack to, and how often more than they are packed in.
MAX_MEMBERS, MAX_UNPACKED, MAX_RATIO = 10_000, 1 << 32, 200

#: What zipfile raises for bytes that are no whole archive.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)

_WEIGHTS, _CONFIG, _METADATA = "model.weights.h5", "config.json", "metadata.json"

_LAMBDA = "It holds Python code (Lambda): do not load it unless you trust its author; `safe_mode` must stay on."


def _refused(path: Path, found: str) -> OddemoError:
    return OddemoError(
        f"The archive {path} is refused.",
        expected="a .keras file as Keras writes it",
        found=found,
        do="do not unpack it; ask for the model again",
    )


def keras_card(path: Path) -> ContractCard:
    """Return the card of a .keras archive; nothing in it is unpacked to disk or deserialised.

    Raises:
        OddemoError: If it is damaged, a bomb, or names files outside of itself.
    """
    config, version = archive_texts(path)
    return _card(
        "keras", path, config, version=Fact(version, "metadata.json keras_version"), weights=keras_weights(path)
    )


def archive_texts(path: Path) -> tuple[Any, str | None]:
    """Return the configuration in a .keras archive, and the version of Keras that wrote it if it says so.

    Raises:
        OddemoError: If it is damaged, a bomb, or names files outside of itself.
    """
    plain_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = _check(path, archive)
            if _CONFIG not in names:
                raise _refused(path, f"no {_CONFIG} in it, but {', '.join(sorted(names)[:5]) or 'nothing'}")
            config = parse_config(_read(path, archive, _CONFIG, MAX_TEXT_BYTES).decode("utf-8", "replace"), _CONFIG)
            metadata: Any = {}
            if _METADATA in names:
                text = _read(path, archive, _METADATA, MAX_TEXT_BYTES).decode("utf-8", "replace")
                metadata = parse_config(text, _METADATA)
    except OddemoError:
        raise
    except ZIP_ERRORS as error:
        raise _refused(path, f"{type(error).__name__}: {error}") from None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return config, version if isinstance(version, str) else None


def keras_weights(path: Path, *, keep: bool = False) -> tuple[WeightTensor, ...]:
    """Return the tensors of a .keras archive, with their bytes if `keep`.

    Raises:
        OddemoError: If it is damaged, a bomb, or names files outside of itself.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = _check(path, archive)
            data = _read(path, archive, _WEIGHTS, MAX_UNPACKED) if _WEIGHTS in names else b""
    except OddemoError:
        raise
    except ZIP_ERRORS as error:
        raise _refused(path, f"{type(error).__name__}: {error}") from None
    return read_h5(data, keep=keep)[1] if data else ()


def _check(path: Path, archive: zipfile.ZipFile) -> set[str]:
    """Return the names of an archive's members after looking at each of them."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise _refused(path, f"{len(members)} files in it")
    for member in members:
        name = member.filename.replace("\\", "/")
        if ".." in PurePosixPath(name).parts or name.startswith("/") or name[1:2] == ":" or "\x00" in name:
            raise _refused(path, f"a file named {member.filename!r}, which leads out of the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(path, f"a link named {member.filename!r}")
        if member.file_size > max(MAX_RATIO * member.compress_size, 1 << 20):
            raise _refused(path, f"{member.filename!r} grows from {member.compress_size} to {member.file_size} bytes")
    total = sum(member.file_size for member in members)
    if total > MAX_UNPACKED:
        raise _refused(path, f"{total} bytes when unpacked")
    return {member.filename for member in members}


def _read(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a member's bytes, never more than its entry says."""
    size = archive.getinfo(name).file_size
    if size > limit:
        raise _refused(path, f"{name} of {size} bytes")
    with archive.open(name) as member:
        return member.read(size + 1)


def h5_card(path: Path) -> ContractCard:
    """Return the card of an HDF5 file that Keras wrote: a whole model, or weights alone.

    Raises:
        OddemoError: If it is damaged, links to other files, or holds datasets of absurd size.
    """
    texts, weights = read_h5(path)
    config = parse_config(texts["model_config"], "The attribute model_config") if "model_config" in texts else None
    version = Fact(texts.get("keras_version"), "attribute keras_version")
    return _card("h5", path, config, version=version, weights=weights)


def _card(kind: str, path: Path, config: Any, *, version: Fact, weights: tuple[WeightTensor, ...]) -> ContractCard:
    facts = config_facts(config) if config is not None else {}
    facts["keras_version"] = version if isinstance(version.value, str) else Fact()
    signatures = signature(config)
    if signatures:
        facts |= _input_facts(signatures[0].inputs[0].dtype, signatures[0].inputs[0].shape)
    found = dangers(config)
    notes = [] if config is not None else ["It holds weights only, no architecture."]
    if any(danger.risk == "runs Python" for danger in found):
        notes.append(_LAMBDA)
    return ContractCard(
        kind=kind,
        path=str(path),
        signatures=signatures,
        facts=facts,
        dangers=found,
        weights=summarise(weights),
        notes=tuple(notes),
    )


def _input_facts(dtype: str, shape: tuple[int | None, ...] | None) -> dict[str, Fact]:
    found = {"input": Fact(f"{dtype} pixels", "input layer")}
    if shape is not None and len(shape) == 4:
        free = None in shape[1:3]
        found["size_rule"] = Fact("dynamic" if free else f"fixed {shape[1]} x {shape[2]}", "input layer")
    return found
