"""A tf-models-official network under other weights, in training mode, or quantised; what another source's gave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Network
from oddemo.audit.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from oddemo.audit.quantized import QuantizedNetwork
    from oddemo.detect.detector import Detector

Arrays = Mapping[str, NDArray[Any]]

#: Pictures that go through the network together.
BATCH = 16


class NetworkRuns:
    """Runs a detector's network as a `Network` says.

    Args:
        folder: Detector folder.
        detector: The detector as it was trained.
    """

    def __init__(self, folder: Path, detector: Detector) -> None:
        self._folder, self._own = folder, detector
        self._variants: dict[tuple[tuple[int, int], str, bool], Detector] = {}
        self._twins: dict[tuple[tuple[int, int], str], QuantizedNetwork] = {}
        self._weights: dict[str, Callable[[Detector], None]] = {}

    def add_weights(self, name: str, assign: Callable[[Detector], None]) -> None:
        """Make another set of weights known; a name may come to stand for others than before."""
        self._weights[name] = assign
        self._variants = {key: kept for key, kept in self._variants.items() if key[1] != name}

    def run(self, pixels: NDArray[np.float32], network: Network) -> Mapping[str, Arrays]:
        """Run a network.

        Args:
            pixels: (pictures, h, w, 3) network inputs.
            network: Which weights, and how.

        Returns:
            The stages `features` and `heads`; see `network_stages`.
        """
        size_hw = (pixels.shape[1], pixels.shape[2])
        if network.quantization != "none":
            return self._quantized(size_hw, network.quantization).run(pixels)
        detector = self._detector(size_hw, network)
        batches = network.batches or tuple(batches_of(len(pixels)))
        runs = [
            network_stages(*detector.run_network(pixels[list(batch)], training_mode=network.training_mode))
            for batch in batches
        ]
        restore = np.argsort([index for batch in batches for index in batch])
        return {
            stage: {name: np.concatenate([run[stage][name] for run in runs])[restore] for name in arrays}
            for stage, arrays in runs[0].items()
        }

    def _quantized(self, size_hw: tuple[int, int], kind: str) -> QuantizedNetwork:
        from oddemo.audit.quantized import QuantizedNetwork

        if (size_hw, kind) not in self._twins:
            other = None if size_hw == self._own.input_size_hw else size_hw
            self._twins[size_hw, kind] = QuantizedNetwork(self._folder, kind, size_hw=other)
        return self._twins[size_hw, kind]

    def _detector(self, size_hw: tuple[int, int], network: Network) -> Detector:
        from oddemo.detect.detector import load_detector

        if size_hw == self._own.input_size_hw and network.weights == "reference" and not network.training_mode:
            return self._own
        key = (size_hw, network.weights, network.training_mode)
        if key not in self._variants:
            detector = load_detector(self._folder, overrides={"task.model.input_size": [*size_hw, 3]})
            if network.weights != "reference":
                self._weights[network.weights](detector)
            self._variants[key] = detector
        return self._variants[key]


def taken_from(trace: Trace, pictures: ImageSet) -> Mapping[str, Arrays]:
    """Return the features and heads that a trace holds of some of its pictures."""
    rows = [trace.image_names.index(name) for name in pictures.names]
    stages = {stage: trace.dense[stage] for stage in ("features", "heads") if stage in trace.dense}
    return {stage: {name: array[rows] for name, array in arrays.items()} for stage, arrays in stages.items()}


def batches_of(count: int) -> list[tuple[int, ...]]:
    """Return the numbers of `count` pictures, in groups that go through the network together."""
    return [tuple(range(start, min(start + BATCH, count))) for start in range(0, count, BATCH)]


def network_stages(features: Arrays, class_logits: Arrays, box_encodings: Arrays) -> dict[str, dict[str, NDArray[Any]]]:
    """Return what a network gives as the stages `features` and `heads` of a trace.

    Args:
        features: Level → (pictures, h, w, filters).
        class_logits: Level → (pictures, h, w, anchors * (1 + classes)).
        box_encodings: Level → (pictures, h, w, anchors * 4).
    """
    levels = sorted(features, key=int)
    numbered = {str(number): features[level] for number, level in enumerate(levels)}
    return {"features": numbered, "heads": flatten_heads(class_logits, box_encodings)}


def flatten_heads(class_logits: Arrays, box_encodings: Arrays) -> dict[str, NDArray[np.float32]]:
    """Join the levels of a pyramid: finest first, then row, column, anchor.

    Args:
        class_logits: Level → (pictures, h, w, anchors * (1 + classes)).
        box_encodings: Level → (pictures, h, w, anchors * 4).
    """
    levels = sorted(box_encodings, key=int)
    joined: dict[str, NDArray[np.float32]] = {}
    anchors = [box_encodings[level].shape[-1] // 4 for level in levels]
    for name, heads in (("class_logits", class_logits), ("box_encodings", box_encodings)):
        parts = []
        for level, count in zip(levels, anchors, strict=True):
            array = heads[level]
            parts.append(array.reshape(len(array), -1, array.shape[-1] // count))
        joined[name] = np.concatenate(parts, axis=1)
    return joined
