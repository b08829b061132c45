"""`tflite:FILE`: a TFLite file, run by LiteRT and tapped inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from oddemo.audit.compare import compare_stage
from oddemo.audit.images import ImageSet
from oddemo.audit.preprocessing import PixelBatch
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.interpreter import TappedInterpreter
from oddemo.audit.sources.labels import labels_beside
from oddemo.audit.sources.running import dense_of, detections_of, prepare
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError
from oddemo.provenance import package_versions


class TFLiteSource:
    """A TFLite detector whose one input is the network's own: (1, height, width, 3), preprocessed by the caller.

    Args:
        file: The .tflite file.

    Attributes:
        file: As given.
        labels: Names in the label map beside it, if there is one.
    """

    def __init__(self, file: Path) -> None:
        self.file = Path(file)
        self.labels = labels_beside(self.file)
        self._interpreter = TappedInterpreter(self.file)

    @property
    def spec(self) -> str:
        """`tflite:FILE`."""
        return f"tflite:{self.file}"

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:
        """Run on the pictures; see `Source`.

        Raises:
            OddemoError: If no `caller` says how to preprocess, or its outputs cannot be read.
        """
        images = pictures.decode()
        batch = prepare(images, caller, self._interpreter.input_size_hw, self.spec)
        arrays = self._interpreter.run_all(batch.pixels)
        trace = Trace(
            source=self.spec,
            image_names=pictures.names,
            images=images,
            dense=dense_of(arrays),
            detections=detections_of(arrays, images, batch, self.spec),
            labels=self.labels,
            provenance={
                "versions": package_versions(),
                "notes": list(self._interpreter.taps.notes),
                "quantization": self._interpreter.quantization,
                "batches": [[number] for number in range(len(images))],
            },
        )
        told = self._with_delegates(trace, batch)
        return replace(trace, provenance={**trace.provenance, "notes": [*self._interpreter.taps.notes, *told]})

    def _with_delegates(self, plain: Trace, batch: PixelBatch) -> list[str]:
        """Say what an audit does not show: that the same file finds something else with LiteRT's own delegates.

        Float kernels are the same in both but for their last digits; those that compute with 8-bit numbers are not.
        """
        if self._interpreter.quantization == "none":
            return []
        try:
            arrays = TappedInterpreter(self.file, delegates=True).run_all(batch.pixels)
            found = detections_of(arrays, plain.images, batch, self.spec)
        except (OddemoError, RuntimeError, ValueError) as error:
            said = str(error).strip().splitlines()[0][:200]
            return [f"run without delegates; with those that LiteRT takes by itself here, it does not run: {said}"]
        ends = [replace(plain, dense={}, detections=detections) for detections in (plain.detections, found)]
        result = compare_stage("detections", *ends)
        if result.status != "differs":
            return []
        return [
            "run without delegates; with those that LiteRT takes by itself here (XNNPACK) the same file says something "
            f"else in {result.differing_images} of {len(plain.image_names)} pictures: record it where it is deployed"
        ]
