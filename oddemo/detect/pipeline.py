"""Training batches that are a pure function of the pictures, the recipe, the seed and the step.

TF-Vision's own input pipeline draws from stateful generators and is not repeatable, even with seeds. Here every
random choice comes from a generator seeded with the number of the sample, so that a run can be repeated bit by bit
and taken up again at any step. Resizing, normalising and the assignment of anchors are TF-Vision's parser's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, ImageRecord
from oddemo.detect.decode import read_as_trained
from oddemo.detect.distort import distort
from oddemo.detect.recipe import Recipe
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError

#: A box that a zoom cuts off keeps its label while at least this part of it is left in view.
LEAST_VISIBLE = 0.25
#: Decoded pictures are kept in memory up to this number of bytes; the others are decoded each time.
CACHE_BYTES = 1_500_000_000


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture as it goes into TF-Vision's parser.

    Attributes:
        image_rgb: (h, w, 3) uint8.
        boxes_yxyx_norm: (N, 4) float32 in [0, 1] of this picture.
        class_ids: (N,) int64, from 1.
        shrink: Scale of at most 1 by which the parser makes the picture smaller than the network input.
    """

    image_rgb: NDArray[np.uint8]
    boxes_yxyx_norm: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    shrink: np.float32


def augment(image_rgb: NDArray[np.uint8], record: ImageRecord, recipe: Recipe, rng: np.random.Generator) -> Sample:
    """Distort, mirror and zoom one picture, as the recipe says.

    A zoom above 1 cuts a window out of the picture; below 1 the picture fills only a part of the network input.

    Args:
        image_rgb: (h, w, 3) uint8.
        record: Its boxes.
        recipe: Which changes are allowed.
        rng: Where the choices come from; those of mirroring and zooming are the same whatever the recipe says.
    """
    mirror, zoom, *place = rng.random(4)
    boxes = np.array(record.boxes_yxyx_px, np.float64)
    if recipe.distortion:
        image_rgb, boxes = distort(image_rgb, boxes, strength=recipe.distortion, rng=rng)
    height, width = image_rgb.shape[:2]
    if recipe.flip_horizontal and mirror < 0.5:
        image_rgb = image_rgb[:, ::-1]
        boxes[:, [1, 3]] = width - boxes[:, [3, 1]]
    scale = recipe.scale_min + zoom * (recipe.scale_max - recipe.scale_min)
    window_hw = np.minimum(np.round(np.array([height, width]) / max(scale, 1.0)), [height, width]).astype(int)
    top, left = (np.array(place) * (np.array([height, width]) - window_hw + 1)).astype(int)
    image_rgb = image_rgb[top : top + window_hw[0], left : left + window_hw[1]]
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    clipped = np.clip(boxes - [top, left, top, left], 0, np.tile(window_hw, 2))
    visible = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1)
    keep = (areas > 0) & (visible >= LEAST_VISIBLE * areas)
    return Sample(
        image_rgb=np.ascontiguousarray(image_rgb),
        boxes_yxyx_norm=(clipped[keep] / np.tile(window_hw, 2)).astype(np.float32),
        class_ids=np.asarray(record.class_ids, np.int64)[keep],
        shrink=np.float32(min(scale, 1.0)),
    )


class Samples:
    """An endless, repeatable stream of augmented pictures: epoch after epoch, each in an order of its own.

    Args:
        dataset: Training pictures.
        recipe: Which augmentation to use.
        seed: Everything random follows from it.

    Attributes:
        failure: What ended a stream before its time, such as a picture that cannot be decoded.
    """

    def __init__(self, dataset: Dataset, recipe: Recipe, *, seed: int) -> None:
        self.dataset, self.recipe, self.seed = dataset, recipe, seed
        self.failure: OddemoError | None = None
        self._decoded: dict[int, NDArray[np.uint8]] = {}
        self._bytes = 0

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return a decoded picture, from memory where there is room."""
        if index in self._decoded:
            return self._decoded[index]
        image = read_as_trained(self.dataset.image_path(self.dataset.records[index]))
        if self._bytes + image.nbytes <= CACHE_BYTES:
            self._decoded[index] = image
            self._bytes += image.nbytes
        return image

    def forget(self) -> None:
        """Let the decoded pictures go: TensorFlow keeps the stream, and this with it, as long as the process lives."""
        self._decoded.clear()
        self._bytes = 0

    def sample(self, number: int) -> Sample:
        """Return the sample with this number, counted from 0 at the start of the training."""
        epoch, position = divmod(number, len(self.dataset))
        order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.dataset))
        index = int(order[position])
        rng = np.random.default_rng([self.seed, 1, number])
        return augment(self.image(index), self.dataset.records[index], self.recipe, rng)

    def numbered(self, first: int, last: int) -> Iterator[Sample]:
        """Yield the samples `first` to `last - 1`; a picture that cannot be read ends the stream and is kept."""
        # TensorFlow would turn an exception in here into one of its own, with a traceback as its message.
        try:
            for number in range(first, last):
                yield self.sample(number)
        except OddemoError as error:
            self.failure = error


def training_batches(samples: Samples, params: Any, *, first_step: int, last_step: int) -> Any:
    """Return a `tf.data.Dataset` of the batches of the steps `first_step` to `last_step - 1`.

    Args:
        samples: Where the pictures come from.
        params: TF-Vision's `ExperimentConfig`.
        first_step: Counted from 0.
        last_step: The step after the last one.

    Returns:
        Dataset of (images (B, h, w, 3) float32, labels as TF-Vision's RetinaNet parser makes them).
    """
    tf = load_tensorflow()
    batch = samples.recipe.batch_size

    def generate() -> Iterator[tuple[Any, ...]]:
        for sample in samples.numbered(first_step * batch, last_step * batch):
            yield sample.image_rgb, sample.boxes_yxyx_norm, sample.class_ids, sample.shrink

    signature = (
        tf.TensorSpec([None, None, 3], tf.uint8),
        tf.TensorSpec([None, 4], tf.float32),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([], tf.float32),
    )
    stream = tf.data.Dataset.from_generator(generate, output_signature=signature)
    parse = tf.autograph.experimental.do_not_convert(_parser(params, samples.recipe.class_weights))
    stream = stream.map(parse, num_parallel_calls=2, deterministic=True)
    options = tf.data.Options()
    # Nothing here is left to be tuned, and a stream that ends waits for its tuner, which looks every five seconds.
    options.autotune.enabled = False
    return stream.batch(batch, drop_remainder=True).prefetch(4).with_options(options)


def _parser(params: Any, class_weights: tuple[float, ...]) -> Any:
    """Return TF-Vision's parsing of one sample, with the sample's own scale in place of a random one.

    TF-Vision has no weights of classes, but a weight for each anchor: those that stand for an object get its class's.
    """
    tf = load_tensorflow()
    from official.vision.dataloaders import retinanet_input

    model, parser = params.task.model, params.task.train_data.parser

    def parse(image: Any, boxes: Any, classes: Any, shrink: Any) -> Any:
        parse_train = retinanet_input.Parser(
            output_size=model.input_size[:2],
            min_level=model.min_level,
            max_level=model.max_level,
            num_scales=model.anchor.num_scales,
            aspect_ratios=model.anchor.aspect_ratios,
            anchor_size=model.anchor.anchor_size,
            match_threshold=parser.match_threshold,
            unmatched_threshold=parser.unmatched_threshold,
            box_coder_weights=model.detection_generator.box_coder_weights,
            aug_rand_hflip=False,
            aug_scale_min=shrink,
            aug_scale_max=shrink,
            dtype="float32",
            pad=parser.pad,
            keep_aspect_ratio=parser.keep_aspect_ratio,
        ).parse_fn(True)
        images, labels = parse_train(
            {
                "image": image,
                "groundtruth_boxes": boxes,
                "groundtruth_classes": classes,
                "groundtruth_is_crowd": tf.zeros([0], tf.bool),
            }
        )
        labels.pop("anchor_boxes")  # the same for every picture, and not part of the loss
        if class_weights:
            levels = range(model.min_level, model.max_level + 1)
            targets = tf.concat([tf.reshape(labels["cls_targets"][str(level)], [-1]) for level in levels], axis=0)
            of_target = tf.gather(tf.constant([1.0, *class_weights]), tf.maximum(tf.cast(targets, tf.int32), 0))
            labels["cls_weights"] = labels["cls_weights"] * of_target
        return images, labels

    return parse
