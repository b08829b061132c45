"""Artefacts of the Object Detection API in lanes: what is foreseen of each, what became of it, and its own spread."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.odapi_artefacts import Artefact
from benchmarks.odapi_reading import Reading, read_in
from benchmarks.odapi_same import Compared, Limits, compare
from oddemo.audit.trace import Trace
from oddemo.data.records import Dataset
from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.loading import cells as loading
from oddemo.lanes.cache import Made
from oddemo.lanes.matrix import Cell
from oddemo.lanes.registry import LANES
from oddemo.lanes.running import run_in_lane

#: Of the detector, as in the cells.
MODEL = "inspection"
#: The same file in the lane that wrote it: once more, and with kernels and threads that change only the rounding.
AGAIN: Mapping[str, Mapping[str, str]] = {
    "again": {},
    "without_onednn": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one_thread": {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
}
#: TFLite's own kernels, without the delegates that it takes by itself.
PLAIN = "plain"
#: One lane for each TensorFlow, oldest first: the Keras beside it takes no part in what the API exports.
READERS = sorted(
    (lane.name for lane in LANES if re.fullmatch(r"tf\d+\.\d+", lane.name)),
    key=lambda name: int(name.rpartition(".")[2]),
)


class Reader:
    """Reads artefacts in lanes, each once.

    Args:
        detector: With pipeline.config and checkpoint.
        dataset: The pictures.
        lanes: By name.
        places: Of the artefacts.
        work: Where recordings are kept.
    """

    def __init__(
        self, detector: Path, dataset: Dataset, lanes: dict[str, Made], places: dict[Artefact, Path], work: Path
    ) -> None:
        self._lanes, self._places, self._work = lanes, places, work
        self._pictures = dataset.root
        self._limits, self._sizes = limits_of(detector), sizes_of(dataset)
        self._pixels = work / "trained.npz"
        if not self._pixels.is_file():
            command: list[str | Path] = ["record", detector, "--images", dataset.root, "--out", self._pixels]
            run_in_lane(lanes["odapi"], command, what="The trained detector cannot be recorded")

    def read(self, artefact: Artefact, lane: str, setting: str = "") -> Reading:
        """Return what a lane makes of an artefact; a setting is one of `AGAIN`, or `PLAIN` for TFLite."""
        out = self._work / "seen" / artefact.name / f"{lane}{setting and '-' + setting}.npz"
        out.parent.mkdir(parents=True, exist_ok=True)
        place = self._places[artefact]
        command: list[str | Path] = ["record-savedmodel", place]
        if not artefact.input_type:  # a TFLite file takes what the network sees
            command = ["record-tflite", place, "--pixels", self._pixels]
        if setting == PLAIN:
            command.append("--without-delegates")
        settings = AGAIN.get(setting, {})
        return read_in(self._lanes[lane], [*command, "--images", self._pictures], place, out, settings=settings)

    def spread(self, artefact: Artefact) -> dict[str, dict[str, Any]]:
        """Return setting → how far a file is from itself in the lane that wrote it; nothing if it fails there."""
        own = self.read(artefact, artefact.writer).trace
        found = {}
        for name in AGAIN if own is not None else ():
            again = self.read(artefact, artefact.writer, name).trace
            assert own is not None
            assert again is not None, f"{artefact.name} ran once in its own lane, and not {name}"
            found[name] = asdict(self._compared(own, again))
        return found

    def cell(self, artefact: Artefact, lane: str, foreseen: list[str | None]) -> dict[str, Any]:
        """Return what became of an artefact in a lane, beside what was foreseen."""
        own, read = self.read(artefact, artefact.writer).trace, self.read(artefact, lane)
        place = (MODEL, artefact.name, artefact.writer, lane)
        predicted, because = foreseen
        if read.trace is None:
            cell = Cell(*place, read.outcome, None, read.error, predicted, because)
            return asdict(cell) | {"compared": None}
        if own is None:
            cell = Cell(*place, "changed", None, "it fails in the lane that wrote it", predicted, because)
            return asdict(cell) | {"compared": None}
        found = self._compared(own, read.trace)
        outcome = "same" if found.same else "changed"
        cell = Cell(*place, outcome, max(found.box, found.score), None, predicted, because)
        return asdict(cell) | {"compared": asdict(found)}

    def plain(self, artefact: Artefact) -> dict[str, dict[str, Any]]:
        """Return lane → how far a TFLite file is there from itself in the lane that wrote it; both without delegates.

        Raises:
            OddemoError: If it does not run somewhere.
        """
        own, found = self.read(artefact, artefact.writer, PLAIN), {}
        for lane in READERS:
            read = self.read(artefact, lane, PLAIN)
            if own.trace is None or read.trace is None:
                raise OddemoError(
                    f"{artefact.name} does not run without delegates.", found=str(own.error or read.error)
                )
            found[lane] = asdict(self._compared(own.trace, read.trace))
        return found

    def _compared(self, one: Trace, other: Trace) -> Compared:
        return compare(one, other, self._limits, self._sizes)


def foresee(places: dict[Artefact, Path], lanes: dict[str, Made]) -> dict[str, Any]:
    """Return artefact → lane → outcome and why, from the files alone, and what stands for the rules and tables."""
    found: dict[str, Any] = {
        one.name: {name: loading.foresee(one.format, place, lanes[name].versions) for name in READERS}
        for one, place in places.items()
    }
    digest = hashlib.sha256()
    folder = Path(loading.__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".json", ".txt")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found | {"rules_sha256": digest.hexdigest()}


def limits_of(detector: Path) -> Limits:
    """Return where a detector's lists end, from its card."""
    card = read_card(detector)
    return Limits(int(card.value("max_detections")), float(card.value("score_threshold")))


def sizes_of(dataset: Dataset) -> dict[str, tuple[int, int]]:
    """Return name of each picture → its height and width in pixels."""
    return {record.file_name: record.image_size_hw_px for record in dataset.records}
