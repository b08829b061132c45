"""A trained detector of the Object Detection API: its configuration, its checkpoint, its stages one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from oddemo_probe import RefusedError
from oddemo_probe.outputs import Found, found_in
from oddemo_probe.pictures import Pictures

CONFIG = "pipeline.config"


def checkpoint_folder(folder: Path) -> Path:
    """Return where the checkpoint lies: in the folder itself after training, in `checkpoint/` after an export.

    Raises:
        RefusedError: If it is nowhere.
    """
    for place in (folder, folder / "checkpoint"):
        if place.is_dir() and list(place.glob("ckpt-*.index")):
            return place
    raise RefusedError(f"{folder} holds no checkpoint: there is no ckpt-….index in it or in its folder checkpoint.")


def read_config(folder: Path) -> Any:
    """Read a folder's pipeline.config.

    Raises:
        RefusedError: If it is missing or cannot be parsed.
    """
    from google.protobuf import text_format  # type: ignore[import-untyped]
    from object_detection.protos import pipeline_pb2

    path = folder / CONFIG
    if not path.is_file():
        raise RefusedError(f"{folder} holds no {CONFIG}.")
    config = pipeline_pb2.TrainEvalPipelineConfig()
    try:
        text_format.Merge(path.read_text(encoding="utf-8"), config)
    except text_format.ParseError as error:
        raise RefusedError(f"{path} cannot be read: {error}") from None
    return config


class Detector:
    """A checkpoint run in memory, as it was trained.

    Args:
        folder: With pipeline.config and the checkpoint.
        checkpoint: Name of a checkpoint in the folder, such as `ckpt-3`; the newest if not given.

    Attributes:
        config: The parsed pipeline.config.
        checkpoint: Prefix of the checkpoint's files.
        model: The API's own model, restored.
    """

    def __init__(self, folder: Path, checkpoint: str | None = None) -> None:
        import tensorflow as tf
        from object_detection.builders import model_builder

        self.config = read_config(folder)
        place = checkpoint_folder(folder)
        self.checkpoint = str(place / checkpoint) if checkpoint else tf.train.latest_checkpoint(str(place))
        if self.checkpoint is None:
            raise RefusedError(f"{folder}: the file `checkpoint` that names the newest checkpoint is missing.")
        self.model = model_builder.build(self.config.model, is_training=False)
        # One graph for pictures of any size, as in an export. The API writes its conditions as operations, so there is
        # nothing for AutoGraph to translate.
        spec = tf.TensorSpec([1, None, None, 3], tf.uint8)
        self._stages = tf.function(self._run, input_signature=[spec], autograph=False)
        status = tf.train.Checkpoint(model=self.model).restore(self.checkpoint).expect_partial()
        # Variables are made by the first call; only then can it be said that each found its value.
        self._stages(tf.zeros([1, 64, 64, 3], tf.uint8))
        status.assert_existing_objects_matched()

    def _run(self, images: Any) -> Any:
        import tensorflow as tf

        pixels, true_shapes = self.model.preprocess(tf.cast(images, tf.float32))
        predicted = self.model.predict(pixels, true_shapes)
        found = self.model.postprocess(predicted, true_shapes)
        heads = [predicted[name] for name in ("class_predictions_with_background", "box_encodings")]
        return pixels, heads, found

    def record(self, pictures: Pictures) -> tuple[dict[str, dict[str, Any]], list[Found]]:
        """Run on pictures; return stage → array name → array, and the detections.

        Pixels are of the network's frame. Scores before suppression have no column for the background.
        """
        import tensorflow as tf

        parts: dict[tuple[str, str], list[Any]] = {}
        detections = []
        for image in pictures.images:
            pixels, (logits, encodings), found = self._stages(tf.constant(image[np.newaxis]))
            boxes, scores = found["raw_detection_boxes"].numpy(), found["raw_detection_scores"].numpy()
            sides = np.tile(np.array(pixels.shape[1:3], np.float32), 2)
            arrays = {
                ("pixels", "pixels"): pixels.numpy(),
                ("heads", "class_logits"): logits.numpy(),
                ("heads", "box_encodings"): encodings.numpy().reshape(1, -1, 4),
                ("decoded", "boxes_yxyx"): boxes * sides,
                ("decoded", "scores"): scores[..., 1:],
            }
            for key, array in arrays.items():
                parts.setdefault(key, []).append(array)
            outputs = {name: tensor.numpy()[0] for name, tensor in found.items()}
            # Ids start at 0 here; what the exporter writes start at 1.
            outputs["detection_classes"] = outputs["detection_classes"] + 1
            detections.append(found_in(outputs, image.shape[:2]))
        dense: dict[str, dict[str, Any]] = {}
        for (stage, name), arrays_of_stage in parts.items():
            shapes = {array.shape for array in arrays_of_stage}
            if len(shapes) == 1:  # with keep_aspect_ratio_resizer the frame may depend on the picture
                dense.setdefault(stage, {})[name] = np.concatenate(arrays_of_stage)
        return dense, detections
