"""Average precision by part of a dataset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coco_oracle import CLASS_NAMES, pycocotools_evaluation, random_case
from PIL import Image

from oddemo.data.records import Dataset, Detections, ImageRecord
from oddemo.errors import OddemoError
from oddemo.metrics.coco import coco_metrics
from oddemo.metrics.slices import sliced_metrics


def with_attributes(dataset: Dataset, values: list[dict[str, object]]) -> Dataset:
    records = tuple(replace(r, attributes=v) for r, v in zip(dataset.records, values, strict=True))
    return replace(dataset, records=records)


def test_classes_and_sizes_are_those_of_coco():
    dataset, detections = random_case(9, images=30)
    metrics = coco_metrics(dataset, detections)
    classes = sliced_metrics(dataset, detections, by="class", resamples=50)
    assert [part.name for part in classes] == list(CLASS_NAMES)
    for part in classes:
        expected, expected50 = metrics.ap_per_class[part.name], metrics.ap50_per_class[part.name]
        assert (part.ap, part.ap50) == (pytest.approx(expected, abs=1e-9), pytest.approx(expected50, abs=1e-9))
    assert classes[-1].truths == 0
    assert classes[-1].ap is classes[-1].interval is None
    assert sum(part.truths for part in classes) == sum(len(record.class_ids) for record in dataset.records)
    sizes = sliced_metrics(dataset, detections, by="size", resamples=50)
    for part, expected in zip(sizes, (metrics.ap_small, metrics.ap_medium, metrics.ap_large), strict=True):
        assert part.ap == (None if expected is None else pytest.approx(expected, abs=1e-9))
    assert json.loads(json.dumps([part.as_dict() for part in sizes]))[1]["interval"]["method"] == "outermost"


def test_attributes_are_separate_datasets():
    dataset, detections = random_case(9, images=30)
    lights = ["day", "night", "dusk"]
    values = [{"lighting": lights[i % 3]} if i % 5 else {} for i in range(30)]
    parts = sliced_metrics(with_attributes(dataset, values), detections, by="lighting", resamples=50)
    assert [part.name for part in parts] == ["day", "dusk", "night", "unknown"]
    for part in parts:
        chosen = [i for i in range(30) if values[i].get("lighting", "unknown") == part.name]
        some = replace(dataset, records=tuple(dataset.records[i] for i in chosen))
        stats = pycocotools_evaluation(some, [detections[i] for i in chosen]).stats
        assert (part.ap, part.ap50) == (pytest.approx(stats[0], abs=1e-9), pytest.approx(stats[1], abs=1e-9))
        assert part.images == len(chosen)
        assert part.interval is not None
        assert part.interval.low <= part.ap <= part.interval.high


def test_a_weak_border_is_found():
    truths = np.array([[90.0, 90.0, 110.0, 110.0], [0.0, 0.0, 20.0, 20.0]])
    records = tuple(ImageRecord(n, f"{n}.jpg", (200, 200), truths, [1, 1]) for n in range(1, 9))
    dataset = Dataset("border", Path(), ("pit",), records)
    found = Detections([truths[0], [0.0, 14.0, 20.0, 34.0]], [0.9, 0.8], [1, 1])
    centre, border = sliced_metrics(dataset, [found] * 8, by="position", resamples=50)
    assert (centre.name, centre.ap, centre.truths) == ("centre", pytest.approx(1.0), 8)
    assert (border.name, border.ap, border.truths) == ("border", 0.0, 8)
    assert border.interval is not None
    assert border.interval.high < centre.interval.low


def test_position_is_relative_to_the_picture():
    # The middle is at 0.9 of the height or of the width: only then outside the inner half of the area.
    for size_hw, box in (((100, 400), [85.0, 190.0, 95.0, 210.0]), ((400, 100), [190.0, 85.0, 210.0, 95.0])):
        inside = [40.0, 190.0, 60.0, 210.0] if size_hw[0] == 100 else [190.0, 40.0, 210.0, 60.0]
        record = ImageRecord(1, "a.jpg", size_hw, np.array([box, inside, inside]), [1, 1, 1])
        dataset = Dataset("shape", Path(), ("pit",), (record,))
        parts = sliced_metrics(dataset, [Detections([box], [0.9], [1])], by="position")
        assert [(part.name, part.truths) for part in parts] == [("centre", 2), ("border", 1)]
        assert parts[1].ap == pytest.approx(1.0)
        assert parts[1].interval is None


def test_numbers_are_cut_into_thirds():
    dataset, detections = random_case(9, images=30)
    values = [{"blur_px": float(i)} for i in np.random.default_rng(0).permutation(30)]
    parts = sliced_metrics(with_attributes(dataset, values), detections, by="blur_px", resamples=50)
    assert [part.name for part in parts] == ["low (0 to 9)", "mid (10 to 19)", "high (20 to 29)"]
    assert [part.images for part in parts] == [10, 10, 10]
    few = [{"objects": i % 2} for i in range(30)]
    parts = sliced_metrics(with_attributes(dataset, few), detections, by="objects", resamples=50)
    assert [part.name for part in parts] == ["0", "1"]


def test_brightness_is_read_from_attributes_or_pictures(tmp_path):
    dataset, detections = random_case(9, images=9)
    levels = [20, 200, 100, 21, 201, 101, 22, 202, 102]
    for record, level in zip(dataset.records, levels, strict=True):
        Image.new("RGB", (250, 250), (level,) * 3).save(tmp_path / Path(record.file_name).with_suffix(".png"))
    named = [replace(r, file_name=str(Path(r.file_name).with_suffix(".png"))) for r in dataset.records]
    from_files = sliced_metrics(
        replace(dataset, root=tmp_path, records=tuple(named)), detections, by="brightness", resamples=50
    )
    assert [part.name.split()[0] for part in from_files] == ["dark", "mid", "bright"]
    assert [part.images for part in from_files] == [3, 3, 3]
    stored = with_attributes(dataset, [{"mean_brightness": level / 255} for level in levels])
    assert sliced_metrics(stored, detections, by="brightness", resamples=50) == from_files
    same = with_attributes(dataset, [{"mean_brightness": 0.5}] * 9)
    assert [part.images for part in sliced_metrics(same, detections, by="brightness", resamples=50)] == [9]


def test_bad_input_is_named():
    dataset, detections = random_case(9)
    with pytest.raises(OddemoError, match="attribute lighting") as raised:
        sliced_metrics(with_attributes(dataset, [{"seed": 1}] * 8), detections, by="lighting")
    assert "seed" in str(raised.value.expected)
    with pytest.raises(OddemoError, match="size edges"):
        sliced_metrics(dataset, detections, by="size", size_edges_px=(96, 32))
