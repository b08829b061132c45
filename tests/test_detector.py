"""The reference detector, stage by stage, against TF-Vision's own modules and slow NumPy code."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.boxes import pairwise_iou
from oddemo.data.images import read_image_rgb
from oddemo.data.sample import data_folder, sample_dataset
from oddemo.detect.decode import read_as_trained
from oddemo.detect.detector import Detector, detections_from_outputs, load_detector
from oddemo.detect.evaluate import check_classes, evaluate
from oddemo.detect.folder import find_checkpoint, read_params
from oddemo.detect.preprocess import boxes_to_picture
from oddemo.detect.recipe import Recipe
from oddemo.errors import OddemoError
from oddemo.files import read_json

WORLDS = ("inspection", "wildlife")
SHIPPED = data_folder() / "detectors"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(SHIPPED / "wildlife")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    dataset = sample_dataset("wildlife")
    return [read_as_trained(dataset.image_path(record)) for record in dataset.records[:6]]


def _prepared(detector: Detector, pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    parts = [detector.preprocess(picture) for picture in pictures]
    return np.stack([pixels for pixels, _ in parts]), np.stack([info for _, info in parts])


@pytest.mark.parametrize("world", WORLDS)
def test_the_shipped_detector_is_as_good_as_its_training_says(world):
    folder = SHIPPED / world
    facts = read_json(folder / "training.json")
    assert facts["validation"]["ap50"] >= 0.80
    sample = sample_dataset(world, "test")
    assert evaluate(load_detector(folder), sample).ap50 >= 0.80
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 3_000_000


def test_shipped_params_are_those_of_the_stored_recipe():
    for world in WORLDS:
        recipe = Recipe.from_json(read_json(SHIPPED / world / "training.json")["recipe"])
        assert read_params(SHIPPED / world).as_dict() == recipe.experiment(num_classes=5).as_dict()


@settings(max_examples=12, deadline=None)
@given(height=st.integers(20, 400), width=st.integers(20, 400), seed=st.integers(0, 99))
def test_preprocessing_is_that_of_tf_visions_serving_module(detector, height, width, seed):
    from official.vision.serving import detection

    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels, image_info = detector.preprocess(image)
    size = [int(side) for side in detector.params.task.model.input_size[:2]]
    module = detection.DetectionModule(
        params=detector.params, batch_size=1, input_image_size=size, model=detector.model
    )
    theirs, _, their_info = module.preprocess(image[None])
    np.testing.assert_array_equal(image_info, their_info.numpy()[0])
    # One graph is compiled for any picture size and the other runs eagerly: roundings of float32 at most.
    np.testing.assert_allclose(pixels, theirs.numpy()[0], rtol=0, atol=2e-6)


def test_padding_is_the_mean_colour_and_lies_below_a_wide_picture(detector, pictures):
    pixels, image_info = detector.preprocess(pictures[0])
    filled = round(float(image_info[2, 0]) * pictures[0].shape[0])
    assert 0 < filled < pixels.shape[0]
    assert (pixels[filled:] == 0).all()
    assert np.abs(pixels[:filled]).mean() > 0.1


@given(
    st.lists(st.tuples(*[st.floats(-50, 500, width=32)] * 4), max_size=5),
    st.floats(0.0625, 4, width=32),
    st.floats(0.0625, 4, width=32),
)
def test_boxes_return_to_the_picture_that_they_came_from(boxes, scale_y, scale_x):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    image_info = np.array([[240, 320], [128, 128], [scale_y, scale_x], [7, 3]], np.float32)
    in_network = boxes * np.tile(image_info[2], 2) - np.tile(image_info[3], 2)
    np.testing.assert_allclose(boxes_to_picture(in_network, image_info), boxes, rtol=1e-4, atol=1e-2)


def test_the_stages_together_are_the_whole_model(detector, pictures):
    pixels, image_info = _prepared(detector, pictures)
    raw = detector.raw_detections(detector.forward(pixels), image_info)
    whole = detector.model(pixels, image_shape=image_info[:, 1, :], training=False)
    np.testing.assert_array_equal(raw["num_detections"], whole["num_detections"])
    np.testing.assert_array_equal(raw["detection_classes"], whole["detection_classes"])
    np.testing.assert_allclose(raw["detection_scores"], whole["detection_scores"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(raw["detection_boxes"], whole["detection_boxes"], rtol=0, atol=1e-3)


def test_decoding_agrees_with_the_textbook(detector, pictures):
    pixels, image_info = _prepared(detector, pictures[:2])
    class_logits, box_encodings = heads = detector.forward(pixels)
    boxes, scores = detector.decode(heads, image_info)
    levels = sorted(detector.anchors, key=int)
    anchors = np.concatenate([detector.anchors[level].reshape(-1, 4) for level in levels]).astype(np.float64)
    encodings = np.concatenate([box_encodings[level].reshape(2, -1, 4) for level in levels], axis=1)
    classes = len(detector.class_names) + 1
    logits = np.concatenate([class_logits[level].reshape(2, -1, classes) for level in levels], axis=1)
    size, centre = anchors[:, 2:] - anchors[:, :2], (anchors[:, 2:] + anchors[:, :2]) / 2
    new_centre = encodings[..., :2] * size + centre
    new_size = np.exp(encodings[..., 2:]) * size
    expected = np.concatenate([new_centre - new_size / 2, new_centre + new_size / 2], axis=-1)
    np.testing.assert_allclose(boxes, np.clip(expected, 0, detector.input_size_hw[0]), rtol=0, atol=1e-3)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits[..., 1:].astype(np.float64))), rtol=0, atol=1e-6)


def test_detections_obey_threshold_suppression_and_order(detector, pictures):
    generator = detector.params.task.model.detection_generator
    pixels, image_info = _prepared(detector, pictures)
    raw = detector.raw_detections(detector.forward(pixels), image_info)
    assert raw["num_detections"].sum() > len(pictures)
    for row, count in enumerate(raw["num_detections"]):
        boxes, scores = raw["detection_boxes"][row, :count], raw["detection_scores"][row, :count]
        class_ids = raw["detection_classes"][row, :count]
        assert (np.diff(scores) <= 0).all()
        assert (scores > generator.pre_nms_score_threshold).all()
        assert ((class_ids >= 1) & (class_ids <= len(detector.class_names))).all()
        overlap = pairwise_iou(boxes, boxes) - np.eye(count)
        same = class_ids[:, None] == class_ids[None, :]
        assert (overlap[same] <= generator.nms_iou_threshold + 1e-5).all()


def test_prediction_does_not_depend_on_the_batch(detector, pictures):
    small = pictures[0][:150, :100]
    one = detector.predict([*pictures, small], batch_size=1)
    many = detector.predict([*pictures, small], batch_size=5)
    assert sum(map(len, one)) > 0
    for first, second in zip(one, many, strict=True):
        np.testing.assert_array_equal(first.class_ids, second.class_ids)
        np.testing.assert_allclose(first.scores, second.scores, rtol=0, atol=1e-6)
        np.testing.assert_allclose(first.boxes_yxyx_px, second.boxes_yxyx_px, rtol=0, atol=1e-3)


def test_predicting_a_dataset_decodes_like_tensorflow(detector, pictures):
    dataset = sample_dataset("wildlife")
    few = dataset.subset(record.image_id for record in dataset.records[:2])
    for from_disk, from_memory in zip(detector.predict(few), detector.predict(pictures[:2]), strict=True):
        np.testing.assert_array_equal(from_disk.scores, from_memory.scores)
    path = dataset.image_path(dataset.records[0])
    difference = np.abs(read_as_trained(path).astype(int) - read_image_rgb(path).astype(int))
    assert difference.max() < 32


def test_rows_after_the_last_detection_are_left_out():
    outputs = {
        "detection_boxes": np.arange(12, dtype=np.float32).reshape(3, 4),
        "detection_scores": np.array([0.9, 0.5, -1], np.float32),
        "detection_classes": np.array([2, 1, 1], np.int32),
        "num_detections": np.int32(2),
    }
    image_info = np.array([[240, 320], [128, 128], [0.5, 0.5], [0, 0]], np.float32)
    detections = detections_from_outputs(outputs, image_info)
    np.testing.assert_array_equal(detections.boxes_yxyx_px, [[0, 2, 4, 6], [8, 10, 12, 14]])
    np.testing.assert_array_equal(detections.class_ids, [2, 1])


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(SHIPPED / "inspection", folder / "detector"))


def test_a_folder_without_parts_is_refused_by_name(tmp_path):
    with pytest.raises(OddemoError, match="not a detector folder"):
        load_detector(tmp_path / "nowhere")
    folder = _copy(tmp_path)
    (folder / "label_map.pbtxt").write_text('item { id: 1 name: "only" }')
    with pytest.raises(OddemoError, match="does not fit the network"):
        load_detector(folder)
    (folder / "label_map.pbtxt").unlink()
    with pytest.raises(OddemoError, match="label map"):
        load_detector(folder)


def test_damaged_files_are_refused(tmp_path):
    folder = _copy(tmp_path)
    (data,) = folder.glob("ckpt-*.data-*")
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(OddemoError, match="cannot be loaded"):
        load_detector(folder)
    data.unlink()
    with pytest.raises(OddemoError, match="cannot be loaded"):
        load_detector(folder)
    for path in folder.glob("ckpt-*"):
        path.unlink()
    (folder / "checkpoint").unlink()
    with pytest.raises(OddemoError, match="holds no checkpoint"):
        load_detector(folder)
    (folder / "params.yaml").write_text("task: [")
    with pytest.raises(OddemoError, match="cannot be read"):
        load_detector(folder)


def test_a_checkpoint_without_its_list_is_found(tmp_path):
    folder = _copy(tmp_path)
    named = find_checkpoint(folder)
    (folder / "checkpoint").unlink()
    assert find_checkpoint(folder) == named


def test_another_architecture_does_not_take_the_weights():
    with pytest.raises(OddemoError, match="cannot be loaded"):
        load_detector(SHIPPED / "inspection", overrides={"task.model.head.num_filters": 48})


def test_overrides_reach_the_model_and_wrong_ones_are_refused(pictures):
    few = load_detector(SHIPPED / "wildlife", overrides={"task.model.detection_generator.max_num_detections": 2})
    assert max(map(len, few.predict(pictures))) <= 2
    with pytest.raises(OddemoError, match="no entry"):
        load_detector(SHIPPED / "wildlife", overrides={"task.model.no_such_thing": 1})


def test_evaluation_needs_pictures_of_the_same_classes(detector):
    with pytest.raises(OddemoError, match="other classes"):
        check_classes(detector.class_names, sample_dataset("inspection"))
    with pytest.raises(OddemoError, match="no pictures"):
        check_classes(detector.class_names, sample_dataset("wildlife").subset([]))


def test_a_recipe_survives_json_and_refuses_nonsense():
    recipe = Recipe(steps=7, anchor_ratios=(1.0, 3.0))
    assert Recipe.from_json(recipe.as_json()) == recipe
    with pytest.raises(OddemoError, match="unknown"):
        Recipe.from_json({"step": 7})
    for wrong in ({"input_size_px": 100}, {"steps": 0}, {"scale_min": 2.0}, {"head_init": "zeros"}, {"max_level": 2}):
        with pytest.raises(OddemoError, match="not possible"):
            Recipe(**wrong)
