"""Vectors of objects: in the boxes' order, the same whoever shares their batch, and of use to a classifier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddemo.data.balance.classifiers import WAYS, balanced_classifier
from oddemo.data.images import read_image_rgb
from oddemo.data.sample import sample_dataset
from oddemo.detect.crop_features import crop_features, object_crops
from oddemo.errors import OddemoError
from oddemo.study.crops import CropTrial, _cuttable, told_apart
from oddemo.study.places import PLACES, Place


@pytest.fixture(scope="module")
def detector(inspection_detector):
    from oddemo.detect.detector import load_detector

    return load_detector(inspection_detector)


@pytest.fixture(scope="module")
def few():
    dataset = sample_dataset("inspection")
    return replace(dataset, records=dataset.records[:12])


def test_vectors_come_in_the_order_of_the_boxes_whatever_the_batch(detector, few):
    vectors = crop_features(detector, few)
    ids = np.concatenate([record.class_ids for record in few.records])
    assert vectors.shape == (len(ids), 3 * 32)
    assert np.allclose(crop_features(detector, few, batch=3), vectors, atol=1e-4)
    backwards = crop_features(detector, replace(few, records=few.records[::-1]))
    counts = [len(record.class_ids) for record in few.records[::-1]]
    again = np.concatenate(np.split(backwards, np.cumsum(counts)[:-1])[::-1])
    assert np.allclose(again, vectors, atol=1e-4)


def test_a_crop_is_its_box_with_a_margin(few):
    record = few.records[0]
    height, width = record.image_size_hw_px
    image = read_image_rgb(few.image_path(record))
    box = np.array([[40.0, 60.0, 80.0, 160.0]])
    (crop,) = object_crops(replace(few, records=(replace(record, boxes_yxyx_px=box, class_ids=[1]),)))
    assert np.array_equal(crop, image[36:84, 50:170])
    whole = np.array([[0.0, 0.0, height, width]])
    (crop,) = object_crops(replace(few, records=(replace(record, boxes_yxyx_px=whole, class_ids=[1]),)))
    assert np.array_equal(crop, image)


@pytest.mark.parametrize("box", [[20.0, 20.0, 20.0, 20.0], [-30.0, 5.0, -20.0, 15.0]])
def test_a_box_without_pixels_is_refused(few, box):
    record = replace(few.records[0], boxes_yxyx_px=[box], class_ids=[1])
    with pytest.raises(OddemoError, match="box 0 holds no pixel"):
        list(object_crops(replace(few, records=(record,))))
    bare = replace(few, records=(replace(record, boxes_yxyx_px=[], class_ids=[]),))
    assert list(object_crops(bare)) == []


def test_no_boxes_no_vectors(detector, few):
    with pytest.raises(OddemoError, match="no boxes to cut out"):
        crop_features(detector, replace(few, records=()))


def clusters(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds that overlap, one of them rare."""
    rng = np.random.default_rng(seed)
    rare = np.arange(400) < 30
    return rng.normal(size=(400, 6)) + 0.7 * rare[:, None], rare


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_balancing_finds_more_of_the_rare_class_than_none(way):
    learn, unseen = clusters(1), clusters(2)
    told = {}
    for name in ("plain", way):
        classifier = balanced_classifier(name, seed=3).fit(*learn)
        told[name] = told_apart(unseen[1], classifier.predict_proba(unseen[0])[:, 1], classifier.predict(unseen[0]))
    assert told[way]["recall"] >= told["plain"]["recall"] + (0.1 if way != "plain" else 0)
    assert told[way]["order"] == pytest.approx(told["plain"]["order"], abs=0.1)
    again = balanced_classifier(way, seed=3).fit(*learn).predict_proba(unseen[0])[:, 1]
    assert np.array_equal(again, balanced_classifier(way, seed=3).fit(*learn).predict_proba(unseen[0])[:, 1])


def test_another_way_is_refused():
    with pytest.raises(OddemoError, match="no such way"):
        balanced_classifier("hope", seed=1)


def test_boxes_of_less_than_a_pixel_are_left_out(few):
    thin = replace(few.records[0], boxes_yxyx_px=[[1, 1, 1.5, 9], [1, 1, 9, 9]], class_ids=[1, 2])
    none = replace(few.records[1], boxes_yxyx_px=[[1, 1, 1, 1]], class_ids=[1])
    kept = _cuttable(replace(few, records=(thin, none)))
    assert [record.class_ids.tolist() for record in kept.records] == [[2]]


def test_a_real_run_tells_the_rare_class_better_than_chance(monkeypatch, tmp_path):
    monkeypatch.setitem(PLACES, "inspection", Place("wildlife", {}, {"train": 50, "val": 5, "test": 20}))
    told = {
        way: CropTrial(way, (), ("crack",)).measure("inspection", 1, tmp_path, tmp_path) for way in ("plain", "smote")
    }
    chance = told["plain"]["learnt_rare"] / (told["plain"]["learnt_rare"] + told["plain"]["learnt_other"])
    assert 0.1 < chance < 0.3
    for one in told.values():
        assert set(one) == {"order", "balanced", "recall", "precision", "learnt_rare", "learnt_other"}
        assert one["order"] > 2 * chance
    # What SMOTE makes is learnt from and not measured: both saw as many real boxes.
    assert told["plain"]["learnt_rare"] == told["smote"]["learnt_rare"]
