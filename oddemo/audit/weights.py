"""Other weights that the bench can try: the candidate's own, and other checkpoints in the reference's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddemo.audit.bench import Bench
from oddemo.detect.folder import find_checkpoint, restore

if TYPE_CHECKING:
    from oddemo.detect.detector import Detector

#: How many other checkpoints in the folder are tried; each costs a few seconds.
MOST_CHECKPOINTS = 4


def known_weights(bench: Bench, candidate: Any) -> tuple[str, ...]:
    """Make the weights known to the bench that a hypothesis may try, and return their names, most likely first.

    Args:
        bench: The reference.
        candidate: The candidate's source; a SavedModel or a detector folder shows its own variables.
    """
    names = []
    own = _own_variables(candidate)
    if own is not None:
        bench.add_weights("candidate", _loader(own))
        names.append("candidate")
    current = find_checkpoint(bench.folder)
    for index in sorted(bench.folder.rglob("ckpt-*.index"))[-MOST_CHECKPOINTS:]:
        prefix = index.with_suffix("")
        if prefix != current:
            name = prefix.relative_to(bench.folder).as_posix()
            bench.add_weights(name, _loader(prefix))
            names.append(name)
    return tuple(names)


def _own_variables(candidate: Any) -> Path | None:
    prefix = getattr(candidate, "variables_prefix", None)
    if prefix is None and hasattr(candidate, "bench"):
        prefix = find_checkpoint(candidate.folder)
    return prefix if prefix is not None and Path(f"{prefix}.index").is_file() else None


def _loader(prefix: Path) -> Callable[[Detector], None]:
    def load(detector: Detector) -> None:
        restore(prefix, model=detector.model)

    return load
