"""Everything that a signature's flow tells about a detector."""

from __future__ import annotations

from oddemo.export.cards.card import Fact, Signature, TensorSpec
from oddemo.export.cards.flow import AnyFlow
from oddemo.export.cards.folding import Folder
from oddemo.export.cards.nms import find_nms
from oddemo.export.cards.outputs import OutputReader
from oddemo.export.cards.pixel_path import find_pixel_path
from oddemo.export.cards.pixels import PixelReader


def flow_facts(flow: AnyFlow, signature: Signature) -> dict[str, Fact]:
    """Return fact name → fact of one signature."""
    folder = Folder(flow)
    found: dict[str, Fact] = {}
    path = find_pixel_path(flow)
    if path is not None:
        found |= PixelReader(flow, path, folder).facts()
    nms = find_nms(flow, folder)
    found |= nms.facts
    found |= OutputReader(flow, folder, nms).facts()
    return found | signature_facts(signature, found)


def signature_facts(signature: Signature, found: dict[str, Fact]) -> dict[str, Fact]:
    """Return what the shapes of a signature's outputs tell besides."""
    outputs = {spec.name: spec for spec in signature.outputs}
    more: dict[str, Fact] = {}
    limit = _size(outputs.get("detection_scores"), 1, 2)
    if limit is not None:
        more["max_detections"] = Fact(limit, f"output detection_scores of {signature.name}")
    if "nms_kind" not in found and "decoded_boxes" in outputs:
        more["nms_kind"] = Fact("none", f"outputs of {signature.name}", "boxes come out before suppression")
    if "class_count" not in found:
        for name, background in (("detection_multiclass_scores", 1), ("decoded_box_scores", 0)):
            columns = _size(outputs.get(name), 2, 3)
            if columns is not None:
                note = "one of its columns is the background" if background else None
                more["class_count"] = Fact(columns - background, f"output {name} of {signature.name}", note)
                break
    return more


def _size(spec: TensorSpec | None, axis: int, rank: int) -> int | None:
    if spec is None or spec.shape is None or len(spec.shape) != rank:
        return None
    return spec.shape[axis]
