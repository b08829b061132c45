"""Faults of exports of the TF2 Object Detection API, made by its own exporter in its lane."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from oddemo.audit.plant.build import swap_names, with_script
from oddemo.audit.sources.labels import LABEL_MAP
from oddemo.errors import OddemoError
from oddemo.lanes.running import made_lane, run_in_lane


def _suppress(text: str) -> str:
    return f"model {{ ssd {{ post_processing {{ batch_non_max_suppression {{ {text} }} }} }} }}"


def _ssd(text: str) -> str:
    return f"model {{ ssd {{ {text} }} }}"


@dataclass(frozen=True)
class ODAPIParts:
    """What is wrong with a deployment of the Object Detection API, part by part; empty for a sound one.

    Attributes:
        override: Text that is merged into pipeline.config at the export (`--config_override`).
        early: Whether the export is made from an early checkpoint.
        input_type: Of the exporter.
        names_swapped: Whether the label map that ships with it has its first two names swapped.
        client: Name of a serving script around the export; none if the graph itself is the deployment.
    """

    override: str = ""
    early: bool = False
    input_type: str = "image_tensor"
    names_swapped: bool = False
    client: str | None = None

    def joined(self, other: ODAPIParts) -> ODAPIParts:
        """Return a deployment with both faults.

        Raises:
            OddemoError: If they sit in the same part, or need exports of different kinds.
        """
        both: dict[str, Any] = {"override": " ".join(filter(None, (self.override, other.override)))}
        for entry in fields(self):
            mine, theirs = getattr(self, entry.name), getattr(other, entry.name)
            if entry.name == "override":
                continue
            if mine and theirs and entry.name != "input_type":
                raise OddemoError("Two faults in the same part of a deployment cannot be planted.", found=entry.name)
            both[entry.name] = mine or theirs
        kinds = {self.input_type, other.input_type} - {"image_tensor"}
        both["input_type"] = next(iter(kinds), "image_tensor")
        if kinds and not both["client"]:
            raise OddemoError("An export that takes floats needs the script that hands them to it.")
        return ODAPIParts(**both)


@dataclass(frozen=True)
class ODAPIPlant:
    """A way of breaking a deployment of the Object Detection API.

    Attributes:
        fault: Id of the fault in the registry.
        variant: Which form or strength of it; unique together with `fault`.
        story: How it happens, in one sentence.
        parts: What is wrong.
        shows_at: The stage at which this form shows first, where it is not the fault's own.
        brings: Ids of other faults that this form cannot be without.
    """

    fault: str
    variant: str
    story: str
    parts: ODAPIParts = field(repr=False)
    shows_at: str = ""
    brings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`fault/variant`."""
        return f"{self.fault}/{self.variant}"


def build_odapi(parts: ODAPIParts, detector: Path, folder: Path, *, early: Path | None = None) -> str:
    """Make a deployment of a detector with the API's own exporter.

    Args:
        parts: What is wrong with it.
        detector: With pipeline.config and checkpoint.
        folder: The export goes to `saved_model` in it, a script beside that.
        early: Folder with an early checkpoint of a training with the same configuration.

    Returns:
        Its source, `kind:place`.

    Raises:
        OddemoError: If the lane is not made, the exporter fails, or the place is taken.
    """
    place, made = folder / "saved_model", made_lane("odapi")
    if parts.early and early is None:
        raise OddemoError("An export from an early checkpoint needs one.", expected="early")
    options: list[str | Path] = ["--out", folder, "--input-type", parts.input_type]
    options += ["--override", parts.override] if parts.override else []
    options += ["--checkpoint", early.absolute()] if parts.early and early is not None else []
    run_in_lane(made, ["export", detector.absolute(), *options], what="The export failed")
    if parts.names_swapped:
        swap_names(place / LABEL_MAP)
    return f"savedmodel:{place}" if parts.client is None else with_script(parts.client, place)


def _resizer(text: str) -> ODAPIParts:
    return ODAPIParts(_ssd(f"image_resizer {{ {text} }}"))


def _fixed(side: int) -> ODAPIParts:
    return _resizer(f"fixed_shape_resizer {{ height: {side} width: {side} }}")


_KEEP = "keep_aspect_ratio_resizer { min_dimension: 192 max_dimension: 192 pad_to_max_dimension: true }"
_SCALES = "y_scale: 1.0 x_scale: 1.0 height_scale: 1.0 width_scale: 1.0"

ODAPI_PLANTS: tuple[ODAPIPlant, ...] = (
    ODAPIPlant("input_size", "160", "The resizer was made smaller for speed before the export.", _fixed(160)),
    ODAPIPlant("input_size", "256", "The configuration of another size was at hand.", _fixed(256)),
    ODAPIPlant("aspect_ratio", "kept_by_export", "The export's resizer keeps the aspect ratio.", _resizer(_KEEP)),
    ODAPIPlant(
        "score_threshold", "0.4", "The threshold meant for display.", ODAPIParts(_suppress("score_threshold: 0.4"))
    ),
    ODAPIPlant("score_threshold", "0.17", "A threshold was set.", ODAPIParts(_suppress("score_threshold: 0.17"))),
    ODAPIPlant("nms_iou", "0.3", "Another overlap at the export.", ODAPIParts(_suppress("iou_threshold: 0.3"))),
    ODAPIPlant("nms_iou", "0.85", "Another overlap at the export.", ODAPIParts(_suppress("iou_threshold: 0.85"))),
    ODAPIPlant(
        "max_detections",
        "5",
        "Few detections are kept.",
        ODAPIParts(_suppress("max_detections_per_class: 5 max_total_detections: 5")),
    ),
    ODAPIPlant(
        "nms_kind", "class_agnostic", "Over all classes.", ODAPIParts(_suppress("use_class_agnostic_nms: true"))
    ),
    ODAPIPlant("nms_kind", "soft", "Soft suppression was switched on.", ODAPIParts(_suppress("soft_nms_sigma: 0.5"))),
    ODAPIPlant(
        "anchors",
        "scale_3",
        "The configuration at the export has other anchors.",
        ODAPIParts(_ssd("anchor_generator { multiscale_anchor_generator { anchor_scale: 3.0 } }")),
    ),
    ODAPIPlant(
        "box_coder",
        "no_scales",
        "The scales of the box coder were left out.",
        ODAPIParts(_ssd(f"box_coder {{ faster_rcnn_box_coder {{ {_SCALES} }} }}")),
    ),
    ODAPIPlant(
        "score_activation",
        "identity",
        "The export hands out logits as scores.",
        ODAPIParts("model { ssd { post_processing { score_converter: IDENTITY } } }"),
    ),
    ODAPIPlant("wrong_checkpoint", "early", "An early checkpoint was exported.", ODAPIParts(early=True)),
    ODAPIPlant("label_map", "names_swapped", "Another label map ships with it.", ODAPIParts(names_swapped=True)),
    ODAPIPlant(
        "normalization_twice",
        "client_first",
        "The script normalises, and the export does it again.",
        ODAPIParts(input_type="float_image_tensor", client="normalised_first"),
    ),
    ODAPIPlant(
        "channel_order",
        "opencv_client",
        "The script reads with OpenCV and keeps BGR.",
        ODAPIParts(client="opencv_bgr"),
        brings=("image_decode",),
    ),
    ODAPIPlant("image_decode", "pillow_client", "The script decodes with Pillow.", ODAPIParts(client="pillow_decode")),
    ODAPIPlant(
        "label_offset", "client_subtracts", "The script subtracts 1 from ids.", ODAPIParts(client="ids_from_zero")
    ),
    ODAPIPlant("box_order", "client_xyxy", "The script hands out x before y.", ODAPIParts(client="boxes_xyxy")),
    ODAPIPlant("box_scale", "client_input", "Boxes of the network's input.", ODAPIParts(client="boxes_of_input")),
    ODAPIPlant("exif_orientation", "client_turns", "The script turns pictures.", ODAPIParts(client="exif_turned")),
    ODAPIPlant("score_threshold", "client_filters", "Scores from 0.5 on.", ODAPIParts(client="only_confident")),
)
