"""What a planted fault is, and the parts of a deployment in which it can sit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        names_swapped: Whether the label map that ships with it has its first two names swapped.
        client: Name of a serving script around the export; none if the graph itself is the deployment.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    before: Before | None = None
    inputs: Inputs | None = None
    after: After | None = None
    weights_moved: float = 0.0
    names_swapped: bool = False
    client: str | None = None

    def joined(self, other: Parts) -> Parts:
        """Return a deployment with both faults.

        Raises:
            OddemoError: If they sit in the same part.
        """
        both: dict[str, Any] = {}
        for name in ("before", "inputs", "after", "weights_moved", "names_swapped", "client"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs:
                raise OddemoError("Two faults in the same part of a deployment cannot be planted.", found=name)
            both[name] = mine or theirs
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
    """

    fault: str
    variant: str
    story: str
    parts: Parts = field(repr=False)

    @property
    def name(self) -> str:
        """`fault/variant`."""
        return f"{self.fault}/{self.variant}"

    def make(self, detector: Path, folder: Path) -> str:
        """Make the broken deployment of a detector; see `build`."""
        from oddemo.audit.plant.build import build

        return build(self.parts, Path(detector), Path(folder))
