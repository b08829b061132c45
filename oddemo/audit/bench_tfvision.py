"""A tf-models-official RetinaNet on the bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.bench import Bench
from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import Arrays, NetworkRuns
from oddemo.audit.settings import Network, Normalization, Postprocessing, Preprocessing, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from oddemo.detect.detector import Detector


class TFVisionBench(Bench):
    """A tf-models-official RetinaNet whose stages can be run one by one, under any settings.

    Args:
        folder: Detector folder: params.yaml, checkpoint, label map.

    Attributes:
        detector: The detector as it was trained.
    """

    kind = "tfvision"

    def __init__(self, folder: Path) -> None:
        from oddemo.detect.detector import load_detector

        self.detector: Detector = load_detector(Path(folder))
        super().__init__(folder, self.detector.class_names, settings_of(self.detector))
        self._networks = NetworkRuns(self.folder, self.detector)

    def add_weights(self, name: str, assign: Callable[[Detector], None]) -> None:
        """Make another set of weights known under a name that `Network.weights` can take.

        Args:
            name: Such as `candidate` or `ckpt-300`.
            assign: Given a detector of its own, sets the weights of its model.
        """
        self._networks.add_weights(name, assign)
        self._drop_runs(lambda network: network.weights == name)

    def _run(self, pixels: NDArray[np.float32], pictures: ImageSet, network: Network) -> Mapping[str, Arrays]:
        del pictures
        return self._networks.run(pixels, network)

    def _anchors(self, frame_hw: tuple[int, int], anchor_size: float | None) -> NDArray[np.float32]:
        from official.vision.ops import anchor

        config = self.detector.params.task.model
        make = anchor.build_anchor_generator(
            min_level=config.min_level,
            max_level=config.max_level,
            num_scales=config.anchor.num_scales,
            aspect_ratios=config.anchor.aspect_ratios,
            anchor_size=config.anchor.anchor_size if anchor_size is None else anchor_size,
        )
        levels = make(image_size=list(frame_hw))
        flat: NDArray[np.float32] = np.concatenate(
            [levels[level].numpy().reshape(-1, 4) for level in sorted(levels, key=int)]
        )
        return flat


def settings_of(detector: Detector) -> Settings:
    """Read a detector's settings from its configuration.

    tf-models-official (2.20) reads `soft_nms_sigma` in its `nms_version: v1` alone, `use_class_agnostic_nms` in v2.
    """
    config = detector.params.task.model.detection_generator
    soft_sigma = float(config.soft_nms_sigma or 0.0) if config.nms_version == "v1" else 0.0
    agnostic = config.use_class_agnostic_nms and config.nms_version == "v2"
    pre = Preprocessing(
        input_size_hw=detector.input_size_hw,
        keep_aspect_ratio=detector.preprocess.keep_aspect_ratio,
        normalizations=(Normalization(_triple(detector.mean), _triple(detector.std)),),
    )
    post = Postprocessing(
        score_threshold=float(config.pre_nms_score_threshold),
        nms_iou=float(config.nms_iou_threshold),
        max_detections=int(config.max_num_detections),
        pre_nms_top_k=int(config.pre_nms_top_k),
        nms_kind="class_agnostic" if agnostic else "soft" if soft_sigma else "per_class",
        soft_sigma=soft_sigma,
        nms_algorithm="tfvision_v2" if config.nms_version == "v2" else "greedy",
    )
    if config.box_coder_weights:
        first, second, third, fourth = (float(weight) for weight in config.box_coder_weights)
        post = replace(post, box_coder_weights=(first, second, third, fourth))
    return Settings(pre, post)


def _triple(values: NDArray[np.float32]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
