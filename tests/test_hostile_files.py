"""Hostile archives, HDF5 and TFLite files: refused with a reason, quickly, and never executed."""

from __future__ import annotations

import contextlib
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from card_artefacts import made, refused
from hypothesis import given
from hypothesis import strategies as st

from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.cards.flatbuffer import flex_numbers


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that code in an artefact would make if it ran."""
    return tmp_path / "it_ran"


def archive(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_archives_that_are_bombs_or_lead_out(tmp_path: Path) -> None:
    good = {"config.json": b"{}", "metadata.json": b"{}"}
    refused(archive(tmp_path / "bomb.keras", good | {"model.weights.h5": bytes(1 << 27)}), "grows from")
    refused(archive(tmp_path / "up.keras", good | {"../../evil": b"x"}), "leads out of the archive")
    refused(archive(tmp_path / "root.keras", good | {"/etc/evil": b"x"}), "leads out of the archive")
    refused(archive(tmp_path / "win.keras", good | {"C:\\evil": b"x"}), "leads out of the archive")
    refused(archive(tmp_path / "none.keras", {"other": b"x"}), "no config.json")
    refused(archive(tmp_path / "deep.keras", good | {"config.json": b"[" * 100_000}), "too deeply")
    refused(archive(tmp_path / "text.keras", good | {"config.json": b"no"}), "not readable")
    with zipfile.ZipFile(tmp_path / "link.keras", "w") as file:
        link = zipfile.ZipInfo("config.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    refused(tmp_path / "link.keras", "a link named")


def test_an_archive_that_lies_about_its_sizes(tmp_path: Path) -> None:
    """The entry says 10 bytes, the data unpack to 64 MB: no more than the entry says is unpacked."""
    path = archive(tmp_path / "lie.keras", {"config.json": b"{}" + b" " * (1 << 26)})
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        spot = data.find(mark)
        data[spot + place : spot + place + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(data))
    refused(path, "refused")


def test_truncated_keras_archives(tmp_path: Path) -> None:
    data = (made() / "keras3.keras").read_bytes()
    for part in (0, 3, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.keras").write_bytes(data[:part])
        refused(tmp_path / "cut.keras", "refused")


def test_a_lambda_layer_is_not_run(tmp_path: Path, marker: Path) -> None:
    import marshal
    from base64 import b64encode

    code = compile(f"open({str(marker)!r}, 'w')", "x", "exec")
    layer = {"class_name": "Lambda", "config": {"function": [b64encode(marshal.dumps(code)).decode(), None, None]}}
    config = {"class_name": "Sequential", "config": {"layers": [layer]}}
    path = archive(tmp_path / "lambda.keras", {"config.json": json.dumps(config).encode()})
    card = read_card(path)
    assert [(danger.op, danger.risk) for danger in card.dangers] == [("Lambda", "runs Python")]
    assert not marker.exists()


def hdf5(path: Path, fill: Callable) -> Path:
    import h5py

    with h5py.File(path, "w") as file:
        fill(file)
    return path


def test_hdf5_files_that_are_hostile(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    (tmp_path / "secret.bin").write_bytes(bytes(64))
    other = hdf5(tmp_path / "other.h5", lambda file: file.create_dataset("x", data=np.zeros(4)))

    def huge(file: h5py.File) -> None:
        file.create_dataset("w", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024))

    def packed(file: h5py.File) -> None:
        file.create_dataset("w", data=np.zeros((1 << 24,), "f4"), chunks=True, compression="gzip", compression_opts=9)

    def linked(file: h5py.File) -> None:
        file["w"] = h5py.ExternalLink(str(other), "/x")

    def outside(file: h5py.File) -> None:
        file.create_dataset("w", shape=(8,), dtype="f8", external=[(str(tmp_path / "secret.bin"), 0, 64)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(other), "x", shape=(4,))
        file.create_virtual_dataset("w", layout)

    refused(hdf5(tmp_path / "huge.h5", huge), "absurd size")
    refused(hdf5(tmp_path / "packed.h5", packed), "absurd size")
    refused(hdf5(tmp_path / "linked.h5", linked), "links to another file")
    refused(hdf5(tmp_path / "outside.h5", outside), "keeps data in another file")
    refused(hdf5(tmp_path / "virtual.h5", virtual), "keeps data in another file")
    (tmp_path / "cut.h5").write_bytes((made() / "keras3.h5").read_bytes()[:5000])
    refused(tmp_path / "cut.h5", "damaged")


def test_groups_that_hold_themselves_are_read_once(tmp_path: Path) -> None:
    import h5py

    def loops(file: h5py.File) -> None:
        group = file.create_group("a")
        group["self"] = group
        group["up"] = h5py.SoftLink("/")
        group.create_dataset("w", data=[1.0, 2.0])

    weights = read_card(hdf5(tmp_path / "loops.h5", loops)).weights
    assert weights is not None
    assert weights.tensors == 1


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x00\x00\x00\x00TFL3", "damaged"),
        (b"\xff\xff\xff\x7fTFL3" + bytes(20), "damaged"),
        (b"", "identifier"),
        (struct.pack("<I4sHHIi", 16, b"TFL3", 6, 8, 0, 8), "damaged"),
    ],
)
def test_damaged_tflite_files(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "x.tflite").write_bytes(data)
    refused(tmp_path / "x.tflite", what)


@given(st.binary(max_size=60))
def test_flexbuffers_never_read_outside(data: bytes) -> None:
    with contextlib.suppress(OddemoError):
        flex_numbers(data)


def test_a_file_that_hangs_the_hdf5_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library does, the process around it ends: here it is made to run for ever."""
    from oddemo.export.cards import h5_file

    endless = tmp_path / "endless.py"
    endless.write_text(
        "import json, resource, sys\n"
        "seconds = json.loads(sys.argv[1])['seconds']\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))\n"
        "while True: pass\n"
    )
    monkeypatch.setattr(h5_file, "_CHILD", endless)
    monkeypatch.setattr(h5_file, "_SECONDS", 1)
    refused(made() / "keras2.h5", "ended with status")
