"""A trained RetinaNet in memory: the reference that every export of it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Dataset, Detections
from oddemo.detect.folder import find_checkpoint, read_classes, read_params, restore
from oddemo.detect.generation import OUTPUTS, anchor_boxes, anchor_settings, generation
from oddemo.detect.preprocess import Preprocessor, boxes_to_picture
from oddemo.detect.runtime import load_tensorflow
from oddemo.progress import track

#: Pyramid level (`"3"`, `"4"`, …) → array.
Levels = dict[str, NDArray[np.float32]]


class Detector:
    """TF-Vision's RetinaNet with its preprocessing, cut into the stages that a picture passes through.

    Args:
        params: TF-Vision's `ExperimentConfig`.
        class_names: Class id `k` is `class_names[k - 1]`.
        model: TF-Vision's `RetinaNetModel` with its weights.

    Attributes:
        params: As given.
        class_names: As given.
        model: As given.
        preprocess: Picture → network input and `image_info`; see `Preprocessor`.
        input_size_hw: Height and width of the network input in pixels.
        mean: (3,) RGB mean that is subtracted, 0-255.
        std: (3,) RGB standard deviation that is divided by, 0-255.
        anchors: Level → (h, w, A*4) anchor boxes, yxyx, pixels of the network input.
    """

    def __init__(self, params: Any, class_names: Sequence[str], model: Any) -> None:
        tf = load_tensorflow()

        self.params = params
        self.class_names = tuple(class_names)
        self.model = model
        self.preprocess = Preprocessor(params)
        self.input_size_hw = self.preprocess.padded_size_hw
        self.mean, self.std = self.preprocess.mean, self.preprocess.std
        anchors = anchor_boxes(anchor_settings(params), self.input_size_hw)
        self.anchors: Levels = {level: boxes.numpy() for level, boxes in anchors.items()}
        whole = _whole_network(model)
        pixels_spec = tf.TensorSpec([None, *self.input_size_hw, 3], tf.float32)
        self._network = {
            training: tf.function(partial(whole, training=training), input_signature=[pixels_spec], autograph=False)
            for training in (False, True)
        }
        self._decode = generation(model, params, self.input_size_hw, suppress=False)
        self._detect = generation(model, params, self.input_size_hw, suppress=True)

    def forward(self, pixels: NDArray[np.float32]) -> tuple[Levels, Levels]:
        """Run backbone, feature pyramid and head, batch norm in inference mode.

        Args:
            pixels: (B, h, w, 3) float32 network inputs.

        Returns:
            Class logits, level → (B, h, w, A*C) with class 0 the background, and box encodings, level → (B, h, w, A*4).
        """
        _, class_logits, box_encodings = self.run_network(pixels)
        return class_logits, box_encodings

    def run_network(self, pixels: NDArray[np.float32], *, training_mode: bool = False) -> tuple[Levels, Levels, Levels]:
        """Run the network and keep what the feature pyramid hands to the head.

        Args:
            pixels: (B, h, w, 3) float32 network inputs.
            training_mode: Batch norm uses the statistics of this batch, and moves its own; the result then depends on
                which pictures are in it.

        Returns:
            Features, level → (B, h, w, filters), then class logits and box encodings as `forward` returns them.
        """
        features, class_logits, box_encodings = self._network[training_mode](pixels)
        return _arrays(features), _arrays(class_logits), _arrays(box_encodings)

    def decode(
        self, heads: tuple[Levels, Levels], image_info: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Decode every anchor: boxes and scores before thresholds and NMS.

        Args:
            heads: As `forward` returns them.
            image_info: (B, 4, 2).

        Returns:
            Boxes (B, N, 4) yxyx in pixels of the network input, and scores (B, N, C) in [0, 1], without the background:
            column `k` is class id `k + 1`. Anchors go level by level, finest first, then by row, column and shape.
        """
        result = self._decode(*heads, np.asarray(image_info)[:, 1, :])
        return result["decoded_boxes"].numpy()[:, :, 0, :], result["decoded_box_scores"].numpy()

    def detections_from_heads(self, heads: tuple[Levels, Levels], image_info: NDArray[np.float32]) -> list[Detections]:
        """Decode, threshold, apply NMS, and move the boxes to the frame of each original picture.

        Args:
            heads: As `forward` returns them.
            image_info: (B, 4, 2).
        """
        raw = self.raw_detections(heads, image_info)
        return [
            detections_from_outputs({name: value[row] for name, value in raw.items()}, image_info[row])
            for row in range(len(image_info))
        ]

    def raw_detections(self, heads: tuple[Levels, Levels], image_info: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return what TF-Vision's detection generator returns, boxes in the frame of the network input.

        Returns:
            `detection_boxes` (B, M, 4) float32, `detection_scores` (B, M) float32, `detection_classes` (B, M) int32
            from 1, `num_detections` (B,) int32; rows from `num_detections` on mean nothing.
        """
        result = self._detect(*heads, np.asarray(image_info)[:, 1, :])
        return {name: result[name].numpy() for name in OUTPUTS}

    def predict(
        self, pictures: Dataset | Sequence[NDArray[np.uint8]], *, batch_size: int = 8, description: str = "detecting"
    ) -> list[Detections]:
        """Detect in every picture.

        Args:
            pictures: A dataset, or pictures as (height, width, 3) uint8 RGB arrays of any sizes.
            batch_size: Pictures that go through the network together.
            description: Words beside the progress bar.

        Returns:
            One record a picture, in the same order, boxes in pixels of that picture, best score first.
        """
        found: list[Detections] = []
        starts = range(0, len(pictures), batch_size)
        for start in track(starts, description):
            prepared = [self.preprocess(image) for image in _images(pictures, start, batch_size)]
            image_info = np.stack([info for _, info in prepared])
            heads = self.forward(np.stack([pixels for pixels, _ in prepared]))
            found += self.detections_from_heads(heads, image_info)
        return found


def load_detector(
    folder: Path, *, overrides: Mapping[str, Any] | None = None, checkpoint: Path | None = None
) -> Detector:
    """Load a detector folder: `params.yaml`, the newest checkpoint, `label_map.pbtxt`.

    Args:
        folder: As `oddemo train` writes it.
        overrides: Dotted names of the configuration → values to use instead.
        checkpoint: Prefix of another checkpoint to take the weights from.

    Raises:
        OddemoError: If a file is missing or damaged, or they do not belong together.
    """
    folder = Path(folder)
    params = read_params(folder, overrides=overrides)
    class_names = read_classes(folder, num_classes=params.task.model.num_classes)
    model = build_model(params)
    restore(checkpoint if checkpoint is not None else find_checkpoint(folder), model=model)
    return Detector(params, class_names, model)


def _whole_network(model: Any) -> Any:
    """Return a layer that runs backbone, feature pyramid and head, all of them in training mode or none."""
    import tf_keras

    class WholeNetwork(tf_keras.layers.Layer):  # type: ignore[misc]
        """The head takes no `training` of its own: what is inside a layer inherits it."""

        def call(self, pixels: Any, training: bool | None = None) -> Any:
            features = model.decoder(model.backbone(pixels, training=training), training=training)
            class_logits, box_encodings, _ = model.head(features)
            return features, class_logits, box_encodings

    return WholeNetwork()


def build_model(params: Any, *, l1_weight: float = 0.0) -> Any:
    """Build TF-Vision's RetinaNet of a configuration, with freshly drawn weights.

    Args:
        params: TF-Vision's `ExperimentConfig`.
        l1_weight: Beside the configuration's weight decay, so many times the sum of the kernels' absolute values joins
            the model's losses; TF-Vision's configuration has no place for it.
    """
    load_tensorflow()
    from official.vision.tasks import retinanet

    if not l1_weight:
        return retinanet.RetinaNetTask(params.task).build_model()
    import tf_keras
    from official.vision.modeling import factory

    sides = tf_keras.layers.InputSpec(shape=[None, *params.task.model.input_size])
    # TF-Vision halves its weight decay, as `tf.nn.l2_loss` does.
    kernels = tf_keras.regularizers.L1L2(l1=l1_weight, l2=params.task.losses.l2_weight_decay / 2)
    return factory.build_retinanet(input_specs=sides, model_config=params.task.model, l2_regularizer=kernels)


def detections_from_outputs(outputs: Mapping[str, NDArray[Any]], image_info: NDArray[np.float32]) -> Detections:
    """Turn TF-Vision's outputs for one picture into a record in the frame of the original picture.

    Args:
        outputs: `detection_boxes` (M, 4) yxyx in pixels of the network input, `detection_scores` (M,),
            `detection_classes` (M,) from 1, `num_detections` scalar.
        image_info: (4, 2).
    """
    count = int(outputs["num_detections"])
    return Detections(
        boxes_yxyx_px=boxes_to_picture(outputs["detection_boxes"][:count], image_info),
        scores=outputs["detection_scores"][:count],
        class_ids=outputs["detection_classes"][:count],
    )


def _arrays(levels: Mapping[str, Any]) -> Levels:
    return {level: value.numpy() for level, value in levels.items()}


def _images(pictures: Dataset | Sequence[NDArray[np.uint8]], start: int, count: int) -> Iterator[NDArray[np.uint8]]:
    from oddemo.detect.decode import read_as_trained

    if isinstance(pictures, Dataset):
        for record in pictures.records[start : start + count]:
            yield read_as_trained(pictures.image_path(record))
    else:
        yield from pictures[start : start + count]
