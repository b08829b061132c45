"""The reference on the bench: a trained detector that can be run with any of its settings changed.

This is what makes a diagnosis more than a guess. A hypothesis about the candidate is a changed `Settings`; the bench
runs the reference that way, and if the difference to the candidate is gone, the hypothesis is the cause.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import Arrays, taken_from
from oddemo.audit.postprocessing import Decoded, decode_heads, detect
from oddemo.audit.preprocessing import PixelBatch, finish_images, resize_images, resizing_of
from oddemo.audit.settings import Network, Preprocessing, Settings
from oddemo.audit.stages import stage_index
from oddemo.audit.trace import Trace
from oddemo.data.records import Detections

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")

#: How many stage results are kept for the next hypothesis that shares them.
KEPT = 32


class Bench(ABC):
    """A trained detector whose stages can be run one by one, under any settings; its kind says how its network runs.

    Args:
        folder: Detector folder.
        labels: Name of each class id, from id 1.
        settings: What it does around its network.

    Attributes:
        folder: As given.
        labels: As given.
        settings: As given.
        shown_size_hw: Height and width of the candidate's network input, where it shows that.
    """

    shown_size_hw: tuple[int, int] | None = None
    #: Word before the folder in a source's name.
    kind: str

    def __init__(self, folder: Path, labels: tuple[str, ...], settings: Settings) -> None:
        self.folder, self.labels, self.settings = Path(folder), labels, settings
        self._spliced: dict[str, Trace] = {}
        self._known_anchors: dict[tuple[tuple[int, int], float | None], NDArray[np.float32]] = {}
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    @abstractmethod
    def _run(self, pixels: NDArray[np.float32], pictures: ImageSet, network: Network) -> Mapping[str, Arrays]:
        """Run a network that is this detector's own in some form; see `network`."""

    @abstractmethod
    def _anchors(self, frame_hw: tuple[int, int], anchor_size: float | None) -> NDArray[np.float32]:
        """Return (anchors, 4) yxyx in pixels of the network's frame; see `Postprocessing.anchor_size`."""

    def add_spliced(self, name: str, trace: Trace) -> None:
        """Make another source's own features and heads known under a name that `Network.spliced` can take."""
        self._spliced[name] = trace
        self._drop_runs(lambda network: network.spliced == name)

    def _drop_runs(self, outdated: Callable[[Network], bool]) -> None:
        """Drop the results of networks whose name stood for another one before."""
        runs = [key for key in self._kept if key[0] == "network" and outdated(key[-1])]
        for key in runs:
            del self._kept[key]

    def forget(self) -> None:
        """Drop the stage results that are kept for hypotheses to come."""
        self._kept.clear()

    def images(self, pictures: ImageSet, pre: Preprocessing) -> tuple[NDArray[np.uint8], ...]:
        """Decode the pictures the way the settings say."""
        key = ("images", pictures.key, pre.orientation, pre.decoder)
        return self._keep(key, lambda: pictures.decode(orientation=pre.orientation, decoder=pre.decoder))

    def pixels(self, pictures: ImageSet, pre: Preprocessing) -> PixelBatch:
        """Return the tensor that enters the first convolution."""
        return self._keep(("pixels", pictures.key, pre), lambda: self._pixels(pictures, pre))

    def _pixels(self, pictures: ImageSet, pre: Preprocessing) -> PixelBatch:
        """Hypotheses about normalisation and padding share what was resized."""
        images, resizing = self.images(pictures, pre), resizing_of(pre)
        resized = self._keep(("resized", pictures.key, resizing), lambda: resize_images(images, resizing))
        return finish_images(images, resized, pre)

    def network(self, pictures: ImageSet, settings: Settings) -> Mapping[str, Arrays]:
        """Run the network.

        Returns:
            `features`, level from `0` for the finest → (pictures, h, w, filters), where this kind shows them, and
            `heads`: `class_logits` (pictures, anchors, 1 + classes) and `box_encodings` (pictures, anchors, 4).
        """
        key = ("network", pictures.key, settings.pre, settings.network)
        return self._keep(key, lambda: self._network(pictures, settings))

    def _network(self, pictures: ImageSet, settings: Settings) -> Mapping[str, Arrays]:
        pixels, network = self.pixels(pictures, settings.pre).pixels, settings.network
        return (
            taken_from(self._spliced[network.spliced], pictures)
            if network.spliced
            else self._run(pixels, pictures, network)
        )

    def heads(self, pictures: ImageSet, settings: Settings) -> Arrays:
        """Return the `heads` of `network`."""
        return self.network(pictures, settings)["heads"]

    def decoded(self, pictures: ImageSet, settings: Settings) -> Decoded:
        """Return boxes and scores before suppression."""
        heads = self.heads(pictures, settings)
        anchors, frame = self._anchors_for(settings), settings.pre.input_size_hw
        return decode_heads(heads["class_logits"], heads["box_encodings"], anchors, frame, settings.post)

    def can_run(self, settings: Settings) -> bool:
        """Say whether settings fit together, and can be tried in time.

        Another source's heads are of one input size, and so is a conversion, which takes seconds: one is made for the
        candidate's size where that is seen, and for none that is only guessed.
        """
        network, size_hw = settings.network, settings.pre.input_size_hw
        if network.spliced:
            heads = self._spliced[network.spliced].dense["heads"]
            return bool(heads["box_encodings"].shape[1] == len(self._anchors_for(settings)))
        return network.quantization == "none" or size_hw in (self.settings.pre.input_size_hw, self.shown_size_hw)

    def _anchors_for(self, settings: Settings) -> NDArray[np.float32]:
        asked = (settings.pre.input_size_hw, settings.post.anchor_size)
        if asked not in self._known_anchors:
            self._known_anchors[asked] = self._anchors(*asked)
        return self._known_anchors[asked]

    def trace(
        self, pictures: ImageSet, settings: Settings, *, upto: str = "labels", stages: Sequence[str] | None = None
    ) -> Trace:
        """Run the reference under changed settings.

        Args:
            pictures: What to run on.
            settings: How to run.
            upto: Last stage that is wanted.
            stages: The dense stages to keep in the trace; all up to `upto` if not given.
        """
        last = stage_index(upto)
        wanted = set(stages) if stages is not None else {"pixels", "features", "heads", "decoded"}
        dense: dict[str, Arrays] = {}
        batch = self.pixels(pictures, settings.pre)
        if "pixels" in wanted:
            dense["pixels"] = {"pixels": batch.pixels}
        for stage in ("features", "heads"):
            if last >= stage_index(stage) and stage in wanted:
                shown = self.network(pictures, settings)
                dense |= {stage: shown[stage]} if stage in shown else {}
        detections = []
        if last >= stage_index("decoded"):
            decoded = self.decoded(pictures, settings)
            if "decoded" in wanted:
                dense["decoded"] = {"boxes_yxyx": decoded.boxes_yxyx, "scores": decoded.scores}
            if last >= stage_index("detections"):
                detections = self._found(pictures, decoded, settings)
        return Trace(
            source=f"{self.kind}:{self.folder}",
            image_names=pictures.names,
            images=self.images(pictures, settings.pre),
            dense=dense,
            detections=tuple(detections),
            labels=self.labels,
        )

    def suppressed(self, pictures: ImageSet, decoded: Arrays, settings: Settings) -> list[Detections]:
        """Threshold and suppress boxes and scores that came from elsewhere.

        Args:
            pictures: The pictures that they belong to.
            decoded: `boxes_yxyx` (pictures, anchors, 4), network's frame, and `scores` (pictures, anchors, classes).
            settings: How.
        """
        return self._found(pictures, Decoded(decoded["boxes_yxyx"], decoded["scores"]), settings)

    def _found(self, pictures: ImageSet, decoded: Decoded, settings: Settings) -> list[Detections]:
        batch = self.pixels(pictures, settings.pre)
        if settings.pre.orientation == "stored":
            return detect(decoded, batch, settings.pre.input_size_hw, settings.post)
        # The candidate's boxes are clipped to the picture as it is stored: nobody was told that it turned it.
        stored = np.array([image.shape[:2] for image in pictures.decode()], dtype=np.int64)
        return detect(decoded, batch, settings.pre.input_size_hw, settings.post, stored_sizes_hw_px=stored)

    def _keep(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        made: Made = self._kept[key]
        return made
