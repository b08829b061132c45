"""Balancing pictures that show several classes: even numbers, the LVIS formula, and the pixels themselves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image
from study_data import NAMES, SIZE_HW, chance_dataset, dataset_of, pictures_with

from oddemo.data.balance.pasting import paste_objects
from oddemo.data.balance.repeat_factors import repeat_factors, sample_by_repeat_factor
from oddemo.data.balance.repeating import repeat_pictures
from oddemo.data.balance.resampling import oversample, rarest_class_ids, undersample
from oddemo.data.balance.weights import class_weights
from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError


def originals(dataset: Dataset) -> Counter[int]:
    """How often each picture comes, by the id that it had."""
    return Counter(int(record.attributes.get("repeats", record.image_id)) for record in dataset.records)


def test_the_label_of_a_picture_is_its_rarest_class():
    dataset = dataset_of([[1, 1, 2], [1], [1, 2, 3], [], [1, 3], [2, 1], [2]])
    # Shown in pictures: nut 5, bolt 4, washer 2.
    assert rarest_class_ids(dataset).tolist() == [2, 1, 3, 0, 3, 2, 2]


def test_oversampling_loses_nothing_and_evens_the_labels_out():
    dataset = chance_dataset(200)
    labels = rarest_class_ids(dataset)
    more = oversample(dataset, seed=1)
    times = originals(more)
    assert set(times) == {record.image_id for record in dataset.records}
    after = Counter(rarest_class_ids(dataset)[number - 1] for number in times.elements())
    most = max(count for label, count in Counter(labels.tolist()).items() if label)
    assert {after[label] for label in (1, 2, 3)} == {most}
    assert after[0] == Counter(labels.tolist())[0]
    assert originals(oversample(dataset, seed=1)) == times
    assert originals(oversample(dataset, seed=2)) != times
    assert len({record.image_id for record in more.records}) == len(more)


def test_undersampling_repeats_nothing_and_evens_the_labels_out():
    dataset = chance_dataset(200)
    labels = Counter(rarest_class_ids(dataset).tolist())
    fewer = undersample(dataset, seed=1)
    times = originals(fewer)
    assert set(times.values()) == {1}
    after = Counter(rarest_class_ids(dataset)[number - 1] for number in times)
    fewest = min(count for label, count in labels.items() if label)
    assert {after[label] for label in (1, 2, 3)} == {fewest}
    assert after[0] == labels[0]


def test_one_class_alone_cannot_be_balanced_by_pictures():
    for balance in (oversample, undersample):
        with pytest.raises(OddemoError, match="cannot be balanced"):
            balance(dataset_of([[1], [1, 1], []]), seed=0)


def test_repeat_factors_are_the_formula_of_lvis():
    # Shown in parts of the pictures: nut 1, bolt 1/2, washer 1/8.
    dataset = dataset_of([[1, 2]] * 4 + [[1]] * 3 + [[1, 3]])
    assert repeat_factors(dataset, threshold=0.5).tolist() == [1.0] * 7 + [2.0]
    assert repeat_factors(dataset, threshold=0.1).tolist() == [1.0] * 8
    assert repeat_factors(dataset, threshold=1.0).tolist() == pytest.approx([2**0.5] * 4 + [1] * 3 + [8**0.5])
    with pytest.raises(OddemoError, match="threshold"):
        repeat_factors(dataset, threshold=0)


def test_a_broken_factor_is_right_on_average():
    dataset = dataset_of([[1, 2]] * 4 + [[1]] * 3 + [[1, 3]])
    factors = repeat_factors(dataset, threshold=1.0)
    times = np.zeros(8)
    for seed in range(300):
        drawn = originals(sample_by_repeat_factor(dataset, threshold=1.0, seed=seed))
        times += [drawn[number] for number in range(1, 9)]
    assert times / 300 == pytest.approx(factors, abs=0.1)


def test_repeated_pictures_keep_their_content():
    dataset = dataset_of([[1], [2], [3]])
    repeated = repeat_pictures(dataset, [0, 3, 1])
    assert [record.file_name for record in repeated.records] == ["2.png", "3.png", "2.png", "2.png"]
    assert originals(repeated) == {2: 3, 3: 1}
    for times in ([1, 1], [0, 0, 0], [1, -1, 1]):
        with pytest.raises(OddemoError, match="do not fit"):
            repeat_pictures(dataset, times)


def test_class_weights_are_one_over_the_boxes():
    dataset = dataset_of([[1, 1, 1, 1], [1, 1, 2, 2], [3]])
    weights = np.array(class_weights(dataset))
    counts = np.array([6, 2, 1])
    assert weights * counts == pytest.approx((weights * counts)[0])
    assert (weights * counts).sum() / 9 == pytest.approx(1)
    half = np.array(class_weights(dataset, power=0.5))
    assert half[2] / half[0] == pytest.approx(6**0.5)
    assert class_weights(dataset, power=0.0) == (1.0, 1.0, 1.0)
    with pytest.raises(OddemoError, match="without a box"):
        class_weights(dataset_of([[1, 2]]))


@pytest.fixture
def pictures(tmp_path) -> Dataset:
    """Grey pictures; a red washer of 15 x 7 pixels in the first one."""
    dataset = dataset_of([[3], [1], [1, 2], []], root=tmp_path)
    for record in dataset.records:
        image = np.full((*SIZE_HW, 3), 100, np.uint8)
        if 3 in record.class_ids:
            top, left, bottom, right = record.boxes_yxyx_px[0].astype(int)
            image[top:bottom, left:right] = [250, 0, 0]
        Image.fromarray(image).save(tmp_path / record.file_name)
    return dataset


def test_pasted_objects_are_where_their_boxes_are(pictures, tmp_path):
    pasted = paste_objects(pictures, "washer", 3, tmp_path / "new", seed=1)
    assert pictures_with(pasted, 3) == 4
    for before, after in zip(pictures.records[1:], pasted.records[1:], strict=True):
        assert after.attributes["pasted"] == "washer"
        assert np.array_equal(after.boxes_yxyx_px[:-1], before.boxes_yxyx_px)
        red = np.all(read_image_rgb(pasted.image_path(after)) == [250, 0, 0], axis=2)
        top, left, bottom, right = after.boxes_yxyx_px[-1].astype(int)
        assert red[top:bottom, left:right].all()
        assert red.sum() == 15 * 7
    # The originals are as they were.
    assert not any((read_image_rgb(pictures.image_path(record)) == 250).any() for record in pictures.records[1:])
    assert pasted.records[0] is pictures.records[0]


def test_pasting_is_repeatable_and_finds_its_limits(pictures, tmp_path):
    first, second = (paste_objects(pictures, "washer", 2, tmp_path / str(k), seed=7) for k in range(2))
    for one, other in zip(first.records, second.records, strict=True):
        assert np.array_equal(one.boxes_yxyx_px, other.boxes_yxyx_px)
    with pytest.raises(OddemoError, match="cannot be pasted"):
        paste_objects(pictures, "washer", 4, tmp_path / "x", seed=1)
    assert pictures.class_names == NAMES
