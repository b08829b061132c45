"""The stages of a detection pipeline, in order, and the numbers below which two of them count as equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: From file bytes to label. `image`: decoded uint8 RGB. `pixels`: the tensor that enters the first convolution.
#: `features`: feature maps of backbone and decoder. `heads`: raw class logits and box encodings. `decoded`: boxes and
#: scores before non-maximum suppression. `detections`: what is left after it. `labels`: their names.
STAGES = ("image", "pixels", "features", "heads", "decoded", "detections", "labels")


def stage_index(stage: str) -> int:
    """Return the place of a stage in the pipeline, 0 for `image`."""
    return STAGES.index(stage)


@dataclass(frozen=True)
class Tolerance:
    """How far two arrays of one stage may be apart: `|a - b| <= absolute + relative * |reference|`."""

    absolute: float
    relative: float = 0.0


#: Measured on faithful exports: float32 noise is 10 to 1000 times smaller than each of these, and the weakest planted
#: fault that moves a detection is larger. Pixels are in normalised units (a grey level is about 0.017 of them), decoded
#: boxes in pixels of the network's frame, detections in pixels of the picture.
TOLERANCES: Mapping[str, Tolerance] = MappingProxyType(
    {
        "image": Tolerance(0.0),
        "pixels": Tolerance(1e-3),
        "features": Tolerance(5e-3, 1e-3),
        "heads": Tolerance(5e-3, 1e-3),
        "decoded/boxes_yxyx": Tolerance(0.05),
        "decoded/scores": Tolerance(1e-3),
        "detections/boxes_yxyx_px": Tolerance(0.25),
        "detections/scores": Tolerance(1e-3),
    }
)


def tolerance_for(stage: str, array: str) -> Tolerance:
    """Return the tolerance of one array of a stage."""
    return TOLERANCES.get(f"{stage}/{array}") or TOLERANCES[stage]
