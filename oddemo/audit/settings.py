"""What a pipeline does around its network, as data: the knobs on which a reference and a candidate can differ.

A diagnosis is a difference between two `Settings`: a fault is a step away from the reference's settings, and its probe
runs the reference with that step taken and looks whether the difference to the candidate is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from oddemo.errors import OddemoError

#: `library/method` of resizers that deployments really use. TensorFlow resizes in float32; Pillow and OpenCV resize
#: uint8 and round. `tensorflow/bilinear` has half-pixel centres and no antialiasing, `_antialias` is `antialias=True`,
#: `_corner` is TensorFlow 1's default (no half-pixel centres), `_align_corners` its other variant, and `_truncated` is
#: the float result cast to uint8. Pillow's kernels always antialias.
KERNELS = (
    "tensorflow/bilinear",
    "tensorflow/bilinear_truncated",
    "tensorflow/bilinear_antialias",
    "tensorflow/bilinear_corner",
    "tensorflow/bilinear_align_corners",
    "tensorflow/nearest",
    "tensorflow/nearest_corner",
    "tensorflow/area",
    "tensorflow/bicubic",
    "tensorflow/bicubic_antialias",
    "tensorflow/lanczos3",
    "tensorflow/lanczos3_antialias",
    "pillow/bilinear",
    "pillow/nearest",
    "pillow/bicubic",
    "pillow/lanczos",
    "opencv/linear",
    "opencv/nearest",
    "opencv/area",
    "opencv/cubic",
)

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Normalization:
    """One pass of `(value - offset) / scale`, per channel of the array as it arrives, in its own range.

    Attributes:
        offset: Subtracted, for channels 0, 1, 2.
        scale: Divided by; never 0.
    """

    offset: Triple
    scale: Triple

    def __post_init__(self) -> None:
        if len(self.offset) != 3 or len(self.scale) != 3 or 0.0 in self.scale:
            raise OddemoError(
                "A normalisation needs three offsets and three scales other than 0.",
                found=f"{self.offset}, {self.scale}",
            )


@dataclass(frozen=True)
class Preprocessing:
    """From the decoded picture to the tensor that enters the first convolution.

    Attributes:
        input_size_hw: Height and width of that tensor.
        orientation: `stored` as the file has it, `exif` turned as its EXIF tag says.
        decoder: Which JPEG decoder: `tensorflow` (fast integer transform, its default) or `accurate` (Pillow, OpenCV).
        channel_order: `rgb` or `bgr`.
        keep_aspect_ratio: Letterbox if true, stretch if false.
        stretched_first: Side of a square that the picture is stretched to before all this, as uint8; 0 for none.
        stretch_kernel: One of `KERNELS`, for that step.
        kernel: One of `KERNELS`.
        padding_grey: Value of the padding before normalisation, or None for zeros after it (the mean colour).
        padding_position: `bottom_right` (padding only there) or `centre`.
        normalizations: The passes, in order; none if it is missing.
    """

    input_size_hw: tuple[int, int]
    orientation: str = "stored"
    decoder: str = "tensorflow"
    channel_order: str = "rgb"
    keep_aspect_ratio: bool = True
    stretched_first: int = 0
    stretch_kernel: str = "opencv/linear"
    kernel: str = "tensorflow/bilinear"
    padding_grey: float | None = None
    padding_position: str = "bottom_right"
    normalizations: tuple[Normalization, ...] = ()

    def __post_init__(self) -> None:
        _one_of("kernel", self.kernel, KERNELS)
        _one_of("stretch_kernel", self.stretch_kernel, KERNELS)
        _one_of("channel_order", self.channel_order, ("rgb", "bgr"))
        _one_of("orientation", self.orientation, ("stored", "exif"))
        _one_of("decoder", self.decoder, ("tensorflow", "accurate"))
        _one_of("padding_position", self.padding_position, ("bottom_right", "centre"))


@dataclass(frozen=True)
class Network:
    """Which weights run, and how.

    Attributes:
        weights: `reference`, or the name under which the bench knows another set.
        training_mode: Batch normalisation uses the batch's own statistics.
        batches: In training mode, the pictures that go through together, by their number in the audit.
        quantization: The network is converted to TFLite with `float16` or `dynamic` (8-bit weights) and run there;
            `none` for neither.
        spliced: Name under which the bench knows another source's own features and heads, which are taken as they are.
    """

    weights: str = "reference"
    training_mode: bool = False
    batches: tuple[tuple[int, ...], ...] = ()
    quantization: str = "none"
    spliced: str = ""

    def __post_init__(self) -> None:
        _one_of("quantization", self.quantization, ("none", "float16", "dynamic", "int8"))


@dataclass(frozen=True)
class Postprocessing:
    """From raw heads to boxes, scores and ids as the caller sees them.

    Attributes:
        activation: `sigmoid`, `none` (logits are taken for scores) or `twice`.
        anchor_size: Size of the base anchor in strides; None for the reference's own.
        box_coder_weights: Divisors of the encodings (ty, tx, th, tw).
        score_threshold: Lower scores are dropped before suppression.
        nms_iou: Overlap from which a box of lower score is dropped.
        nms_kind: `per_class`, `class_agnostic` (suppressed over all classes), `soft` (overlapping boxes of a class
            lose score instead) or `none`.
        soft_sigma: How slowly scores fall with the overlap in the soft kind; above 0 there.
        classes_per_box: How many classes a box hands out where suppression is class-agnostic, best first.
        clip_boxes: Boxes are clipped to the network's frame before suppression; TFLite's own operation does not.
        clip_kept_boxes: Boxes are clipped to the picture after suppression, before they are handed out, and those of
            which nothing is left are dropped, as the Object Detection API does.
        limit_log_scale: The logarithm by which an encoding scales its anchor is limited before it is raised, as
            tf-models-official does; the Object Detection API does not.
        nms_algorithm: `greedy`, or `tfvision_v2`: tf-models-official's own, which differs below an overlap of 0.5 (see
            `suppress_tfvision_v2`).
        pre_nms_top_k: How many boxes a class takes into suppression.
        max_detections: How many are kept a picture.
        final_threshold: A second threshold, after suppression, on the caller's side.
        score_step: Scores are rounded to multiples of this and stay below 1, as a sigmoid in 8-bit integers gives
            them (1/256); 0 for no rounding.
        ties_last: Of equal scores, the later anchor goes first.
        final_activation: `none`, or `sigmoid` if the caller takes scores for logits.
        exchanged: The caller takes scores for class ids and class ids for scores.
        box_order: `yxyx`, or `xyxy` if the caller takes one for the other.
        box_frame: `picture` pixels; `network` pixels of the network's frame; `normalized` to [0, 1]; `stretched`:
            normalised by the network's frame and scaled to the picture as if there were no padding.
        label_offset: Added to every class id.
        label_permutation: Id of the name that ids 1, 2, … get after that; empty for their own.
    """

    score_threshold: float
    nms_iou: float
    max_detections: int
    pre_nms_top_k: int
    nms_kind: str = "per_class"
    soft_sigma: float = 0.0
    classes_per_box: int = 1
    clip_boxes: bool = True
    clip_kept_boxes: bool = False
    limit_log_scale: bool = True
    nms_algorithm: str = "greedy"
    activation: str = "sigmoid"
    anchor_size: float | None = None
    box_coder_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    final_threshold: float = 0.0
    score_step: float = 0.0
    ties_last: bool = False
    final_activation: str = "none"
    exchanged: bool = False
    box_order: str = "yxyx"
    box_frame: str = "picture"
    label_offset: int = 0
    label_permutation: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _one_of("nms_kind", self.nms_kind, ("per_class", "class_agnostic", "soft", "none"))
        if (self.nms_kind == "soft") != (self.soft_sigma > 0.0):
            raise OddemoError(
                "Soft suppression, and no other, needs a sigma.",
                expected="soft_sigma above 0 where nms_kind is soft, else 0",
                found=f"{self.nms_kind}, {self.soft_sigma}",
            )
        _one_of("nms_algorithm", self.nms_algorithm, ("greedy", "tfvision_v2"))
        _one_of("activation", self.activation, ("sigmoid", "none", "twice"))
        _one_of("final_activation", self.final_activation, ("none", "sigmoid"))
        _one_of("box_order", self.box_order, ("yxyx", "xyxy"))
        _one_of("box_frame", self.box_frame, ("picture", "network", "normalized", "stretched"))


@dataclass(frozen=True)
class Settings:
    """All knobs of one pipeline.

    Attributes:
        pre: Before the network.
        post: After it.
        network: The network.
        family: Where the reference is from, `tfvision` or `odapi`: how its user calls the knobs.
    """

    pre: Preprocessing
    post: Postprocessing
    network: Network = field(default_factory=Network)
    family: str = "tfvision"

    def with_preprocessing(self, **changes: Any) -> Settings:
        """Return these settings with entries of `Preprocessing` changed, and all else as it is.

        Raises:
            OddemoError: If there is no such entry, or a value is not possible.
        """
        known = [entry.name for entry in fields(Preprocessing)]
        strange = sorted(set(changes) - set(known))
        if strange:
            raise OddemoError(
                "There is no such entry of the preprocessing.", expected=", ".join(known), found=", ".join(strange)
            )
        return replace(self, pre=replace(self.pre, **changes))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise OddemoError(f"{name} {value!r} is not known.", expected=", ".join(allowed))
