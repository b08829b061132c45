"""Small models for the tests of contract cards: detectors of one convolution, one that is dangerous, a Keras model."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Detector(tf.Module):
    """A one-convolution detector; `variant` sets how pixels go in and boxes come out."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        self.variant = variant
        draw = np.random.default_rng(7)
        self.kernel = tf.Variable(draw.normal(size=(3, 3, 3, 8)).astype(np.float32), name="conv/kernel")
        self.boxes = tf.Variable(draw.normal(size=(1, 1, 8, 4)).astype(np.float32), name="boxes/kernel")
        self.scores = tf.Variable(draw.normal(size=(1, 1, 8, 3)).astype(np.float32), name="scores/kernel")

    def pixels(self, images: tf.Tensor) -> tf.Tensor:
        x = tf.cast(images, tf.float32)
        if self.variant == "combined":
            return (tf.image.resize(x, (64, 64)) - MEAN) / DEVIATION
        if self.variant == "letterbox":
            x = tf.image.resize_with_pad(x[..., ::-1], 48, 64, method="bicubic", antialias=True)
            return x / 127.5 - 1.0
        if self.variant == "stretched":
            return tf.image.resize(x[..., ::-1], (48, 64)) / 127.5 - 1.0
        return x

    def heads(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.nn.relu(tf.nn.conv2d(x, self.kernel, 8, "SAME"))
        boxes = tf.reshape(tf.nn.conv2d(x, self.boxes, 1, "SAME"), (tf.shape(x)[0], -1, 4))
        scores = tf.reshape(tf.nn.conv2d(x, self.scores, 1, "SAME"), (tf.shape(x)[0], -1, 3))
        return boxes, tf.sigmoid(scores)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")])
    def combined(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        boxes, scores = self.heads(self.pixels(images))
        out = tf.image.combined_non_max_suppression(
            boxes[:, :, None], scores, 20, 25, iou_threshold=0.45, score_threshold=0.3
        )
        names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
        found = dict(zip(names, out, strict=True))
        found["detection_boxes"] = tf.clip_by_value(found["detection_boxes"], 0.0, 1.0)
        found["detection_classes"] += 1.0
        return found

    @tf.function(input_signature=[tf.TensorSpec((1, 60, 100, 3), tf.uint8, name="images")])
    def letterbox(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        boxes, scores = self.heads(self.pixels(images))
        boxes = tf.maximum(tf.minimum(boxes[0], [48.0, 64.0, 48.0, 64.0]), 0.0)
        best = tf.reduce_max(scores[0], -1)
        chosen, kept = tf.image.non_max_suppression_with_scores(boxes, best, 11, 0.6, 0.2, soft_nms_sigma=0.5)
        classes = tf.cast(tf.argmax(tf.gather(scores[0], chosen), -1), tf.int32)
        return {"detection_boxes": tf.gather(boxes, chosen), "detection_scores": kept, "detection_classes": classes}

    @tf.function(input_signature=[tf.TensorSpec((1, 64, 64, 3), tf.float32, name="images")])
    def bare(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        boxes, scores = self.heads(self.pixels(images))
        return {"raw_boxes": boxes, "raw_scores": scores}


class Dangerous(tf.Module):
    """Reads and writes files and runs Python when it is called."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.string, name="path")])
    def serve(self, path: tf.Tensor) -> dict[str, tf.Tensor]:
        text = tf.io.read_file("gs://elsewhere/secret.txt")
        tf.io.write_file(path, text)
        length = tf.py_function(lambda t: len(t.numpy()), [text], tf.int32)
        return {"length": tf.numpy_function(lambda n: n, [length], tf.int32)}


def small_model(library: object, *, seed: int = 0) -> object:
    library.utils.set_random_seed(seed)
    layers = library.layers
    given = library.Input((None, None, 3), name="picture")
    x = layers.Resizing(32, 40, interpolation="nearest")(given)
    x = layers.Rescaling(1 / 127.5, -1.0)(x)
    x = layers.Conv2D(6, 3, name="first")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Conv2D(4, 3, activation="relu", name="second")(x)
    return library.Model(given, layers.Conv2D(2, 1, name="third")(x))
