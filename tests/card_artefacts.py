"""Small real artefacts for the tests of contract cards, made once by TensorFlow in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from made_once import made_once

from oddemo.errors import OddemoError
from oddemo.export.cards import read_card

#: Processor seconds that reading or refusing any file of the tests may take.
QUICK = 10.0


@cache
def made() -> Path:
    """Return the folder with all artefacts; see make_card_artefacts.py for what they are."""
    return Path(made_once("card_artefacts", _make))


def _make(folder: Path) -> Path:
    script = Path(__file__).with_name("make_card_artefacts.py")
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@cache
def oracle() -> dict[str, Any]:
    """Return what TensorFlow itself says about the artefacts."""
    found: dict[str, Any] = json.loads((made() / "oracle.json").read_text())
    return found


def varint(value: int) -> bytes:
    """Return an unsigned integer in protobuf's encoding."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | bytes | str) -> bytes:
    """Return one protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(number: int, key: str, value: bytes) -> bytes:
    """Return one entry of a protobuf map from string to message."""
    return field(number, field(1, key) + field(2, value))


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    """Return a NodeDef; attributes are AttrValues."""
    body = field(1, name) + field(2, op) + b"".join(field(3, text) for text in inputs)
    return body + b"".join(entry(5, key, value) for key, value in attributes.items())


def calls(function: str) -> bytes:
    """Return the AttrValue of a function's name."""
    return field(10, field(1, function))


def function(name: str, arguments: list[str], returns: dict[str, str], nodes: list[bytes]) -> bytes:
    """Return a FunctionDef."""
    signature = field(1, name) + b"".join(field(2, field(1, argument)) for argument in arguments)
    signature += b"".join(field(3, field(1, output)) for output in returns)
    ends = b"".join(field(4, field(1, output) + field(2, source)) for output, source in returns.items())
    return field(1, signature) + b"".join(field(3, item) for item in nodes) + ends


def saved_model(nodes: list[bytes], functions: list[bytes], outputs: dict[str, str]) -> bytes:
    """Return the bytes of a saved_model.pb with one signature."""
    graph = b"".join(field(1, item) for item in nodes)
    graph += field(2, b"".join(field(1, item) for item in functions))
    infos = b"".join(entry(2, key, field(1, tensor) + field(2, 1)) for key, tensor in outputs.items())
    meta = field(1, field(4, "serve")) + field(2, graph) + entry(5, "serving_default", infos)
    return field(1, 1) + field(2, meta)


def write_saved_model(folder: Path, data: bytes) -> Path:
    """Write a folder with nothing but a saved_model.pb."""
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(data)
    return folder


def refused(path: Path, what: str) -> None:
    """Check that an artefact is refused quickly, with a reason and its path."""
    start = time.process_time()
    with pytest.raises(OddemoError) as error:
        read_card(path)
    assert what in str(error.value), str(error.value)
    assert str(path) in str(error.value)
    assert time.process_time() - start < QUICK
