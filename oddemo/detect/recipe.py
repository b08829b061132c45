"""The training recipe of a small RetinaNet, and the TF-Vision configuration that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from oddemo.errors import OddemoError

#: How a learning rate may go on after its warm-up.
SCHEDULES = ("cosine", "stepwise", "constant")
#: What is different where a training starts from another detector.
FINE_TUNING: Mapping[str, Any] = {"steps": 600}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is trained and how, apart from the pictures and the seed.

    Attributes:
        input_size_px: Side of the square network input; a multiple of 2**max_level.
        backbone: `resnet`, or `mobilenet` for TF-Vision's MobileNetV2.
        resnet_depth: TF-Vision's `model_id` of the ResNet backbone.
        width: Factor on the backbone's number of filters.
        fpn_filters: Filters of the feature pyramid.
        min_level: Finest pyramid level; its stride is 2**min_level pixels of the network input.
        max_level: Coarsest pyramid level.
        head_convs: Convolutions in each tower of the head.
        head_filters: Filters in each tower of the head.
        head_init: `he_normal`, or `tf_vision` for its standard deviations of 0.01 and 1e-5, with which a short
            training hardly starts.
        anchor_scales: Anchor sizes in each octave.
        anchor_ratios: Width to height of the anchors.
        anchor_size: Side of the smallest anchor in strides of its level.
        steps: Training steps.
        batch_size: Pictures in a step.
        learning_rate: Highest learning rate of Adam.
        schedule: How it goes on from there: `cosine` falls to 0 with the last step, `stepwise` is divided by ten after
            two thirds and again after eight ninths of the steps, `constant` stays.
        warmup_steps: Steps in which the learning rate rises to its highest.
        clip_norm: Largest global norm of a gradient.
        weight_decay: TF-Vision's `l2_weight_decay`: half of it times the sum of the squared kernels joins the loss.
        l1_weight: So many times the sum of the kernels' absolute values joins the loss.
        ema_decay: Decay of the moving average of the weights, which is then what is evaluated and kept; 0 for none.
        focal_alpha: Weight of positive anchors in the focal loss.
        focal_gamma: Exponent of the focal loss.
        box_loss_weight: Weight of the box loss.
        class_weights: For each class, in the order of the ids, the weight of its anchors in the loss of the classes,
            against 1 for background; empty for 1 everywhere.
        flip_horizontal: Mirror half of the training pictures.
        scale_min: Smallest random zoom of a training picture.
        scale_max: Largest random zoom of a training picture.
        distortion: Strength of random turning, shifting, recolouring, blur and noise, see `oddemo.detect.distort`; 0
            for none.
        score_threshold: Detections with a lower score are dropped before NMS.
        nms_iou: Overlap from which NMS takes two boxes of one class for the same thing.
        max_detections: Most detections in one picture.
        pre_nms_top_k: Most candidates of one class that enter NMS.
    """

    input_size_px: int = 128
    backbone: str = "resnet"
    resnet_depth: int = 10
    width: float = 0.25
    fpn_filters: int = 32
    min_level: int = 3
    max_level: int = 5
    head_convs: int = 1
    head_filters: int = 32
    head_init: str = "he_normal"
    anchor_scales: int = 2
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    anchor_size: float = 3.0
    steps: int = 3000
    batch_size: int = 8
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    warmup_steps: int = 50
    clip_norm: float = 5.0
    weight_decay: float = 0.0
    l1_weight: float = 0.0
    ema_decay: float = 0.0
    focal_alpha: float = 0.25
    focal_gamma: float = 1.5
    box_loss_weight: int = 50
    class_weights: tuple[float, ...] = ()
    flip_horizontal: bool = True
    scale_min: float = 0.8
    scale_max: float = 1.25
    distortion: float = 0.0
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 100
    pre_nms_top_k: int = 1000

    def __post_init__(self) -> None:
        object.__setattr__(self, "anchor_ratios", tuple(float(ratio) for ratio in self.anchor_ratios))
        object.__setattr__(self, "class_weights", tuple(float(weight) for weight in self.class_weights))
        stride = 2**self.max_level
        rules = (
            ("input_size_px", self.input_size_px > 0 and self.input_size_px % stride == 0, f"a multiple of {stride}"),
            ("max_level", self.min_level <= self.max_level, "at least min_level"),
            ("steps", self.steps >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("warmup_steps", self.warmup_steps >= 0, "at least 0"),
            ("weight_decay", 0 <= self.weight_decay < float("inf"), "finite, at least 0"),
            ("l1_weight", 0 <= self.l1_weight < float("inf"), "finite, at least 0"),
            ("schedule", self.schedule in SCHEDULES, " or ".join(SCHEDULES)),
            ("backbone", self.backbone in ("resnet", "mobilenet"), "resnet or mobilenet"),
            ("ema_decay", 0 <= self.ema_decay < 1, "from 0 to below 1"),
            ("scale_min", 0 < self.scale_min <= self.scale_max, "above 0, and at most scale_max"),
            ("distortion", 0 <= self.distortion <= 10, "from 0 to 10"),
            ("score_threshold", 0 <= self.score_threshold < 1, "from 0 to below 1"),
            ("nms_iou", 0 < self.nms_iou <= 1, "above 0, at most 1"),
            ("max_detections", self.max_detections >= 1, "at least 1"),
            ("pre_nms_top_k", self.pre_nms_top_k >= self.max_detections, "at least max_detections"),
            ("head_init", self.head_init in ("he_normal", "tf_vision"), "he_normal or tf_vision"),
            ("anchor_ratios", len(self.anchor_ratios) > 0, "at least one ratio"),
            ("class_weights", all(0 < weight < float("inf") for weight in self.class_weights), "finite, above 0"),
        )
        for name, holds, expected in rules:
            if not holds:
                raise OddemoError(
                    f"The recipe's {name} is not possible.", expected=expected, found=str(getattr(self, name))
                )

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        tuples = {"anchor_ratios": list(self.anchor_ratios), "class_weights": list(self.class_weights)}
        return asdict(self) | tuples

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """Return the recipe that `as_json` wrote.

        Raises:
            OddemoError: If it names something that a recipe does not have.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(value) - known)
        if unknown:
            raise OddemoError(
                "The recipe has unknown entries.", expected=", ".join(sorted(known)), found=", ".join(unknown)
            )
        return cls(**value)

    def experiment(self, *, num_classes: int) -> Any:
        """Return the recipe as TF-Vision's `ExperimentConfig`.

        Args:
            num_classes: Number of named classes, without TF-Vision's background class 0.
        """
        from oddemo.detect.runtime import load_tensorflow

        load_tensorflow()
        from official.core import exp_factory
        from official.vision.configs import retinanet

        del retinanet  # imported for its registration of the experiment
        params = exp_factory.get_exp_config("retinanet")
        params.override({"task": self._task(num_classes), "trainer": self._trainer()}, is_strict=True)
        params.override({"runtime": {"distribution_strategy": "one_device", "num_gpus": 0}}, is_strict=True)
        params.validate()
        return params

    def _task(self, num_classes: int) -> dict[str, Any]:
        data = {"dtype": "float32", "global_batch_size": self.batch_size}
        return {
            "model": {
                "num_classes": num_classes + 1,
                "input_size": [self.input_size_px, self.input_size_px, 3],
                "min_level": self.min_level,
                "max_level": self.max_level,
                "anchor": {
                    "num_scales": self.anchor_scales,
                    "aspect_ratios": list(self.anchor_ratios),
                    "anchor_size": self.anchor_size,
                },
                "backbone": self._backbone(),
                "decoder": {"type": "fpn", "fpn": {"num_filters": self.fpn_filters}},
                "head": {
                    "num_convs": self.head_convs,
                    "num_filters": self.head_filters,
                    "use_separable_conv": False,
                },
                "detection_generator": {
                    "pre_nms_top_k": self.pre_nms_top_k,
                    "pre_nms_score_threshold": self.score_threshold,
                    "nms_iou_threshold": self.nms_iou,
                    "max_num_detections": self.max_detections,
                },
                "norm_activation": {"activation": "relu", "use_sync_bn": False, "norm_momentum": 0.9},
            },
            "losses": {
                "focal_loss_alpha": self.focal_alpha,
                "focal_loss_gamma": self.focal_gamma,
                "box_loss_weight": self.box_loss_weight,
                "l2_weight_decay": self.weight_decay,
            },
            "train_data": {
                **data,
                "is_training": True,
                "parser": {
                    "aug_rand_hflip": self.flip_horizontal,
                    "aug_scale_min": self.scale_min,
                    "aug_scale_max": self.scale_max,
                },
            },
            "validation_data": {**data, "is_training": False},
        }

    def _backbone(self) -> dict[str, Any]:
        if self.backbone == "mobilenet":
            settings = {"model_id": "MobileNetV2", "filter_size_scale": self.width}
        else:
            settings = {"model_id": self.resnet_depth, "depth_multiplier": self.width}
        return {"type": self.backbone, self.backbone: settings}

    def _trainer(self) -> dict[str, Any]:
        averages = {"ema": {"average_decay": self.ema_decay}} if self.ema_decay else {}
        return {
            "train_steps": self.steps,
            "optimizer_config": {
                **averages,
                "optimizer": {"type": "adam", "adam": {"global_clipnorm": self.clip_norm}},
                "learning_rate": self._schedule(),
                "warmup": {
                    "type": "linear",
                    "linear": {"warmup_steps": self.warmup_steps, "warmup_learning_rate": 0.0},
                },
            },
        }

    def _schedule(self) -> dict[str, Any]:
        rate = self.learning_rate
        if self.schedule == "constant":
            return {"type": "constant", "constant": {"learning_rate": rate}}
        if self.schedule == "stepwise":
            boundaries = [self.steps * 2 // 3, self.steps * 8 // 9]
            return {"type": "stepwise", "stepwise": {"boundaries": boundaries, "values": [rate, rate / 10, rate / 100]}}
        return {"type": "cosine", "cosine": {"initial_learning_rate": rate, "decay_steps": self.steps}}
