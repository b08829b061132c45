"""What simpler tools can say about the same pair of traces: the baselines of the fault benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddemo.audit.stages import tolerance_for
from oddemo.audit.trace import Trace
from oddemo.audit.verdict import DeltaMap


@dataclass(frozen=True)
class Opinion:
    """What a tool says: does it raise an alarm, at which stage, and which causes does it name, first one first."""

    alarm: bool
    stage: str | None
    causes: tuple[str, ...] = ()


def final_outputs_allclose(reference: Trace, candidate: Trace) -> Opinion:
    """Compare the lists of detections slot by slot, as `np.allclose` does; names no cause."""
    for first, second in zip(reference.detections, candidate.detections, strict=True):
        arrays = (
            (first.boxes_yxyx_px, second.boxes_yxyx_px, tolerance_for("detections", "boxes_yxyx_px")),
            (first.scores, second.scores, tolerance_for("detections", "scores")),
        )
        for a, b, tolerance in arrays:
            if a.shape != b.shape or not np.allclose(a, b, rtol=0, atol=tolerance.absolute):
                return Opinion(True, "detections")
        if not np.array_equal(first.class_ids, second.class_ids):
            return Opinion(True, "detections")
    return Opinion(False, None)


def layers_allclose(reference: Trace, candidate: Trace, same_input: bool) -> Opinion:
    """Compare the network's tensors given one input tensor, as layer tools do; blind before it and after suppression.

    Args:
        reference: Trace of the reference.
        candidate: Trace of the candidate.
        same_input: Whether both were in fact fed the same tensor; layer tools see to it, so where preprocessing differs
            they would find the layers equal.
    """
    if not same_input:
        return Opinion(False, None)
    for stage in ("heads", "decoded"):
        if stage in reference.dense and stage in candidate.dense:
            for name, first in reference.dense[stage].items():
                second = candidate.dense[stage][name]
                tolerance = tolerance_for(stage, name)
                close = first.shape == second.shape and np.allclose(
                    first, second, rtol=tolerance.relative, atol=tolerance.absolute
                )
                if not close:
                    return Opinion(True, stage)
    return Opinion(False, None)


def input_assertions(reference: Trace, candidate: Trace) -> Opinion:
    """Run ML-EXray's three kinds of assertion, all of them: channel order, orientation, normalisation.

    Each looks at the tensors that enter the networks: does turning the channels, turning the picture, or a straight
    line through the values bring them together?
    """
    if "pixels" not in reference.dense or "pixels" not in candidate.dense:
        return Opinion(False, None)
    first, second = reference.dense["pixels"]["pixels"], candidate.dense["pixels"]["pixels"]
    limit = tolerance_for("pixels", "pixels").absolute
    if first.shape == second.shape and np.allclose(first, second, rtol=0, atol=limit):
        return Opinion(False, None)
    named = []
    if first.shape == second.shape:
        spread = float(second.std()) + 1e-9
        # Turned channels of normalised values agree up to the normalisation of each channel.
        if _line_explains(first[..., ::-1], second, spread) and not _line_explains(first, second, spread):
            named.append("channel_order")
        if any(np.allclose(np.rot90(first, turns, axes=(1, 2)), second, atol=0.05) for turns in (1, 2, 3)):
            named.append("exif_orientation")
        if _line_explains(first, second, spread):
            gain = np.polyfit(first[..., 0].ravel()[::97], second[..., 0].ravel()[::97], 1)[0]
            named.append("normalization_missing" if abs(gain) > 10 else "normalization_constants")
    return Opinion(True, "pixels", tuple(named))


def _line_explains(first: np.ndarray, second: np.ndarray, spread: float) -> bool:
    for channel in range(3):
        x, y = first[..., channel].ravel()[::29].astype(np.float64), second[..., channel].ravel()[::29]
        inside = np.abs(x) > 1e-6
        if inside.sum() < 100:
            return False
        gain, offset = np.polyfit(x[inside], y[inside], 1)
        if np.abs(gain * x[inside] + offset - y[inside]).max() > 0.02 * spread + 1e-6:
            return False
    return True


def delta_map_alone(delta: DeltaMap) -> Opinion:
    """Raise an alarm when the interval of the change in mAP leaves 0 out; names neither stage nor cause."""
    return Opinion(not delta.low <= 0.0 <= delta.high, None)
