"""What the diagnosis runs in NumPy is what TF-Vision runs: otherwise an undone fault would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.audit.bench_tfvision import TFVisionBench, settings_of
from oddemo.audit.images import ImageSet
from oddemo.audit.match import agreement
from oddemo.audit.postprocessing import canonical
from oddemo.audit.preprocessing import content_size_hw, preprocess_images
from oddemo.audit.settings import Normalization, Postprocessing, Preprocessing, Settings
from oddemo.audit.sources.tfvision import TFVisionSource
from oddemo.audit.stages import Tolerance
from oddemo.data.records import Detections
from oddemo.detect.detector import load_detector

WORLDS = ("inspection", "wildlife")
_GENERATOR = "task.model.detection_generator"
#: Roundings of float32; a tenth of what an audit forgives.
BOX, SCORE = Tolerance(0.02), Tolerance(2e-5)

Reference = Callable[[str], TFVisionSource]
Pictures = Callable[[str], ImageSet]


@pytest.fixture(scope="module")
def bench(reference_of: Reference) -> TFVisionBench:
    return reference_of("inspection").bench


def noise(seed: int, height: int, width: int) -> np.ndarray:
    """Every pixel another colour: no resizing error can hide."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10_000), height=st.integers(8, 700), width=st.integers(8, 700))
def test_any_picture_becomes_the_tensor_that_tf_vision_makes_of_it(bench, seed, height, width):
    image = noise(seed, height, width)
    expected, image_info = bench.detector.preprocess(image)
    batch = preprocess_images([image], bench.settings.pre)
    # In another order of operations: TF-Vision normalises before it resizes, the bench after.
    np.testing.assert_allclose(batch.pixels[0], expected, rtol=0, atol=1e-5)
    content = content_size_hw((height, width), bench.settings.pre)
    assert content == tuple(np.round(image_info[2] * image_info[0]).astype(int))
    padding = np.ones(expected.shape[:2], bool)
    padding[: content[0], : content[1]] = False
    assert (batch.pixels[0][padding] == 0).all()
    np.testing.assert_allclose(batch.scale_yx[0] * [height, width], content, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.tuples(st.integers(8, 300), st.integers(8, 300)), min_size=1, max_size=5))
def test_pictures_of_any_sizes_do_not_disturb_each_other(bench, sizes):
    images = [noise(number, *size) for number, size in enumerate(sizes)]
    together = preprocess_images(images, bench.settings.pre)
    assert together.image_sizes_hw_px.tolist() == [list(size) for size in sizes]
    for index, image in enumerate(images):
        np.testing.assert_array_equal(together.pixels[index], preprocess_images([image], bench.settings.pre).pixels[0])


@pytest.mark.parametrize("world", WORLDS)
def test_suppression_in_numpy_is_tf_visions_detection_generator(world, reference_of, few_pictures):
    bench, pictures = reference_of(world).bench, few_pictures(world)
    heads = bench.detector.forward(bench.pixels(pictures, bench.settings.pre).pixels)
    infos = np.stack([bench.detector.preprocess(image)[1] for image in pictures.decode()])
    boxes, scores = bench.detector.decode(heads, infos)
    decoded = bench.decoded(pictures, bench.settings)
    np.testing.assert_allclose(decoded.boxes_yxyx, boxes, rtol=0, atol=1e-3)
    np.testing.assert_allclose(decoded.scores, scores, rtol=0, atol=1e-6)
    expected = clipped(bench.detector.detections_from_heads(heads, infos), pictures)
    found = bench.suppressed(pictures, {"boxes_yxyx": boxes, "scores": scores}, bench.settings)
    assert sum(map(len, expected)) > len(pictures)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(one.class_ids, other.class_ids)
        # TF-Vision scales back by the factor that it asked for, the bench by the one that whole pixels gave.
        np.testing.assert_allclose(one.boxes_yxyx_px, other.boxes_yxyx_px, rtol=0, atol=1e-3)


def clipped(detections: list[Detections], pictures: ImageSet) -> list[Detections]:
    """TF-Vision clips to the network's input; an audit compares what lies within the picture."""
    return [
        canonical(one.boxes_yxyx_px, one.scores, one.class_ids, np.array(image.shape[:2]))
        for one, image in zip(detections, pictures.decode(), strict=True)
    ]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        pytest.param(
            {"pre_nms_score_threshold": 0.2, "nms_iou_threshold": 0.35, "max_num_detections": 7},
            {"score_threshold": 0.2, "nms_iou": 0.35, "max_detections": 7},
            id="thresholds",
        ),
        pytest.param(
            {"use_class_agnostic_nms": True, "pre_nms_top_k": 300},
            {"nms_kind": "class_agnostic", "pre_nms_top_k": 300},
            id="class agnostic",
        ),
        pytest.param(
            {"nms_version": "batched", "box_coder_weights": [2.0, 2.0, 1.5, 1.0]},
            {"nms_algorithm": "greedy", "box_coder_weights": (2.0, 2.0, 1.5, 1.0)},
            id="other suppression and coder",
        ),
        pytest.param(
            {"nms_version": "v1", "soft_nms_sigma": 0.3},
            {"nms_kind": "soft", "soft_sigma": 0.3, "nms_algorithm": "greedy"},
            id="soft suppression",
        ),
    ],
)
def test_settings_read_from_a_configuration_run_as_that_configuration(bench, few_pictures, overrides, expected):
    """Round trip: TF-Vision built anew with other values, against the shipped detector's bench told to use them."""
    pictures = few_pictures("inspection")
    other = load_detector(bench.folder, overrides={f"{_GENERATOR}.{name}": value for name, value in overrides.items()})
    told = settings_of(other)
    assert told == replace(bench.settings, post=replace(bench.settings.post, **expected))
    found = bench.trace(pictures, told).detections
    before = bench.trace(pictures, bench.settings).detections
    assert any(len(one) != len(two) for one, two in zip(found, before, strict=True))
    for one, theirs in zip(found, clipped(other.predict(pictures.decode()), pictures), strict=True):
        result = agreement(theirs, one, floor=told.post.score_threshold, box_tolerance=BOX, score_tolerance=SCORE)
        assert result.equal, result
        assert result.relabelled == 0


def test_a_stretched_configuration_stretches(bench, few_pictures):
    other = load_detector(bench.folder, overrides={"task.train_data.parser.keep_aspect_ratio": False})
    told = settings_of(other)
    assert told == replace(bench.settings, pre=replace(bench.settings.pre, keep_aspect_ratio=False))
    images = few_pictures("inspection").decode()[:4]
    expected = np.stack([other.preprocess(image)[0] for image in images])
    np.testing.assert_allclose(preprocess_images(images, told.pre).pixels, expected, rtol=0, atol=1e-5)


def test_entries_that_a_version_of_suppression_does_not_read_change_nothing(bench):
    """tf-models-official reads soft_nms_sigma in v1 alone, and use_class_agnostic_nms in v2."""
    hard = load_detector(bench.folder, overrides={f"{_GENERATOR}.soft_nms_sigma": 0.5})
    assert hard.params.task.model.detection_generator.nms_version == "v2"
    assert settings_of(hard) == bench.settings


def test_the_bench_at_its_own_settings_is_the_source(reference_of, few_pictures):
    source, pictures = reference_of("inspection"), few_pictures("inspection")
    own, bench = source.trace(pictures), source.bench.trace(pictures, source.bench.settings)
    assert own.stages == bench.stages == ("image", "pixels", "features", "heads", "decoded", "detections", "labels")
    for stage in ("pixels", "features", "heads", "decoded"):
        assert set(own.dense[stage]) == set(bench.dense[stage])
        for name, array in own.dense[stage].items():
            np.testing.assert_allclose(bench.dense[stage][name], array, rtol=1e-4, atol=5e-4)


def test_the_source_runs_once_for_one_set_of_pictures_and_again_for_another(reference_of, few_pictures):
    source, pictures = reference_of("inspection"), few_pictures("inspection").take(range(2))
    own = source.trace(pictures)
    assert source.trace(pictures) is own
    again = source.trace(pictures.take(range(2)))
    assert again is not own
    for name, array in own.dense["decoded"].items():
        np.testing.assert_array_equal(again.dense["decoded"][name], array)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Preprocessing((128, 128), kernel="tensorflow/best"),
        lambda: Preprocessing((128, 128), channel_order="grb"),
        lambda: Normalization((0, 0, 0), (1, 0, 1)),
        lambda: Postprocessing(0.05, 0.5, 100, 1000, nms_kind="soft"),
        lambda: Postprocessing(0.05, 0.5, 100, 1000, box_frame="screen"),
    ],
)
def test_settings_that_do_not_exist_are_refused(wrong):
    from oddemo.errors import OddemoError

    with pytest.raises(OddemoError):
        wrong()


def test_settings_are_keys():
    """Two equal settings are one hypothesis; a changed one is another."""
    pre = Preprocessing((128, 128), normalizations=(Normalization((1, 2, 3), (4, 5, 6)),))
    post = Postprocessing(0.05, 0.5, 100, 1000)
    assert len({Settings(pre, post), Settings(replace(pre), replace(post))}) == 1
    assert len({Settings(pre, post), Settings(pre, replace(post, box_order="xyxy"))}) == 2
