"""`tfvision:DIR`: a trained detector, run by tf-models-official itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from oddemo.audit.bench_tfvision import TFVisionBench
from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import BATCH, network_stages
from oddemo.audit.networks import OtherNetwork, other_networks
from oddemo.audit.postprocessing import canonical
from oddemo.audit.settings import Preprocessing
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections
from oddemo.provenance import package_versions


class TFVisionSource:
    """A detector folder, run with its own preprocessing, network and detection generator.

    Args:
        folder: params.yaml, checkpoint, label map.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.bench = TFVisionBench(self.folder)
        self._traces: WeakKeyDictionary[ImageSet, Trace] = WeakKeyDictionary()

    @property
    def spec(self) -> str:
        """`tfvision:DIR`."""
        return f"tfvision:{self.folder}"

    def other_networks(
        self, candidate: Any, pictures: ImageSet, reference: Trace, seen: Trace
    ) -> tuple[OtherNetwork, ...]:
        """Return the networks that the candidate may run in place of this one; see `Reference`."""
        return other_networks(self.bench, candidate, pictures, reference, seen)

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:  # noqa: ARG002
        """Run on the pictures, once for any number of candidates: a set keeps what it decoded; see `Source`."""
        if pictures not in self._traces:
            self._traces[pictures] = self._run(pictures)
        return self._traces[pictures]

    def _run(self, pictures: ImageSet) -> Trace:
        detector = self.bench.detector
        images = pictures.decode()
        parts: dict[str, dict[str, list[np.ndarray]]] = {}
        detections: list[Detections] = []
        for start in range(0, len(images), BATCH):
            chunk = images[start : start + BATCH]
            prepared = [detector.preprocess(image) for image in chunk]
            pixels = np.stack([array for array, _ in prepared])
            image_info = np.stack([info for _, info in prepared])
            features, class_logits, box_encodings = detector.run_network(pixels)
            heads = (class_logits, box_encodings)
            stages = network_stages(features, *heads)
            boxes, scores = detector.decode(heads, image_info)
            stages |= {"pixels": {"pixels": pixels}, "decoded": {"boxes_yxyx": boxes, "scores": scores}}
            for stage, arrays in stages.items():
                for name, array in arrays.items():
                    parts.setdefault(stage, {}).setdefault(name, []).append(array)
            for image, found in zip(chunk, detector.detections_from_heads(heads, image_info), strict=True):
                size = np.array(image.shape[:2])
                detections.append(canonical(found.boxes_yxyx_px, found.scores, found.class_ids, size))
        return Trace(
            source=self.spec,
            image_names=pictures.names,
            images=images,
            dense={
                stage: {name: np.concatenate(arrays) for name, arrays in members.items()}
                for stage, members in parts.items()
            },
            detections=tuple(detections),
            labels=self.bench.labels,
            provenance={"versions": package_versions()},
        )
