"""The contract card of an Object Detection API folder: its pipeline.config says what the exporter will build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard, Fact
from oddemo.export.cards.checkpoint import checkpoint_prefix
from oddemo.export.cards.limits import MAX_CONFIG_BYTES, read_file
from oddemo.export.cards.text_proto import parse_text_proto
from oddemo.export.cards.weights import bundle_weights, summarise

_METHODS = {"BILINEAR": "bilinear", "NEAREST_NEIGHBOR": "nearest", "BICUBIC": "bicubic", "AREA": "area"}
_CODE = "the exporter's code, not this file"


def _one(block: Any, *names: str) -> Any:
    """Return the last value of a nested field, None if it is absent."""
    for name in names:
        values = block.get(name) if isinstance(block, dict) else None
        block = values[-1] if isinstance(values, list) and values else None
    return block


def odapi_card(folder: Path) -> ContractCard:
    """Return the card of a folder with pipeline.config, and a checkpoint if there is one.

    Raises:
        OddemoError: If the configuration cannot be read or the checkpoint is not whole.
    """
    path = folder / "pipeline.config"
    try:
        config = parse_text_proto(read_file(path, limit=MAX_CONFIG_BYTES).decode("utf-8", "replace"))
    except OddemoError as error:
        raise OddemoError(f"{path}: {error.problem}", expected=error.expected, found=error.found) from None
    model = _one(config, "model")
    kind = next(iter(model), None) if isinstance(model, dict) else None
    facts = config_facts(_one(model, kind), f"model.{kind}") if kind is not None else {}
    notes = []
    if _one(config, "train_config", "optimizer", "use_moving_average") != "false":
        notes.append("Training keeps moving averages of the weights (use_moving_average): two sets of weights exist.")
    weights = None
    for place in (folder, folder / "checkpoint"):
        if weights is None and place.is_dir() and any(place.glob("*.index")):
            weights = summarise(bundle_weights(checkpoint_prefix(place)))
    return ContractCard(kind="odapi", path=str(folder), facts=facts, weights=weights, notes=tuple(notes))


def config_facts(model: Any, where: str) -> dict[str, Fact]:
    """Return what the exporter will build from the model's part of a pipeline.config."""
    found = _resizer_facts(_one(model, "image_resizer"), f"{where}.image_resizer")
    classes = _one(model, "num_classes")
    if isinstance(classes, int):
        found["class_count"] = Fact(classes, f"{where}.num_classes")
    post, stage = _one(model, "post_processing"), f"{where}.post_processing"
    if post is None:
        post, stage = _one(model, "second_stage_post_processing"), f"{where}.second_stage_post_processing"
    nms = _one(post, "batch_non_max_suppression")
    for name, field in (
        ("score_threshold", "score_threshold"),
        ("nms_iou_threshold", "iou_threshold"),
        ("max_detections", "max_total_detections"),
        ("soft_nms_sigma", "soft_nms_sigma"),
    ):
        value = _one(nms, field)
        if isinstance(value, (int, float)):
            found[name] = Fact(value, f"{stage}.batch_non_max_suppression.{field}")
    converter = _one(post, "score_converter")
    if isinstance(converter, str):
        value = {"IDENTITY": "none"}.get(converter, converter.lower())
        found["score_activation"] = Fact(value, f"{stage}.score_converter")
    coder = _one(model, "box_coder", "faster_rcnn_box_coder")
    scales = [_one(coder, name) for name in ("y_scale", "x_scale", "height_scale", "width_scale")]
    if all(isinstance(scale, (int, float)) for scale in scales):
        found["box_coder_scales"] = Fact([float(scale) for scale in scales], f"{where}.box_coder")
    found["coordinates"] = Fact("normalised", _CODE)
    found["class_id_offset"] = Fact(1, _CODE)
    return found


def _resizer_facts(resizer: Any, where: str) -> dict[str, Fact]:
    fixed, ratio = _one(resizer, "fixed_shape_resizer"), _one(resizer, "keep_aspect_ratio_resizer")
    block, name = (fixed, "fixed_shape_resizer") if fixed is not None else (ratio, "keep_aspect_ratio_resizer")
    if block is None:
        return {}
    where = f"{where}.{name}"
    method = str(_one(block, "resize_method") or "BILINEAR")
    found = {"aspect_ratio": Fact("stretched" if fixed is not None else "kept", where)}
    found["resize"] = Fact({"method": _METHODS.get(method, method)}, f"{where}.resize_method")
    if fixed is not None:
        size = [_one(block, "height"), _one(block, "width")]
        found["padding"] = Fact({"op": "none"}, where)
    else:
        size = [_one(block, "max_dimension")] * 2
        padded = _one(block, "pad_to_max_dimension") == "true"
        if not padded:
            size = [None, None]
            found["padding"] = Fact({"op": "none"}, where)
        else:
            value = _one(block, "per_channel_pad_value") or 0
            found["padding"] = Fact(
                {"op": "Pad", "value": value, "sides": "bottom and right", "when": "after normalisation"}, where
            )
    if all(isinstance(side, int) for side in size):
        found["network_size_hw_px"] = Fact(size, where)
    return found
