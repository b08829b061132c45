"""Training: the input against an oracle, bit-equal repetition, and going on after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_training import SHIPPED, TINY, six_pictures

from oddemo.data.records import Dataset, ImageRecord
from oddemo.data.sample import sample_dataset
from oddemo.detect.pipeline import Samples, augment, training_batches
from oddemo.detect.recipe import Recipe
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    return six_pictures()


def _weights(folder: Path) -> list[np.ndarray]:
    from oddemo.detect.detector import load_detector

    return [weight.numpy() for weight in load_detector(folder).model.weights]


def _assert_equal(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory) -> Path:
    """An uninterrupted tiny training."""
    from oddemo.detect.train import train

    folder = tmp_path_factory.mktemp("trained") / "detector"
    train(TINY, pictures, None, folder, seed=5, log_every=2, save_every=4)
    return folder


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    top=st.integers(0, 60),
    left=st.integers(0, 90),
    height=st.integers(12, 40),
    width=st.integers(12, 40),
)
def test_boxes_follow_their_pixels_through_mirror_and_zoom(seed, top, left, height, width):
    image = np.zeros((100, 130, 3), np.uint8)
    image[top : top + height, left : left + width] = 255
    record = ImageRecord(1, "x.png", (100, 130), [[top, left, top + height, left + width]], [3])
    recipe = Recipe(flip_horizontal=True, scale_min=0.6, scale_max=1.8)
    sample = augment(image, record, recipe, np.random.default_rng(seed))
    assert 0.6 <= sample.shrink <= 1
    assert sample.shrink == 1 or sample.image_rgb.shape == image.shape
    lit = sample.image_rgb[:, :, 0] > 0
    if not len(sample.class_ids):
        assert lit.sum() < 0.25 * height * width + 1
        return
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    seen = [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]
    size = np.tile(sample.image_rgb.shape[:2], 2)
    np.testing.assert_allclose(sample.boxes_yxyx_norm[0] * size, seen, atol=1e-3)
    assert sample.class_ids.tolist() == [3]


def test_without_augmentation_a_sample_is_the_picture():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    record = ImageRecord(1, "x.png", (40, 60), [[4, 6, 20, 30], [5, 5, 5, 9]], [1, 1])
    plain = Recipe(flip_horizontal=False, scale_min=1.0, scale_max=1.0)
    sample = augment(image, record, plain, np.random.default_rng(1))
    np.testing.assert_array_equal(sample.image_rgb, image)
    np.testing.assert_allclose(sample.boxes_yxyx_norm, [[0.1, 0.1, 0.5, 0.5]])


def test_every_epoch_shows_every_picture_once_in_another_order(pictures):
    plain = replace(TINY, flip_horizontal=False, scale_min=1.0, scale_max=1.0)
    samples = Samples(pictures, plain, seed=3)
    count = len(pictures)
    shown = [samples.sample(number).image_rgb.tobytes() for number in range(2 * count)]
    assert set(shown[:count]) == set(shown[count:])
    assert len(set(shown)) == count
    assert shown[:count] != shown[count:]


def test_batches_are_a_pure_function_of_the_step(pictures):
    params = TINY.experiment(num_classes=5)
    whole = list(training_batches(Samples(pictures, TINY, seed=1), params, first_step=0, last_step=5))
    tail = list(training_batches(Samples(pictures, TINY, seed=1), params, first_step=3, last_step=5))
    other = list(training_batches(Samples(pictures, TINY, seed=2), params, first_step=3, last_step=5))
    assert len(whole) == 5
    for (images, labels), (again, labels_again) in zip(whole[3:], tail, strict=True):
        np.testing.assert_array_equal(images, again)
        for level in labels["box_targets"]:
            np.testing.assert_array_equal(labels["box_targets"][level], labels_again["box_targets"][level])
    assert not np.array_equal(tail[0][0], other[0][0])


def test_targets_decode_to_the_true_boxes(pictures):
    from official.vision.ops import anchor, box_ops

    plain = replace(TINY, input_size_px=128, batch_size=1, flip_horizontal=False, scale_min=1.0, scale_max=1.0)
    params = plain.experiment(num_classes=5)
    samples = Samples(pictures, plain, seed=0)
    ((_, labels),) = training_batches(samples, params, first_step=0, last_step=1)
    anchors = anchor.build_anchor_generator(3, 5, 2, list(plain.anchor_ratios), plain.anchor_size)((128, 128))
    flat = np.concatenate([boxes.numpy().reshape(-1, 4) for boxes in anchors.values()])
    targets = np.concatenate([part.numpy().reshape(-1, 4) for part in labels["box_targets"].values()])
    class_ids = np.concatenate([part.numpy().reshape(-1) for part in labels["cls_targets"].values()])
    positive = labels["box_weights"].numpy()[0] > 0
    decoded = box_ops.decode_boxes(targets[positive], flat[positive]).numpy()
    sample = samples.sample(0)
    scale = labels["image_info"].numpy()[0, 2, 0]
    truth = sample.boxes_yxyx_norm * np.tile(sample.image_rgb.shape[:2], 2) * scale
    assert positive.sum() >= len(truth) > 0
    for box, class_id in zip(decoded, class_ids[positive], strict=True):
        distances = np.abs(truth - box).max(axis=1)
        assert distances.min() < 1e-2
        assert class_id == sample.class_ids[distances.argmin()]


def test_a_training_leaves_a_detector_and_its_logs(trained):
    history = read_json(trained / "training.json")["history"]
    assert [line["step"] for line in history] == [2, 4, 6, 8, 10, 12]
    assert history[0]["total_loss"] > history[-1]["total_loss"]
    assert not (trained / "state").exists()
    assert list((trained / "logs" / "train").glob("events.out.tfevents.*"))
    assert [path.name for path in trained.glob("ckpt-*.index")] == ["ckpt-12.index"]


_KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from oddemo.data.sample import sample_dataset
from oddemo.detect.recipe import Recipe
from oddemo.detect.train import train

sample = sample_dataset("inspection")
recipe = Recipe(steps=12, batch_size=2, input_size_px=64, warmup_steps=4)
def stop(line):
    if line["step"] == 10:
        os.kill(os.getpid(), signal.SIGKILL)
train(recipe, replace(sample, records=sample.records[:6]), None, Path(sys.argv[1]), seed=5, log_every=2, save_every=4,
      on_log=stop)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_training_goes_on_to_the_same_weights(trained, pictures, tmp_path):
    from oddemo.detect.train import train

    folder = tmp_path / "killed"
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, str(folder)], env=os.environ, capture_output=True, timeout=300, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert not (folder / "params.yaml").exists()
    with pytest.raises(OddemoError, match="not overwritten"):
        train(TINY, pictures, None, folder, seed=5)
    with pytest.raises(OddemoError, match="is another one"):
        train(TINY, pictures, None, folder, seed=6, log_every=2, resume=True)
    result = train(TINY, pictures, None, folder, seed=5, log_every=2, save_every=4, resume=True)
    assert read_json(folder / "training.json")["resumed_at_step"] == 8
    _assert_equal(_weights(trained), _weights(folder))
    whole = read_json(trained / "training.json")["history"]
    assert [dict(line) for line in result.history] == whole
    with pytest.raises(OddemoError, match="no interrupted training"):
        train(TINY, pictures, None, folder, seed=5, log_every=2, resume=True)


def test_the_heads_are_drawn_with_a_variance_that_lets_them_learn():
    from oddemo.detect.initialise import draw_weights

    params = TINY.experiment(num_classes=5)
    spread = {}
    for head_init in ("he_normal", "tf_vision"):
        model = draw_weights(params, seed=1, head_init=head_init)
        kernels = {
            weight.name.split("/")[-2]: weight.numpy() for weight in model.head.weights if len(weight.shape) == 4
        }
        spread[head_init] = {name: kernel.std() for name, kernel in kernels.items()}
    expected = np.sqrt(2 / (9 * TINY.head_filters))
    assert spread["he_normal"] == pytest.approx(dict.fromkeys(spread["he_normal"], expected), rel=0.1)
    assert spread["tf_vision"]["scores"] < 1e-4


def test_starting_from_another_world_takes_all_but_the_classifier(tmp_path):
    from oddemo.detect.detector import load_detector
    from oddemo.detect.initialise import draw_weights, start_from

    source = load_detector(SHIPPED / "wildlife")
    recipe = Recipe.from_json(read_json(SHIPPED / "wildlife" / "training.json")["recipe"])
    model = draw_weights(recipe.experiment(num_classes=5), seed=1, head_init="he_normal")
    drawn = {weight.name.split("/", 1)[1]: weight.numpy() for weight in model.head.weights}
    assert start_from(model, ("a", "b", "c", "d", "e"), SHIPPED / "wildlife") == "all but the classifier"
    _assert_equal(model.backbone.get_weights(), source.model.backbone.get_weights())
    _assert_equal(model.decoder.get_weights(), source.model.decoder.get_weights())
    for own, other in zip(model.head.weights, source.model.head.weights, strict=True):
        name = own.name.split("/", 1)[1]
        expected = drawn[name] if name.startswith("scores/") else other.numpy()
        np.testing.assert_array_equal(own.numpy(), expected)
    assert start_from(model, source.class_names, SHIPPED / "wildlife") == "all"
    _assert_equal(model.get_weights(), source.model.get_weights())
    narrow = draw_weights(replace(recipe, head_filters=16).experiment(num_classes=5), seed=1, head_init="he_normal")
    with pytest.raises(OddemoError, match="built differently"):
        start_from(narrow, source.class_names, SHIPPED / "wildlife")


def test_tf_visions_own_task_can_start_from_a_shipped_checkpoint():
    from official.vision.tasks import retinanet

    from oddemo.detect.detector import load_detector
    from oddemo.detect.folder import find_checkpoint, read_params

    params = read_params(SHIPPED / "inspection")
    params.task.init_checkpoint = str(find_checkpoint(SHIPPED / "inspection"))
    params.task.init_checkpoint_modules = ["backbone", "decoder"]
    task = retinanet.RetinaNetTask(params.task)
    model = task.build_model()
    task.initialize(model)
    _assert_equal(model.backbone.get_weights(), load_detector(SHIPPED / "inspection").model.backbone.get_weights())


def test_nothing_to_learn_from_and_other_classes_are_refused(pictures, tmp_path):
    from oddemo.detect.train import train

    empty = replace(pictures, records=())
    with pytest.raises(OddemoError, match="nothing to learn from"):
        train(TINY, empty, None, tmp_path / "out")
    with pytest.raises(OddemoError, match="different classes"):
        train(TINY, pictures, sample_dataset("wildlife"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_cannot_be_read_ends_the_training_with_its_name(pictures, tmp_path):
    from oddemo.detect.train import train

    root = tmp_path / "pictures"
    for record in pictures.records:
        (root / record.file_name).parent.mkdir(parents=True, exist_ok=True)
        (root / record.file_name).write_bytes(pictures.image_path(record).read_bytes()[:3000])
    with pytest.raises(OddemoError, match=r"000000\.jpg cannot be decoded"):
        train(TINY, replace(pictures, root=root, records=pictures.records[:1]), None, tmp_path / "out")
    assert not (tmp_path / "out" / "params.yaml").exists()


def test_a_finished_detector_is_not_overwritten_unasked(trained, pictures):
    from oddemo.detect.train import train

    before = read_json(trained / "training.json")
    with pytest.raises(OddemoError, match="not overwritten"):
        train(TINY, pictures, None, trained, seed=6)
    assert read_json(trained / "training.json") == before


def test_the_command_trains_to_the_same_bits_and_evaluates(trained, pictures, tmp_path):
    from typer.testing import CliRunner

    from oddemo.cli import _register, app
    from oddemo.data.coco import write_coco

    _register()
    world = tmp_path / "world"
    for record in pictures.records:
        place = world / record.file_name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(pictures.image_path(record).read_bytes())
    for split in ("train", "val"):
        write_coco(replace(pictures, name=split), world / f"{split}.json")
    recipe, out, numbers = tmp_path / "recipe.json", tmp_path / "detector", tmp_path / "metrics.json"
    write_json(recipe, TINY.as_json())
    run = CliRunner()
    done = run.invoke(app, ["train", str(world), "--out", str(out), "--recipe", str(recipe), "--seed", "5"])
    assert done.exit_code == 0, done.output
    assert "val: 6 pictures, AP " in done.output
    _assert_equal(_weights(trained), _weights(out))
    command = ["evaluate", str(out), "--truth", str(world / "val.json"), "--images", str(world), "--json", str(numbers)]
    done = run.invoke(app, command)
    assert done.exit_code == 0, done.output
    assert read_json(numbers)["metrics"]["ap"] == read_json(out / "training.json")["validation"]["ap"]
    missing = run.invoke(app, ["train", str(world), "--out", str(tmp_path / "x"), "--train-split", "nothing"])
    assert isinstance(missing.exception, OddemoError)
    assert "no split 'nothing'" in str(missing.exception)
