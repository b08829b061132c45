"""What every source can do: run on pictures and leave a trace."""

from __future__ import annotations

from typing import Protocol

from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Preprocessing
from oddemo.audit.trace import Trace


class Source(Protocol):
    """Something that detects objects, written `kind:place`."""

    @property
    def spec(self) -> str:
        """`kind:place`, as the user wrote it."""
        ...

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:
        """Run on the pictures and return every stage that can be seen.

        Args:
            pictures: What to run on.
            caller: How to preprocess for an artefact that takes the network's input itself (float, fixed size).
        """
        ...
