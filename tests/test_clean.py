"""Suspicious labels by a detector that is right: planted faults are found, sound labels are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from study_data import chance_dataset, dataset_of

from oddemo.data.clean.operating_score import agreement, best_score, on_scale, rescaled
from oddemo.data.clean.repair import count_found, repair_labels
from oddemo.data.clean.suspects import Strictness, find_suspects
from oddemo.data.damage.labels import damage_labels
from oddemo.data.records import Dataset, Detections
from oddemo.errors import OddemoError


def perfect(dataset: Dataset, *, score: float = 0.9, jitter: float = 0.0) -> list[Detections]:
    """What a detector that is right sees, its boxes moved by a part of their sides, with weak false ones between."""
    rng = np.random.default_rng(0)
    found = []
    for record in dataset.records:
        sides = np.tile(record.boxes_yxyx_px[:, 2:] - record.boxes_yxyx_px[:, :2], 2)
        boxes = record.boxes_yxyx_px + jitter * sides * rng.uniform(-1, 1, sides.shape)
        wrong = rng.random((2, 2)) * [40, 60]
        found.append(
            Detections(
                np.concatenate([boxes, np.hstack([wrong, wrong + 9])]),
                np.concatenate([np.full(len(boxes), score), [0.01, 0.01]]),
                np.concatenate([record.class_ids, [1, 2]]),
            )
        )
    return found


@pytest.fixture(scope="module")
def true() -> Dataset:
    """Boxes that do not touch: three a picture, of all classes."""
    return dataset_of([[1 + k % 3, 1 + (k + 1) % 3, 1 + (k // 2) % 3] for k in range(60)])


@pytest.mark.parametrize("score", [0.95, 0.2])
def test_planted_faults_are_found_and_repaired(true, score):
    damaged = damage_labels(true, shifted=0.1, dropped=0.1, swapped=0.1, added=0.1, shift=0.5, seed=1)
    found = perfect(true, score=score, jitter=0.03)
    suspects = find_suspects(damaged.dataset, found)
    counted = count_found(damaged, found, suspects)
    assert counted.planted == len(damaged.faults) > 40
    assert counted.precision > 0.95
    assert counted.recall > 0.9, counted
    repaired = repair_labels(damaged.dataset, found, suspects)
    right = 0
    for before, after, seen in zip(true.records, repaired.records, found, strict=True):
        if sorted(before.class_ids.tolist()) == sorted(after.class_ids.tolist()):
            right += 1
        assert (after.boxes_yxyx_px >= 0).all()
        assert len(seen)
    faulty = {fault.image_id for fault in damaged.faults}
    assert right > len(true) - 0.2 * len(faulty)


def test_sound_labels_are_not_suspicious(true):
    assert find_suspects(true, perfect(true, jitter=0.05)) == ()


def test_cleanlab_with_its_own_limits_says_nothing_against_a_shy_detector(true):
    damaged = damage_labels(true, swapped=0.2, added=0.2, seed=1)
    alone = Strictness(sure=0.95, likely=0.5, seen=None, rescale=False)
    assert find_suspects(damaged.dataset, perfect(true, score=0.3), alone) == ()
    assert len(find_suspects(damaged.dataset, perfect(true, score=0.3))) > 10


def test_three_classes_are_not_taken_for_another_format():
    # cleanlab guesses from shapes: three arrays, the first with five boxes, the others with equally many.
    dataset = dataset_of([[1, 1, 1, 1, 1, 2, 3]] * 4)
    found = perfect(dataset, jitter=0.02)
    assert find_suspects(dataset, found) == ()


def test_pictures_without_labels_or_detections_are_taken():
    dataset = dataset_of([[], [1], []])
    nothing = Detections(np.zeros((0, 4)), [], [])
    seen = Detections([[5, 1, 20, 8]], [0.9], [1])
    suspects = find_suspects(dataset, [seen, nothing, nothing], Strictness(rescale=False))
    assert [(one.image_id, one.kind) for one in suspects] == [(1, "missing"), (2, "nothing")]
    # A detector that finds nothing anywhere contradicts nobody.
    assert find_suspects(dataset, [nothing] * 3) == ()
    repaired = repair_labels(dataset, [seen, nothing, nothing], suspects)
    assert [record.class_ids.tolist() for record in repaired.records] == [[1], [], []]
    with pytest.raises(OddemoError, match="do not fit"):
        find_suspects(dataset, [seen])


def test_the_best_score_is_the_best_by_trying_all():
    rng = np.random.default_rng(1)
    for _ in range(50):
        scores, agrees = rng.random(20), rng.random(20) < 0.5
        labels = int(agrees.sum()) + 3

        def f1(limit: float, scores=scores, agrees=agrees, labels=labels) -> float:
            kept = scores >= limit
            return 2 * agrees[kept].sum() / (kept.sum() + labels)

        best = best_score(scores, agrees, labels)
        assert best is not None
        assert f1(best) == pytest.approx(max(f1(limit) for limit in scores))
    assert best_score(np.array([0.5]), np.array([False]), 3) is None


def test_rescaling_keeps_the_order_and_puts_the_best_score_at_a_half(true):
    found = perfect(true, score=0.2)
    new = rescaled(true, found)
    for before, after in zip(found, new, strict=True):
        assert np.array_equal(np.argsort(-before.scores, kind="stable"), np.argsort(-after.scores, kind="stable"))
    # Equal scores are all equally the best.
    assert {float(score) for one in new for score in one.scores[:-2]} == {1.0}
    assert max(float(one.scores[-2:].max()) for one in new) < 0.1
    even = on_scale(np.array([0.1, 0.2, 0.3, 0.4, 0.6]), 0.3)
    assert even == pytest.approx([1 / 6, 1 / 3, 0.5 + 1 / 6, 0.5 + 2 / 6, 1])


def test_a_label_agrees_with_one_detection_alone(true):
    record = true.records[0]
    twice = Detections(np.repeat(record.boxes_yxyx_px[:1], 2, axis=0), [0.3, 0.8], np.repeat(record.class_ids[:1], 2))
    assert agreement(record, twice).tolist() == [False, True]
    other = replace(twice, class_ids=twice.class_ids % 3 + 1)
    assert not agreement(record, other).any()


def test_counting_takes_a_wrong_suspicion_for_wrong():
    true = chance_dataset(30)
    damaged = damage_labels(true, dropped=0.2, seed=1)
    found = perfect(true)
    sound = count_found(damaged, found, [])
    assert (sound.precision, sound.recall, sound.suspects) == (0.0, 0.0, 0)
    everything = find_suspects(damaged.dataset, found, Strictness(location_below=2.0))
    counted = count_found(damaged, found, everything)
    assert counted.precision < 0.5
    assert counted.right + sum(one.kind == "location" for one in everything) == len(everything)
