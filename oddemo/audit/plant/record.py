"""What a planted fault is, and the parts of a deployment in which it can sit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from oddemo.audit.images import ImageSet
from oddemo.errors import OddemoError

#: Given the serving module and a picture, float32 0-255 RGB, returns another picture.
Before = Callable[[Any, Any], Any]
#: Given the serving module and a picture, returns the network's input and `image_info`, in place of TF-Vision's own.
Inputs = Callable[[Any, Any], tuple[Any, Any]]
#: Given the serving module and the outputs of the signature, returns other outputs.
After = Callable[[Any, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Parts:
    """What is wrong with a deployment, part by part; empty for a sound one.

    Attributes:
        overrides: Dotted names of TF-Vision's configuration → wrong values at the export.
        before: Done to the picture inside the graph, before the preprocessing.
        inputs: In place of the graph's preprocessing.
        after: Done to the outputs inside the graph.
        weights_moved: Standard deviation by which each variable is moved, relative to its own; 0 for the right weights.
        left_out: Part of the network that was not restored: `head`, `decoder` or `batch_norm`; empty for none.
        other_set: Whether the weights are the other set of a checkpoint that holds raw and averaged ones.
        training_mode: Whether batch normalisation runs in training mode.
        tflite: Kind of the TFLite file that is deployed in place of a SavedModel: `none` (float32), `float16`,
            `dynamic` or `int8`; empty for a SavedModel.
        elsewhere: Whether the TFLite file runs in TensorFlow's own interpreter, with the delegates that it takes by
            itself, in another process, and only a recording of that is at hand.
        names_swapped: Whether the label map that ships with it has its first two names swapped.
        client: Name of a serving script around the export; none if the graph itself is the deployment.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    before: Before | None = None
    inputs: Inputs | None = None
    after: After | None = None
    weights_moved: float = 0.0
    left_out: str = ""
    other_set: bool = False
    training_mode: bool = False
    tflite: str = ""
    elsewhere: bool = False
    names_swapped: bool = False
    client: str | None = None

    def joined(self, other: Parts) -> Parts:
        """Return a deployment with both faults.

        Raises:
            OddemoError: If they sit in the same part.
        """
        both: dict[str, Any] = {}
        for entry in fields(self):
            mine, theirs = getattr(self, entry.name), getattr(other, entry.name)
            if entry.name == "overrides":
                continue
            if mine and theirs:
                raise OddemoError("Two faults in the same part of a deployment cannot be planted.", found=entry.name)
            both[entry.name] = mine or theirs
        weights = [name for name in ("weights_moved", "left_out", "other_set") if both[name]]
        in_graph = [name for name in ("before", "inputs", "after", "client") if both[name]]
        if len(weights) > 1 or (both["tflite"] and in_graph):
            raise OddemoError(
                "These faults exclude each other.", found=", ".join(weights if len(weights) > 1 else in_graph)
            )
        if set(self.overrides) & set(other.overrides):
            raise OddemoError("Two faults set the same entry of the configuration.", found=", ".join(other.overrides))
        return Parts(overrides={**self.overrides, **other.overrides}, **both)


@dataclass(frozen=True)
class Plant:
    """A way of breaking a deployment.

    Attributes:
        fault: Id of the fault in the registry.
        variant: Which form or strength of it; unique together with `fault`.
        story: How it happens, in one sentence.
        parts: What is wrong.
        shows_at: The stage at which this form shows first, where it is not the fault's own.
        brings: Ids of other faults that this form cannot be without.
    """

    fault: str
    variant: str
    story: str
    parts: Parts = field(repr=False)
    shows_at: str = ""
    brings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`fault/variant`."""
        return f"{self.fault}/{self.variant}"

    def make(
        self, detector: Path, folder: Path, *, calibration: Sequence[Path] = (), pictures: ImageSet | None = None
    ) -> str:
        """Make the broken deployment of a detector; see `build`."""
        from oddemo.audit.plant.build import build

        return build(self.parts, Path(detector), Path(folder), calibration=calibration, pictures=pictures)
