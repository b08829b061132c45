"""The detector's last stage: a shorter list of candidates and a graph without AutoGraph change nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.detect import generation
from oddemo.detect.detector import Detector, load_detector
from oddemo.detect.generation import TILE, most_candidates

ANCHORS = 2016
CLASSES = 6


@pytest.fixture(scope="module")
def detector(inspection_detector) -> Detector:
    return load_detector(inspection_detector)


@pytest.fixture(scope="module")
def whole(detector):
    """TF-Vision's generator with its configured number of candidates."""
    generator = detector.model.detection_generator
    anchors = json.dumps([generation.anchor_settings(detector.params), list(detector.input_size_hw)])
    return generation._traced(type(generator), generation._as_json(generator.get_config()), anchors, CLASSES)


def _heads(detector: Detector, rng: np.random.Generator, candidates: int, pictures: int = 2):
    """Random heads in which the first class of the first picture has so many candidates, with many equal scores."""
    logits = rng.choice(np.float32([-9, -5, -4, -3.5]), (pictures, ANCHORS, CLASSES))
    logits[1:, : rng.integers(1, 3 * TILE), 2] = rng.normal(-1, 2)
    chosen = rng.permutation(ANCHORS)[:candidates]
    logits[0, chosen, 1] = np.round(rng.normal(0, 1, candidates), 1).clip(-2.9)
    encodings = rng.normal(0, 0.5, (pictures, ANCHORS, 4)).astype(np.float32)
    heads, start = ({}, {}), 0
    for level, boxes in detector.anchors.items():
        count = boxes.size // 4
        for levels, values in zip(heads, (logits, encodings), strict=True):
            part = values[:, start : start + count]
            levels[level] = part.reshape(pictures, *boxes.shape[:2], -1)
        start += count
    return heads


@given(seed=st.integers(0, 2**32 - 1), candidates=st.sampled_from([0, 1, 60, TILE - 1, TILE, TILE + 1, 900, 1400]))
@settings(max_examples=8, deadline=None)
def test_fewer_candidates_give_what_all_of_them_give(detector, whole, seed, candidates):
    heads = _heads(detector, np.random.default_rng(seed), candidates)
    image_info = np.tile(np.float32([[128, 128], [128, 128], [1, 1], [0, 0]]), (2, 1, 1))
    expected = whole(*heads, image_info[:, 1, :])
    for name, found in detector.raw_detections(heads, image_info).items():
        np.testing.assert_array_equal(found, expected[name].numpy(), err_msg=name)


def test_the_shorter_list_is_taken_where_one_tile_holds_all(detector, monkeypatch):
    """Which of the two runs is told apart by replacing both."""
    from official.vision.ops.nms import NMS_TILE_SIZE

    assert TILE == NMS_TILE_SIZE
    generator = detector.model.detection_generator
    monkeypatch.setattr(generation, "_traced", lambda _, config, *__: lambda *_: json.loads(config)["pre_nms_top_k"])
    run = generation.generation(detector.model, detector.params, detector.input_size_hw, suppress=True)
    configured = generator.get_config()["pre_nms_top_k"]
    for candidates, expected in ((TILE, TILE), (TILE + 1, configured)):
        logits, encodings = _heads(detector, np.random.default_rng(0), candidates, pictures=1)
        assert most_candidates(logits, CLASSES, 0.05) == candidates
        assert run(logits, encodings, np.float32([[128, 128]])) == expected


def test_what_is_not_a_number_is_a_candidate_and_the_background_is_none():
    logits = np.full((1, 1, 1, 3 * 4), -9, np.float32)
    logits[..., 0::4] = 5  # the background of three anchors
    assert most_candidates({"3": logits}, 4, 0.05) == 0
    logits[0, 0, 0, [2, 6]] = np.nan
    assert most_candidates({"3": logits}, 4, 0.05) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"pre_nms_score_threshold": 0.0},
        {"pre_nms_score_threshold": 1.0},
        {"pre_nms_top_k": TILE},
        {"nms_version": "v1"},
        {"use_class_agnostic_nms": True},
        {"apply_nms": False},
    ],
)
def test_elsewhere_the_list_stays_as_configured(detector, changed):
    config = detector.model.detection_generator.get_config()
    assert generation._has_tiles(config)
    assert not generation._has_tiles({**config, **changed})


def test_autograph_would_make_the_same_graph(detector, whole):
    """TF-Vision writes its conditions as operations, so nothing has to be translated."""
    import tensorflow as tf

    for traced in (whole, detector._network[False], detector._network[True], detector.preprocess._graph):
        translated = tf.function(traced.python_function, input_signature=traced.input_signature)
        assert _operations(translated.get_concrete_function()) == _operations(traced.get_concrete_function())


def _operations(concrete) -> list[list[str]]:
    graph = concrete.graph.as_graph_def()
    inner = sorted([node.op for node in function.node_def] for function in graph.library.function)
    return [[node.op for node in graph.node], *inner]
