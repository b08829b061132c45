"""The reference on the bench: a trained detector that can be run with any of its settings changed.

This is what makes a diagnosis more than a guess. A hypothesis about the candidate is a changed `Settings`; the bench
runs the reference that way, and if the difference to the candidate is gone, the hypothesis is the cause.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import Arrays, NetworkRuns
from oddemo.audit.postprocessing import Decoded, decode_heads, detect
from oddemo.audit.preprocessing import PixelBatch, preprocess_images
from oddemo.audit.settings import Network, Normalization, Postprocessing, Preprocessing, Settings
from oddemo.audit.stages import stage_index
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections
from oddemo.errors import OddemoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oddemo.detect.detector import Detector

Made = TypeVar("Made")

#: How many stage results are kept for the next hypothesis that shares them.
KEPT = 24


class Bench:
    """A tf-models-official RetinaNet whose stages can be run one by one, under any settings.

    Args:
        folder: Detector folder: params.yaml, checkpoint, label map.

    Attributes:
        folder: As given.
        detector: The detector as it was trained.
        settings: What it does around its network.
        labels: Name of each class id, from id 1.
    """

    def __init__(self, folder: Path) -> None:
        from oddemo.detect.detector import load_detector

        self.folder = Path(folder)
        self.detector: Detector = load_detector(self.folder)
        self.labels = self.detector.class_names
        self.settings = settings_of(self.detector)
        self._networks = NetworkRuns(self.folder, self.detector)
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def add_weights(self, name: str, assign: Callable[[Detector], None]) -> None:
        """Make another set of weights known under a name that `Network.weights` can take.

        Args:
            name: Such as `candidate` or `ckpt-300`.
            assign: Given a detector of its own, sets the weights of its model.
        """
        self._networks.add_weights(name, assign)
        self._drop_runs(lambda network: network.weights == name)

    def add_spliced(self, name: str, trace: Trace) -> None:
        """Make another source's own features and heads known under a name that `Network.spliced` can take."""
        self._networks.add_spliced(name, trace)
        self._drop_runs(lambda network: network.spliced == name)

    def _drop_runs(self, outdated: Callable[[Network], bool]) -> None:
        """Drop the results of networks whose name stood for another one before."""
        runs = [key for key in self._kept if key[0] == "network" and outdated(key[-1])]
        for key in runs:
            del self._kept[key]

    def forget(self) -> None:
        """Drop the stage results that are kept for hypotheses to come."""
        self._kept.clear()

    def images(self, pictures: ImageSet, pre: Preprocessing) -> tuple[NDArray[np.uint8], ...]:
        """Decode the pictures the way the settings say."""
        key = ("images", pictures.key, pre.orientation, pre.decoder)
        return self._keep(key, lambda: pictures.decode(orientation=pre.orientation, decoder=pre.decoder))

    def pixels(self, pictures: ImageSet, pre: Preprocessing) -> PixelBatch:
        """Return the tensor that enters the first convolution."""
        key = ("pixels", pictures.key, pre)
        return self._keep(key, lambda: preprocess_images(self.images(pictures, pre), pre))

    def network(self, pictures: ImageSet, settings: Settings) -> Mapping[str, Arrays]:
        """Run the network.

        Returns:
            `features`, level from `0` for the finest → (pictures, h, w, filters), and `heads`: `class_logits`
            (pictures, anchors, 1 + classes) and `box_encodings` (pictures, anchors, 4).
        """
        key = ("network", pictures.key, settings.pre, settings.network)
        return self._keep(
            key, lambda: self._networks.run(self.pixels(pictures, settings.pre).pixels, pictures, settings.network)
        )

    def heads(self, pictures: ImageSet, settings: Settings) -> Arrays:
        """Return the `heads` of `network`."""
        return self.network(pictures, settings)["heads"]

    def decoded(self, pictures: ImageSet, settings: Settings) -> Decoded:
        """Return boxes and scores before suppression."""
        heads = self.heads(pictures, settings)
        frame = settings.pre.input_size_hw
        anchors = self._anchors(frame, settings.post.anchor_size)
        return decode_heads(heads["class_logits"], heads["box_encodings"], anchors, frame, settings.post)

    def trace(
        self, pictures: ImageSet, settings: Settings, *, upto: str = "labels", stages: Sequence[str] | None = None
    ) -> Trace:
        """Run the reference under changed settings.

        Args:
            pictures: What to run on.
            settings: How to run.
            upto: Last stage that is wanted.
            stages: The dense stages to keep in the trace; all up to `upto` if not given.
        """
        last = stage_index(upto)
        wanted = set(stages) if stages is not None else {"pixels", "features", "heads", "decoded"}
        dense: dict[str, Arrays] = {}
        batch = self.pixels(pictures, settings.pre)
        if "pixels" in wanted:
            dense["pixels"] = {"pixels": batch.pixels}
        for stage in ("features", "heads"):
            if last >= stage_index(stage) and stage in wanted:
                dense[stage] = self.network(pictures, settings)[stage]
        detections = []
        if last >= stage_index("decoded"):
            decoded = self.decoded(pictures, settings)
            if "decoded" in wanted:
                dense["decoded"] = {"boxes_yxyx": decoded.boxes_yxyx, "scores": decoded.scores}
            if last >= stage_index("detections"):
                detections = self._found(pictures, decoded, settings)
        return Trace(
            source=f"tfvision:{self.folder}",
            image_names=pictures.names,
            images=self.images(pictures, settings.pre),
            dense=dense,
            detections=tuple(detections),
            labels=self.labels,
        )

    def suppressed(self, pictures: ImageSet, decoded: Arrays, settings: Settings) -> list[Detections]:
        """Threshold and suppress boxes and scores that came from elsewhere.

        Args:
            pictures: The pictures that they belong to.
            decoded: `boxes_yxyx` (pictures, anchors, 4), network's frame, and `scores` (pictures, anchors, classes).
            settings: How.
        """
        return self._found(pictures, Decoded(decoded["boxes_yxyx"], decoded["scores"]), settings)

    def _found(self, pictures: ImageSet, decoded: Decoded, settings: Settings) -> list[Detections]:
        batch = self.pixels(pictures, settings.pre)
        if settings.pre.orientation == "stored":
            return detect(decoded, batch, settings.pre.input_size_hw, settings.post)
        # The candidate's boxes are clipped to the picture as it is stored: nobody was told that it turned it.
        stored = np.array([image.shape[:2] for image in pictures.decode()], dtype=np.int64)
        return detect(decoded, batch, settings.pre.input_size_hw, settings.post, stored_sizes_hw_px=stored)

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

    def _keep(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        made: Made = self._kept[key]
        return made


def settings_of(detector: Detector) -> Settings:
    """Read a detector's settings from its configuration.

    Raises:
        OddemoError: If it does something that the bench cannot run.
    """
    config = detector.params.task.model.detection_generator
    if config.soft_nms_sigma:
        raise OddemoError(
            "The reference uses soft non-maximum suppression, which cannot be audited yet.",
            found=f"soft_nms_sigma: {config.soft_nms_sigma}",
        )
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
        nms_kind="class_agnostic" if config.use_class_agnostic_nms else "per_class",
        nms_algorithm="tfvision_v2" if config.nms_version == "v2" else "greedy",
    )
    if config.box_coder_weights:
        first, second, third, fourth = (float(weight) for weight in config.box_coder_weights)
        post = replace(post, box_coder_weights=(first, second, third, fourth))
    return Settings(pre, post)


def _triple(values: NDArray[np.float32]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
