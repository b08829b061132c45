"""The contract card of a TF-Vision detector's folder: its params.yaml says what the exporter will build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard, Fact
from oddemo.export.cards.checkpoint import checkpoint_prefix
from oddemo.export.cards.limits import MAX_CONFIG_BYTES, read_file
from oddemo.export.cards.weights import bundle_weights, summarise

#: What TF-Vision's code does to pixels, whatever the params say (official/vision/serving/detection.py).
_CODE = "TF-Vision's serving code, not this file"
_MEAN, _DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]

_NMS = {
    "v1": "non_max_suppression_padded_v2",
    "v2": "TF-Vision v2 (loop over tiles)",
    "batched": "CombinedNonMaxSuppression",
    "tflite": "TFLite_Detection_PostProcess",
}


def read_params(path: Path) -> dict[str, Any]:
    """Read a params.yaml, building nothing but plain values.

    Raises:
        OddemoError: If it is no YAML mapping, or needs more than plain values.
    """
    import yaml

    text = read_file(path, limit=MAX_CONFIG_BYTES)
    if b"<<" in text:
        raise OddemoError(f"{path} is not readable.", expected="plain YAML", found="merge keys (<<)")
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        params = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OddemoError(f"{path} is not readable.", expected="plain YAML", found=found) from None
    if not isinstance(params, dict):
        raise OddemoError(f"{path} is no configuration.", expected="a YAML mapping", found=type(params).__name__)
    return params


def _get(params: Any, *names: str) -> Any:
    for name in names:
        params = params.get(name) if isinstance(params, dict) else None
    return params


def detector_card(folder: Path) -> ContractCard:
    """Return the card of a folder with params.yaml and a checkpoint.

    Raises:
        OddemoError: If the params cannot be read or the checkpoint is not whole.
    """
    params = read_params(folder / "params.yaml")
    facts = params_facts(params)
    notes: list[str] = []
    weights = None
    try:
        weights = summarise(bundle_weights(checkpoint_prefix(folder)))
    except OddemoError as error:
        if not error.problem.endswith("holds no checkpoint."):
            raise
        notes.append("It holds no checkpoint.")
    return ContractCard(kind="tfvision", path=str(folder), facts=facts, weights=weights, notes=tuple(notes))


def params_facts(params: dict[str, Any]) -> dict[str, Fact]:
    """Return what TF-Vision's exporter will build from these params (RetinaNet and its like)."""
    model, parser = _get(params, "task", "model"), _get(params, "task", "train_data", "parser")
    generator = _get(model, "detection_generator")
    if not isinstance(model, dict) or not isinstance(generator, dict):
        return {}
    found: dict[str, Fact] = {}
    size = model.get("input_size")
    if isinstance(size, (list, tuple)) and len(size) >= 2 and all(isinstance(side, int) for side in size[:2]):
        found["network_size_hw_px"] = Fact(list(size[:2]), "task.model.input_size")
    classes = model.get("num_classes")
    if isinstance(classes, int):
        found["class_count"] = Fact(classes - 1, "task.model.num_classes", "without the background, class 0")
    keep = _get(parser, "keep_aspect_ratio")
    where = "task.train_data.parser.keep_aspect_ratio"
    if isinstance(keep, bool) or keep is None:
        note = None if keep is not None else "TF-Vision's default"
        found["aspect_ratio"] = Fact("stretched" if keep is False else "kept", where, note)
    found |= _code_facts(kept=keep is not False)
    found |= _generator_facts(generator)
    normalised = _get(params, "task", "export_config", "output_normalized_coordinates")
    where = "task.export_config.output_normalized_coordinates"
    found["coordinates"] = Fact("normalised" if normalised else "pixels of the network's frame", where)
    found["class_id_offset"] = Fact(1, _CODE)
    return found


def _code_facts(*, kept: bool) -> dict[str, Fact]:
    resize = {
        "op": "ResizeBilinear",
        "method": "bilinear",
        "align_corners": False,
        "half_pixel_centers": True,
        "antialias": False,
    }
    normalization = {"kind": "(pixel - mean) / deviation", "mean": _MEAN, "deviation": _DEVIATION}
    note = None if kept else "nothing to fill unless the size is no multiple of the coarsest stride"
    padding = {"op": "Pad", "value": 0, "sides": "bottom and right", "when": "after normalisation"}
    return {
        "normalization": Fact(normalization, _CODE),
        "resize": Fact(resize, _CODE),
        "padding": Fact(padding, _CODE, note),
        "preprocessing_order": Fact(["normalise", "resize", "pad"], _CODE),
        "score_activation": Fact("sigmoid", _CODE),
        "channel_order": Fact("used as given", _CODE),
    }


def _generator_facts(generator: dict[str, Any]) -> dict[str, Fact]:
    where = "task.model.detection_generator."
    found: dict[str, Fact] = {}
    if generator.get("apply_nms") is False:
        return {"nms_kind": Fact("none", f"{where}apply_nms")}
    version = generator.get("nms_version", "v2")
    if isinstance(version, str):
        found["nms_kind"] = Fact(_NMS.get(version, f"TF-Vision {version}"), f"{where}nms_version")
    for name, field in (
        ("score_threshold", "pre_nms_score_threshold"),
        ("nms_iou_threshold", "nms_iou_threshold"),
        ("max_detections", "max_num_detections"),
        ("pre_nms_top_k", "pre_nms_top_k"),
        ("soft_nms_sigma", "soft_nms_sigma"),
    ):
        value = generator.get(field)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = Fact(value, f"{where}{field}")
    if version != "v1":
        found.pop("soft_nms_sigma", None)
    if version == "batched":
        found.pop("pre_nms_top_k", None)
    return found
