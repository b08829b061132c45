"""Decoding and suppression in NumPy against slow loops and against TensorFlow's own kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.audit.postprocessing import Decoded, detect
from oddemo.audit.preprocessing import PixelBatch
from oddemo.audit.settings import Postprocessing
from oddemo.audit.suppression import suppress, suppress_softly, suppress_tfvision_v2
from oddemo.data.boxes import pairwise_iou

_POST = Postprocessing(score_threshold=0.05, nms_iou=0.5, max_detections=100, pre_nms_top_k=1000)


def random_boxes(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 80, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(4, 48, (count, 2))], axis=1).astype(np.float32)
    return boxes, rng.uniform(0, 1, count).astype(np.float32)


def slow_suppress(boxes, scores, threshold, limit):
    """The definition, one pair at a time."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        overlaps = []
        for other in kept:
            top, left = np.maximum(boxes[index][:2], boxes[other][:2])
            bottom, right = np.minimum(boxes[index][2:], boxes[other][2:])
            inter = max(0.0, bottom - top) * max(0.0, right - left)
            areas = [np.prod(b[2:] - b[:2]) for b in (boxes[index], boxes[other])]
            overlaps.append(inter / (sum(areas) - inter))
        if all(overlap < threshold for overlap in overlaps):
            kept.append(index)
        if len(kept) == limit:
            break
    return kept


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 25), threshold=st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_suppression_is_its_definition(seed, count, threshold):
    boxes, scores = random_boxes(seed, count)
    assert suppress(boxes, scores, threshold, 100).tolist() == slow_suppress(boxes, scores, threshold, 100)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), limit=st.integers(1, 10))
def test_suppression_equals_tensorflows_kernel(seed, limit):
    import tensorflow as tf

    boxes, scores = random_boxes(seed, 60)
    expected = tf.image.non_max_suppression(boxes, scores, limit, iou_threshold=0.4).numpy()
    assert suppress(boxes, scores, 0.4, limit).tolist() == expected.tolist()


@pytest.mark.parametrize("threshold", [0.2, 0.35, 0.5, 0.7])
@pytest.mark.parametrize("count", [60, 700])
def test_the_other_rule_is_tf_models_officials_own(threshold, count):
    import tensorflow as tf
    from official.vision.ops import nms

    boxes, scores = random_boxes(count, count)
    boxes[:: max(1, count // 9)] = 0.0
    order = np.argsort(-scores, kind="stable")
    ranked, _ = nms.sorted_non_max_suppression_padded(
        tf.constant(scores[order][None]), tf.constant(boxes[order][None]), 100, iou_threshold=threshold
    )
    expected = ranked.numpy()[0]
    found = scores[suppress_tfvision_v2(boxes, scores, threshold, 100)]
    np.testing.assert_array_equal(found, expected[expected > 0])


def test_from_one_half_on_both_rules_agree_and_below_they_do_not():
    boxes, scores = random_boxes(5, 200)
    above = [rule(boxes, scores, 0.6, 100).tolist() for rule in (suppress, suppress_tfvision_v2)]
    below = [rule(boxes, scores, 0.2, 100).tolist() for rule in (suppress, suppress_tfvision_v2)]
    assert above[0] == above[1]
    assert len(below[0]) > len(below[1])


def one_picture(scale: float = 0.5) -> PixelBatch:
    return PixelBatch(
        pixels=np.zeros((1, 128, 128, 3), np.float32),
        scale_yx=np.array([[scale, scale]]),
        offset_yx=np.zeros((1, 2)),
        image_sizes_hw_px=np.array([[192, 256]]),
    )


def run(post: Postprocessing, seed: int = 0):
    boxes, _ = random_boxes(seed, 40)
    scores = np.random.default_rng(seed + 1).uniform(0, 1, (40, 3)).astype(np.float32) ** 3
    return detect(Decoded(boxes[None], scores[None]), one_picture(), (128, 128), post)[0]


@pytest.mark.parametrize("threshold", [0.1, 0.4, 0.8])
def test_a_higher_threshold_keeps_exactly_the_higher_scores(threshold):
    low, high = run(_POST), run(replace(_POST, score_threshold=threshold))
    expected = low.above(threshold)
    np.testing.assert_array_equal(high.scores, expected.scores)
    np.testing.assert_array_equal(high.boxes_yxyx_px, expected.boxes_yxyx_px)


def test_scores_come_best_first_and_the_limit_holds():
    found = run(replace(_POST, max_detections=4))
    assert len(found) == 4
    assert (np.diff(found.scores) <= 0).all()
    np.testing.assert_array_equal(found.scores, run(_POST).scores[:4])


def test_class_agnostic_suppression_leaves_one_class_a_place():
    found = run(replace(_POST, nms_kind="class_agnostic", nms_iou=0.5))
    iou = pairwise_iou(found.boxes_yxyx_px.astype(float), found.boxes_yxyx_px.astype(float))
    np.fill_diagonal(iou, 0.0)
    # Boxes are clipped to the picture after suppression, which can only raise an overlap a little here.
    assert iou.max() < 0.75
    assert len(found) < len(run(_POST))


def test_boxes_go_back_to_the_picture_and_other_frames_are_what_they_say():
    picture, network = run(_POST), run(replace(_POST, box_frame="network"))
    # A box is clipped to the picture in the frame in which it is handed over.
    inside = (network.boxes_yxyx_px * 2 <= [192, 256, 192, 256]).all(axis=1)
    assert inside.sum() > 5
    np.testing.assert_allclose(picture.boxes_yxyx_px[inside], network.boxes_yxyx_px[inside] * 2, rtol=1e-6)
    swapped = run(replace(_POST, box_order="xyxy"))
    fits = (picture.boxes_yxyx_px < 192).all(axis=1)
    assert fits.sum() > 5
    np.testing.assert_allclose(swapped.boxes_yxyx_px[fits], picture.boxes_yxyx_px[fits][:, [1, 0, 3, 2]], rtol=1e-6)


def test_kept_boxes_are_clipped_to_the_picture_and_empty_ones_make_room():
    inside, outside, across = [10.0, 10.0, 30.0, 30.0], [10.0, 130.0, 30.0, 150.0], [80.0, 100.0, 140.0, 160.0]
    boxes = np.array([[outside, across, inside]], np.float32)
    scores = np.array([[[0.9, 0.0], [0.8, 0.0], [0.0, 0.7]]], np.float32)
    # The picture takes 96 x 128 of the network's 128 x 128.
    post = Postprocessing(0.05, 0.5, 2, 100, box_frame="network", clip_boxes=False, clip_kept_boxes=True)
    found = detect(Decoded(boxes, scores), one_picture(), (128, 128), post)[0]
    np.testing.assert_allclose(found.boxes_yxyx_px, [[80.0, 100.0, 96.0, 128.0], inside])
    np.testing.assert_allclose(found.scores, [0.8, 0.7])
    as_it_was = detect(Decoded(boxes, scores), one_picture(), (128, 128), replace(post, clip_kept_boxes=False))[0]
    np.testing.assert_allclose(as_it_was.scores, [0.9, 0.8])


def test_labels_shift_and_permute():
    plain = run(_POST)
    np.testing.assert_array_equal(run(replace(_POST, label_offset=-1)).class_ids, plain.class_ids - 1)
    permuted = run(replace(_POST, label_permutation=(3, 1, 2)))
    np.testing.assert_array_equal(permuted.class_ids, np.array([0, 3, 1, 2])[plain.class_ids])
    # A map holds names for its own ids alone: shifted ones that fall out of it are left as they are.
    both = run(replace(_POST, label_offset=-1, label_permutation=(2, 1, 3)))
    np.testing.assert_array_equal(both.class_ids, np.array([0, 2, 1, 3])[plain.class_ids - 1])


@given(seed=st.integers(0, 10_000), sigma=st.floats(0.05, 2.0), overlap=st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_soft_suppression_is_tensorflows_and_asks_for_no_overlap(seed, sigma, overlap):
    """The argument that other kinds of suppression read changes nothing."""
    import tensorflow as tf

    boxes, scores = random_boxes(seed, 40)
    told = tf.image.non_max_suppression_with_scores(
        boxes, scores, 30, iou_threshold=overlap, score_threshold=0.05, soft_nms_sigma=sigma
    )
    kept, lowered = suppress_softly(boxes, scores, 30, sigma=sigma, score_threshold=0.05)
    np.testing.assert_array_equal(kept, told[0].numpy())
    np.testing.assert_array_equal(lowered, told[1].numpy())
