"""An SSD of the TF2 Object Detection API on the bench.

Its network is taken out of the API once, in the API's own lane, as a SavedModel from network input to raw heads. What
lies around the network is run here, as the settings of its pipeline.config say. Whether both together say what the
API itself says on the pictures of an audit is looked at before any diagnosis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.bench import Bench
from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import Arrays, batches_of
from oddemo.audit.settings import Network, Normalization, Postprocessing, Preprocessing, Settings, Triple
from oddemo.errors import OddemoError
from oddemo.files import read_json
from oddemo.lanes.cache import Made, lanes_root
from oddemo.lanes.probe_file import SCRIPTS
from oddemo.lanes.running import run_in_lane

#: More boxes than any detector has anchors: the API hands all of them to its suppression.
_ALL_BOXES = 10**6
#: The API resizes with TensorFlow 1's function, which has no half-pixel centres.
_KERNEL = "tensorflow/bilinear_corner"
#: `image_resizer` → whether it keeps the aspect ratio.
_RESIZERS = {"fixed_shape_resizer": False, "keep_aspect_ratio_resizer": True}


class ODAPIBench(Bench):
    """An SSD of the Object Detection API whose stages can be run one by one, under any settings.

    Args:
        folder: With pipeline.config and the checkpoint.
        made: The lane of the API.

    Raises:
        OddemoError: If it cannot be taken apart, or does something that the bench cannot run.
    """

    kind = "odapi"

    def __init__(self, folder: Path, made: Made) -> None:
        self._made, self._place = made, Path(folder)
        self._opened: dict[tuple[str, tuple[int, int]], Callable[..., Mapping[str, Any]]] = {}
        told = read_json(self._stages("", None) / "settings.json")
        self._anchor_scale: float | None = told["anchor_scale"]
        self._checkpoint: str = told["checkpoint"]
        super().__init__(folder, tuple(told["labels"]), settings_in(told))

    def other_checkpoints(self) -> list[str]:
        """Return the names of the checkpoints beside the one that is run; each can be `Network.weights`."""
        found = [*self._place.glob("ckpt-*.index"), *self._place.glob("checkpoint/ckpt-*.index")]
        return [path.stem for path in found if path.stem != self._checkpoint]

    def _run(self, pixels: NDArray[np.float32], pictures: ImageSet, network: Network) -> Mapping[str, Arrays]:
        del pictures
        checkpoint = "" if network.weights == "reference" else network.weights
        run = self._opened_stages(checkpoint, (pixels.shape[1], pixels.shape[2]))
        parts = [run(pixels=pixels[list(batch)]) for batch in batches_of(len(pixels))]
        names = ("class_logits", "box_encodings")
        return {"heads": {name: np.concatenate([part[name].numpy() for part in parts]) for name in names}}

    def _anchors(self, frame_hw: tuple[int, int], anchor_size: float | None) -> NDArray[np.float32]:
        run = self._opened_stages("", frame_hw)
        anchors: NDArray[np.float32] = run(pixels=np.zeros((1, *frame_hw, 3), np.float32))["anchors_yxyx"].numpy()
        if anchor_size is None or self._anchor_scale is None:
            return anchors
        centre = np.tile((anchors[:, :2] + anchors[:, 2:]) / 2.0, 2)
        scaled: NDArray[np.float32] = (anchors - centre) * np.float32(anchor_size / self._anchor_scale) + centre
        return scaled

    def _opened_stages(self, checkpoint: str, size_hw: tuple[int, int]) -> Callable[..., Mapping[str, Any]]:
        import tensorflow as tf

        key = (checkpoint, size_hw)
        if key not in self._opened:
            model = tf.saved_model.load(str(self._stages(checkpoint, size_hw) / "network"))
            run = model.signatures["serving_default"]
            run.keeps = model  # a signature alone does not keep its variables
            self._opened[key] = run
        return self._opened[key]

    def _stages(self, checkpoint: str, size_hw: tuple[int, int] | None) -> Path:
        """Return the folder of stages for a size, made in the lane if it is not there yet."""
        own = size_hw is None or (hasattr(self, "settings") and size_hw == self.settings.pre.input_size_hw)
        asked: list[str | Path] = [] if own or size_hw is None else ["--size", *(str(side) for side in size_hw)]
        if checkpoint:
            asked += ["--checkpoint", checkpoint]
        out = lanes_root() / f"stages-{self._key(asked)}"
        if not out.is_dir():
            what = f"{self.kind}:{self._place} cannot be taken apart"
            run_in_lane(self._made, ["stages", self._place.absolute(), "--out", out, *asked], what=what)
        return out

    def _key(self, asked: list[str | Path]) -> str:
        """Stand for everything that decides the stages: the detector, the lane, its script, and what is asked."""
        digest = hashlib.sha256(self._made.folder.name.encode())
        scripts = sorted((SCRIPTS / "oddemo_odapi").glob("*.py"))
        own = sorted(path for path in (*self._place.glob("*"), *self._place.glob("checkpoint/*")) if _counts(path))
        for path in (*scripts, *own):
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        digest.update(repr([str(one) for one in asked]).encode())
        return digest.hexdigest()[:16]


def _counts(path: Path) -> bool:
    return path.is_file() and (path.suffix in (".config", ".pbtxt") or path.name.startswith(("ckpt-", "checkpoint")))


def settings_in(told: Mapping[str, Any]) -> Settings:
    """Return the settings that the lane's command `stages` wrote.

    Raises:
        OddemoError: If the detector does something that the bench cannot run.
    """
    resizer, details, kept = told["resizer"], told["resizer_settings"], told["suppression"]
    square = details.get("min_dimension") == details.get("max_dimension")
    total, per_class = int(kept["max_total_detections"]), int(kept["max_detections_per_class"])
    sigma = float(kept["soft_nms_sigma"])
    _can_run("image_resizer", resizer, resizer in _RESIZERS)
    _can_run("image_resizer's sides", details, not _RESIZERS[resizer] or (square and details["pad_to_max_dimension"]))
    _can_run("resize_method", details["resize_method"], details["resize_method"] == "BILINEAR")
    _can_run("convert_to_grayscale", True, not details["convert_to_grayscale"])
    _can_run("score_converter", told["score_converter"], told["score_converter"] == "SIGMOID")
    _can_run("box_coder", told["box_coder"], told["box_coder"] == "faster_rcnn_box_coder")
    _can_run("soft_nms_sigma over all classes", sigma, not (sigma and kept["use_class_agnostic_nms"]))
    _can_run("max_detections_per_class", per_class, per_class >= total)
    offset, scale = (_triple(values) for values in told["offset_and_scale"])
    pre = Preprocessing(
        input_size_hw=(int(told["input_size_hw"][0]), int(told["input_size_hw"][1])),
        keep_aspect_ratio=_RESIZERS[resizer],
        kernel=_KERNEL,
        padding_grey=0.0 if _RESIZERS[resizer] else None,
        normalizations=(Normalization(offset, scale),),
    )
    y, x, height, width = (float(value) for value in told["box_coder_scales"])
    post = Postprocessing(
        score_threshold=float(kept["score_threshold"]),
        nms_iou=float(kept["iou_threshold"]),
        max_detections=total,
        pre_nms_top_k=_ALL_BOXES,
        nms_kind="class_agnostic" if kept["use_class_agnostic_nms"] else "soft" if sigma else "per_class",
        soft_sigma=sigma,
        clip_boxes=False,
        clip_kept_boxes=True,
        limit_log_scale=False,
        box_coder_weights=(y, x, height, width),
    )
    return Settings(pre, post, family="odapi")


def _can_run(entry: str, value: object, possible: bool) -> None:
    if not possible:
        raise OddemoError(
            f"The reference's pipeline.config asks for something that cannot be run stage by stage: {entry}.",
            found=str(value),
        )


def _triple(values: list[float]) -> Triple:
    first, second, third = (float(value) for value in values)
    return first, second, third
