"""`odapi:DIR`: a detector of the TF2 Object Detection API, run by the API itself in its lane."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from oddemo.audit.bench_odapi import ODAPIBench
from oddemo.audit.images import ImageSet
from oddemo.audit.networks import OtherNetwork
from oddemo.audit.networks_odapi import other_networks
from oddemo.audit.settings import Preprocessing
from oddemo.audit.trace import Trace, load_trace
from oddemo.errors import OddemoError
from oddemo.lanes.running import made_lane, run_in_lane

LANE = "odapi"
CONFIG = "pipeline.config"


class ODAPISource:
    """A folder with pipeline.config and a checkpoint, as training or `exporter_main_v2` left it.

    The stages are taken from the model's own methods: `preprocess` gives the pixels, `predict` the heads, `postprocess`
    the boxes before and after suppression.

    Args:
        folder: With pipeline.config; the checkpoint lies in it, or in its folder `checkpoint`.

    Raises:
        OddemoError: If there is no such folder, or the lane is not made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        checkpoints = [*self.folder.glob("ckpt-*.index"), *self.folder.glob("checkpoint/ckpt-*.index")]
        if not (self.folder / CONFIG).is_file() or not checkpoints:
            raise OddemoError(
                f"{self.folder} is not a detector of the Object Detection API.",
                expected=f"a folder with {CONFIG} and ckpt-….index, in it or in its folder checkpoint",
                found="no such folder" if not self.folder.is_dir() else f"{len(checkpoints)} checkpoints",
            )
        self._lane = made_lane(LANE)
        self._recorded: dict[object, Trace] = {}

    @property
    def spec(self) -> str:
        """`odapi:DIR`."""
        return f"odapi:{self.folder}"

    @cached_property
    def bench(self) -> ODAPIBench:
        """The detector, runnable under changed settings.

        Raises:
            OddemoError: If it cannot be taken apart, or does something that the bench cannot run.
        """
        return ODAPIBench(self.folder, self._lane)

    def other_networks(
        self, candidate: Any, pictures: ImageSet, reference: Trace, seen: Trace
    ) -> tuple[OtherNetwork, ...]:
        """Return the networks that the candidate may run in place of this one; see `Reference`."""
        del pictures, reference
        return other_networks(self.bench, candidate, seen)

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:  # noqa: ARG002
        """Run on the pictures; see `Source`.

        Raises:
            OddemoError: If the API cannot build, restore or run it, with what it said.
        """
        if pictures.key not in self._recorded:
            self._recorded = {pictures.key: self._record(pictures)}
        return self._recorded[pictures.key]

    def _record(self, pictures: ImageSet) -> Trace:
        with tempfile.TemporaryDirectory() as folder:
            names, out = Path(folder) / "names.json", Path(folder) / "trace.npz"
            names.write_text(json.dumps(pictures.names), encoding="utf-8")
            where: list[str | Path] = ["--images", pictures.root.absolute(), "--names", names, "--out", out]
            run_in_lane(self._lane, ["record", self.folder.absolute(), *where], what=f"{self.spec} cannot be run")
            return replace(load_trace(out), source=self.spec)
