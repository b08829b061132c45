"""An audit in TensorBoard's event files and in COCO files, read back by other programs' own readers."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from command_line import audit_command

from oddemo.audit.verdict import Audit
from oddemo.data.coco import read_coco
from oddemo.errors import OddemoError
from oddemo.viewers.coco import write_coco_pair
from oddemo.viewers.tensorboard import PICTURES, in_words, write_tensorboard


@pytest.fixture(scope="module")
def coco_files(channel_order_audit: Audit, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_coco_pair(channel_order_audit, tmp_path_factory.mktemp("viewers") / "coco")


def test_detections_are_the_same_after_pycocotools_has_read_them(
    channel_order_audit: Audit, coco_files: list[Path]
) -> None:
    from pycocotools.coco import COCO

    material = channel_order_audit.material
    assert [path.name for path in coco_files] == ["reference.json", "candidate.json", "truth.json"]
    for path, trace in zip(coco_files, (material.reference, material.candidate), strict=False):
        read = COCO(str(path))
        assert [image["file_name"] for image in read.loadImgs(read.getImgIds())] == list(material.pictures.names)
        for number, found in enumerate(trace.detections, 1):
            entries = read.loadAnns(read.getAnnIds(imgIds=[number]))
            boxes = np.array([entry["bbox"] for entry in entries]).reshape(-1, 4)
            y, x = found.boxes_yxyx_px[:, 0], found.boxes_yxyx_px[:, 1]
            height = found.boxes_yxyx_px[:, 2] - y
            assert np.allclose(boxes[:, [1, 0, 3]], np.stack([y, x, height], axis=1), atol=1e-4)
            assert [entry["score"] for entry in entries] == found.scores.tolist()
            names = [read.loadCats(entry["category_id"])[0]["name"] for entry in entries]
            assert names == [trace.labels[one - 1] for one in found.class_ids.tolist()]


def test_true_boxes_lie_on_the_same_pictures(channel_order_audit: Audit, coco_files: list[Path]) -> None:
    material, read = channel_order_audit.material, read_coco(coco_files[2])
    assert [record.file_name for record in read.records] == list(material.pictures.names)
    for one, other in zip(read.records, material.truth.records, strict=True):
        assert np.allclose(one.boxes_yxyx_px, other.boxes_yxyx_px)
        assert one.class_ids.tolist() == other.class_ids.tolist()


def test_an_id_without_a_name_stays_in_sight(channel_order_audit: Audit, tmp_path: Path) -> None:
    material = channel_order_audit.material
    first, *others = material.candidate.detections
    shifted = replace(first, class_ids=first.class_ids - 1)
    candidate = replace(material.candidate, detections=(shifted, *others))
    strange = replace(channel_order_audit, material=replace(material, candidate=candidate, truth=None))
    files = write_coco_pair(strange, tmp_path / "coco")
    assert [path.name for path in files] == ["reference.json", "candidate.json"]
    told = json.loads(files[1].read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in told["categories"]}
    used = {entry["category_id"] for entry in told["annotations"]}
    assert used <= set(names)
    assert (0 in shifted.class_ids) == (names.get(0) == "id 0")


def test_tensorboard_itself_starts() -> None:
    """What it imports and does not declare is in the lock as well."""
    done = subprocess.run(
        [sys.executable, "-m", "tensorboard.main", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.strip() == version("tensorboard")


def test_tensorboard_reads_numbers_words_and_pictures(channel_order_audit: Audit, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorBoard's own imports
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorflow.python.framework.tensor_util import MakeNdarray

    folder = write_tensorboard(channel_order_audit, tmp_path / "logs")
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    logged = {
        tag: {event.step: MakeNdarray(event.tensor_proto) for event in events.Tensors(tag)}
        for tag in events.Tags()["tensors"]
    }
    delta = channel_order_audit.delta_map
    for name in ("point", "low", "high"):
        assert logged[f"change_in_map/{name}"][0] == pytest.approx(getattr(delta, name), abs=1e-6)
    for step, comparison in enumerate((channel_order_audit.comparison, channel_order_audit.after)):
        for stage in comparison.stages:
            if stage.largest_difference is not None:
                told = logged[f"largest_difference/{stage.stage}"][step]
                assert told == pytest.approx(stage.largest_difference, rel=1e-6)
    assert logged["largest_difference/pixels"][1] < logged["largest_difference/pixels"][0]
    assert "`channel_order`" in logged["audit"][0].item().decode()
    pictures = [tag for tag in logged if tag.startswith("pictures/")]
    assert len(pictures) == min(PICTURES, len(channel_order_audit.material.pictures))
    width, height, data = logged[pictures[0]][0]
    assert (int(width), int(height)) == (1200, 500)
    assert data.startswith(b"\x89PNG")


def test_words_name_the_verdict_and_what_to_change(channel_order_audit: Audit) -> None:
    words = in_words(channel_order_audit)
    assert words.startswith(f"**{channel_order_audit.verdict}**")
    assert channel_order_audit.causes[0].fix in words


def test_nothing_is_overwritten_and_pictures_are_needed(channel_order_audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a").write_text("", encoding="utf-8")
    bare = replace(channel_order_audit, material=None)
    for write in (write_coco_pair, write_tensorboard):
        with pytest.raises(OddemoError, match="not overwritten"):
            write(channel_order_audit, tmp_path / "taken")
        with pytest.raises(OddemoError, match="without its pictures"):
            write(bare, tmp_path / "free")
    assert not (tmp_path / "free").exists()
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["a"]


def test_the_command_writes_both(bench, oddemo, tmp_path: Path) -> None:
    logs, coco = tmp_path / "logs", tmp_path / "coco"
    command = audit_command(bench, candidate=bench.recorded)
    ended = oddemo(*command, "--tensorboard", logs, "--coco", coco)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[-2:] == [f"TensorBoard: {logs}", f"COCO: {coco}"]
    assert [path.name[:19] for path in logs.iterdir()] == ["events.out.tfevents"]
    assert sorted(path.name for path in coco.iterdir()) == ["candidate.json", "reference.json"]
    again = oddemo(*command, "--coco", coco)
    assert again.status == 2
    assert "--overwrite" in again.err
