"""What every source can do: run on pictures and leave a trace."""

from __future__ import annotations

from typing import Any, Protocol

from oddemo.audit.bench import Bench
from oddemo.audit.images import ImageSet
from oddemo.audit.networks import OtherNetwork
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


class Reference(Source, Protocol):
    """A source that can be run under changed settings, so that causes can be searched."""

    @property
    def bench(self) -> Bench:
        """The detector on the bench.

        Raises:
            OddemoError: If it does something that the bench cannot run.
        """
        ...

    def other_networks(
        self, candidate: Any, pictures: ImageSet, reference: Trace, seen: Trace
    ) -> tuple[OtherNetwork, ...]:
        """Make the networks known to the bench that a candidate may run in place of this one, most likely first.

        Args:
            candidate: The candidate's source.
            pictures: Of both traces.
            reference: This source's trace.
            seen: The candidate's trace.
        """
        ...


def as_reference(source: Source) -> Reference | None:
    """Return the source if it can be run under changed settings, without doing anything yet."""
    return source if hasattr(source, "other_networks") else None  # type: ignore[return-value]
