"""Hostile graphs, folders, checkpoints and configurations: refused with a reason, quickly, and never executed."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from pathlib import Path

import pytest
from card_artefacts import QUICK, calls, field, function, made, node, refused, saved_model, varint, write_saved_model

from oddemo.export.cards import read_card


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that code in an artefact would make if it ran."""
    return tmp_path / "it_ran"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "holds no graph"),
        (b"\x12" + varint(2**62), "are left"),
        (b"\x12\xff\xff\xff", "inside an integer"),
        (field(2, field(2, field(1, b"\xff" * 30))), "longer than ten bytes"),
        (b"not a protobuf at all, only text", "damaged"),
        (field(2, field(2, b"\x08\x01" * 4_500_000)), "too large"),
    ],
)
def test_damaged_saved_models(tmp_path: Path, data: bytes, what: str) -> None:
    refused(write_saved_model(tmp_path / "m", data), what)


def test_a_deeply_nested_protobuf_costs_no_more_than_its_bytes(tmp_path: Path) -> None:
    nested = b""
    for _ in range(5000):
        nested = field(1, nested)  # an AttrValue's list, inside a list, inside a list …
    data = saved_model([node("x", "Const", value=nested)], [], {"out": "x:0"})
    start = time.process_time()
    read_card(write_saved_model(tmp_path / "m", data))
    assert time.process_time() - start < QUICK


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    body = function("f", ["a"], {"out": "again:output:0"}, [node("again", "PartitionedCall", "a", f=calls("f"))])
    nodes = [node("p", "Placeholder"), node("c", "PartitionedCall", "p", f=calls("f"))]
    refused(write_saved_model(tmp_path / "m", saved_model(nodes, [body], {"out": "c:0"})), "without end")


def test_a_call_that_feeds_itself(tmp_path: Path) -> None:
    body = function("f", ["a"], {"out": "a"}, [])
    data = saved_model([node("c", "PartitionedCall", "c", f=calls("f"))], [body], {"out": "c:0"})
    refused(write_saved_model(tmp_path / "m", data), "without end")


def test_functions_that_double_at_every_level(tmp_path: Path) -> None:
    """Forty levels of two calls each would be 10^12 operations."""
    functions = []
    for level in range(40):
        inner = "Neg" if level == 39 else None
        nodes = (
            [node("x", inner, "a")]
            if inner
            else [
                node("l", "PartitionedCall", "a", f=calls(f"f{level + 1}")),
                node("r", "PartitionedCall", "a", f=calls(f"f{level + 1}")),
                node("x", "AddV2", "l:output:0", "r:output:0"),
            ]
        )
        functions.append(function(f"f{level}", ["a"], {"out": "x:z:0"}, nodes))
    nodes = [node("p", "Placeholder"), node("c", "PartitionedCall", "p", f=calls("f0"))]
    refused(write_saved_model(tmp_path / "m", saved_model(nodes, functions, {"out": "c:0"})), "too large")


def test_a_graph_with_a_cycle_is_read(tmp_path: Path) -> None:
    nodes = [
        node("a", "AddV2", "b", "b"),
        node("b", "Neg", "a"),
        node("c", "Conv2D", "c", "p"),
        node("p", "Placeholder"),
    ]
    read_card(write_saved_model(tmp_path / "m", saved_model(nodes, [], {"out": "a:0", "own": "c:0"})))


def test_a_saved_model_that_reads_files_is_named_not_refused(marker: Path) -> None:
    card = read_card(made() / "dangerous")
    assert {"ReadFile", "WriteFile", "EagerPyFunc"} <= {danger.op for danger in card.dangers}
    assert not marker.exists()


def test_links_out_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.pb"
    shutil.copy(made() / "combined" / "saved_model.pb", secret)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").symlink_to(secret)
    refused(tmp_path / "m", "a link that leads out of its folder")
    shutil.copytree(made() / "combined", tmp_path / "n")
    data = tmp_path / "n" / "variables" / "variables.data-00000-of-00001"
    data.unlink()
    data.symlink_to("/etc/passwd")
    refused(tmp_path / "n", "a link that leads out of its folder")


def test_a_link_inside_the_folder_is_fine(tmp_path: Path) -> None:
    shutil.copytree(made() / "combined", tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").rename(tmp_path / "m" / "real.pb")
    (tmp_path / "m" / "saved_model.pb").symlink_to("real.pb")
    assert read_card(tmp_path / "m").value("class_count") == 3


def test_pipes_devices_and_files_of_absurd_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    refused(tmp_path / "pipe.tflite", "not a plain file")
    refused(Path("/dev/zero"), "not a plain file")
    folder = write_saved_model(tmp_path / "m", b"")
    os.truncate(folder / "saved_model.pb", 1 << 40)  # sparse
    refused(folder, "too large")


def test_pickles_are_refused_and_not_opened(tmp_path: Path, marker: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {marker}",)

    import numpy as np

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "disguised.h5x").write_bytes(pickle.dumps(Bomb()))
    np.save(tmp_path / "weights.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "weights.npz", a=np.array([Bomb()], dtype=object))
    refused(tmp_path / "model.pkl", "a Python pickle")
    refused(tmp_path / "disguised.h5x", "a Python pickle")
    refused(tmp_path / "weights.npy", "a NumPy array file")
    refused(tmp_path / "weights.npz", "refused")
    assert not marker.exists()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    shutil.copytree(made() / "raw", tmp_path / "ck")
    return tmp_path / "ck"


def test_checkpoints_that_are_not_whole(checkpoint: Path) -> None:
    index, data = checkpoint / "w.index", checkpoint / "w.data-00000-of-00001"
    whole = index.read_bytes()
    index.write_bytes(whole[:-1])
    refused(checkpoint, "magic number")
    index.write_bytes(whole.replace(b"kernel", b"kermel", 1))
    refused(checkpoint, "checksum is wrong")
    index.write_bytes(whole)
    os.truncate(data, 100)
    refused(checkpoint, "ends at byte")
    data.unlink()
    refused(checkpoint, "cannot be read")


def test_a_checkpoint_file_that_points_elsewhere(checkpoint: Path) -> None:
    (checkpoint / "checkpoint").write_text('model_checkpoint_path: "../../etc/passwd"\n')
    refused(checkpoint, "outside of its folder")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("task: !!python/object/apply:os.system ['touch MARKER']", "not readable"),
        ("a: &a {b: 1}\nc:\n  <<: [*a, *a]", "merge keys"),
        ("[" * 5000, "not readable"),
        ("- just a list", "no configuration"),
        ("a: 2026-99-99", "not readable"),
    ],
)
def test_params_that_want_more_than_plain_values(tmp_path: Path, marker: Path, text: str, what: str) -> None:
    (tmp_path / "params.yaml").write_text(text.replace("MARKER", str(marker)))
    refused(tmp_path, what)
    assert not marker.exists()
