"""Real pictures of blood cells, from Pascal VOC to a broken export that is explained, all through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

STEPS = 120


def told(file: Path) -> dict:
    return json.loads(file.read_text())


@pytest.fixture
def cells(oddemo, bccd_root, tmp_path) -> Path:
    out = tmp_path / "cells"
    ended = oddemo("data", "import", bccd_root, "--from", "voc", "--out", out, "--drop-invalid", "--link")
    assert (ended.status, ended.err) == (0, ""), ended
    assert "train: 205 pictures" in ended.out
    assert "left out: 2 boxes" in ended.out
    return out


def test_import_check_fine_tune_export_audit(oddemo, cells, inspection_detector, tmp_path):
    checked = oddemo("data", "check", cells, "--json", tmp_path / "findings.json")
    assert checked.status == 0, checked
    counts = {dataset["name"]: dataset["counts"] for dataset in told(tmp_path / "findings.json")["datasets"]}
    assert sum(of.get("near_duplicate", 0) for of in counts.values()) > 0, counts

    detector = tmp_path / "detector"
    options = ("--init-from", inspection_detector, "--steps", STEPS, "--seed", 3, "--val-split", "none")
    trained = oddemo("train", cells, "--out", detector, *options)
    assert trained.status == 0, trained
    facts = told(detector / "training.json")
    assert facts["weights_from"] == "all but the classifier"
    assert facts["history"][-1]["total_loss"] < 0.7 * facts["history"][0]["total_loss"]

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for path in sorted((cells / "test" / "images").iterdir())[:12]:
        shutil.copy(path, pictures)
    audit = ("audit", "--reference", f"tfvision:{detector}", "--images", pictures, "--truth", cells / "test.json")

    sound = tmp_path / "sound"
    assert oddemo("export", detector, "--out", sound).status == 0
    faithful = oddemo(*audit, "--candidate", f"savedmodel:{sound}", "--json", tmp_path / "sound.json")
    assert (faithful.status, faithful.err) == (0, ""), faithful
    result = told(tmp_path / "sound.json")
    assert (result["verdict"], result["images"]) == ("faithful", 12)
    assert [stage["status"] for stage in result["stages"] if stage["stage"] != "features"] == ["equal"] * 6
    # Cells were found; an empty list on both sides would be faithful, too.
    assert result["delta_map"]["reference"] > 0.1
    assert result["delta_map"]["point"] == pytest.approx(0, abs=0.005)

    broken = tmp_path / "broken.tflite"
    strict = "task.model.detection_generator.max_num_detections=6"
    assert oddemo("export", detector, "--out", broken, "--format", "tflite", "--set", strict).status == 0
    html = tmp_path / "report.html"
    ended = oddemo(*audit, "--candidate", f"tflite:{broken}", "--json", tmp_path / "broken.json", "--html", html)
    assert (ended.status, ended.err) == (1, ""), ended
    result = told(tmp_path / "broken.json")
    assert (result["verdict"], result["first_divergence"]) == ("diverges", "detections")
    assert [(cause["id"], cause["verified"]) for cause in result["causes"]] == [("max_detections", True)]
    assert result["delta_map"]["high"] < 0
    assert html.stat().st_size > 10_000
