"""`oddemo data make` as a user runs it: in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import oddemo
from oddemo.data.scenes import read_world

MAKE = [sys.executable, "-m", "oddemo", "data", "make"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MAKE, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_make_turns_every_knob(tmp_path: Path) -> None:
    out = tmp_path / "w"
    done = run(
        *("wildlife", "--out", str(out), "--splits", "train=3,val=2", "--size", "96x128", "--seed", "3"),
        *("--class-ratio", "fox=1", "--lighting-mix", "night=1", "--objects", "1,2", "--object-size", "0.2,0.3"),
        *("--centre-bias", "0.5", "--size-bias", "-0.5", "--clutter", "0", "--defocus", "0", "--noise", "0"),
        *("--jpeg-quality", "80", "--format", "png", "--no-info-strip"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("train: 3 pictures")
    assert done.stdout.splitlines()[-1] == f"written: {out}"
    val = read_world(out, "val")
    assert [record.file_name for record in val.records] == ["val/images/000000.png", "val/images/000001.png"]
    assert all(set(record.class_ids.tolist()) <= {2} for record in val.records)
    assert all(record.attributes["lighting"] == "night" for record in val.records)
    assert all(record.image_size_hw_px == (96, 128) for record in val.records)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("moon",), "inspection or wildlife"),
        (("wildlife", "--class-ratio", "fox"), "name=number"),
        (("wildlife", "--size", "240"), "two numbers"),
    ],
)
def test_bad_options_end_with_one_message(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments, "--out", str(tmp_path / "w"))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_nothing_half_made(tmp_path: Path, workers: int) -> None:
    out = tmp_path / "w"
    out.mkdir()
    (out / "before.txt").write_text("still here")
    process = subprocess.Popen(
        [*MAKE, "inspection", "--out", str(out), "--images", "20000", "--overwrite", "--workers", str(workers)],
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    deadline = time.monotonic() + 45
    while not list(tmp_path.glob(".w.*/train/images/*.jpg")):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline, "no picture was drawn"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=45)
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w"]
    assert (out / "before.txt").read_text() == "still here"


def test_a_package_without_its_data_says_so(tmp_path: Path) -> None:
    shutil.copytree(Path(oddemo.__file__).parent, tmp_path / "oddemo", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from oddemo.data.sample import sample_dataset; sample_dataset('wildlife')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "The built-in sample is not here." in done.stderr
    assert "oddemo data make wildlife --out DIR" in done.stderr
