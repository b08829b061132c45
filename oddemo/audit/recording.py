"""Recording one source's trace to a file."""

from __future__ import annotations

from pathlib import Path

from oddemo.audit.images import ImageSet
from oddemo.audit.sources.parse import parse_source
from oddemo.audit.trace import Trace, save_trace
from oddemo.errors import OddemoError
from oddemo.files import refuse_unwritable_file
from oddemo.progress import Tell, silent


def record_trace(
    source: str,
    pictures: ImageSet,
    out: Path,
    *,
    like: str | None = None,
    overwrite: bool = False,
    tell: Tell | None = None,
) -> Trace:
    """Run a source on pictures and save what is seen.

    Args:
        source: `kind:place`.
        pictures: What to run on.
        out: The .npz file to write.
        like: `tfvision:DIR` or `odapi:DIR`; its preprocessing is used for an artefact that takes the network's input.
        overwrite: Replace `out`.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If the source cannot be read or run, or `out` is taken.
    """
    say = tell or silent
    if out.suffix != ".npz":
        raise OddemoError(f"{out} is not the name of a trace.", expected="a name that ends in .npz")
    refuse_unwritable_file(out, overwrite=overwrite)
    say("loading")
    caller = None
    if like is not None:
        bench = getattr(parse_source(like), "bench", None)
        if bench is None:
            raise OddemoError(f"{like} does not say how to preprocess.", expected="tfvision:DIR or odapi:DIR")
        caller = bench.settings.pre
    opened = parse_source(source)
    say(f"running on {len(pictures)} pictures")
    trace = opened.trace(pictures, caller=caller)
    say("writing")
    save_trace(trace, out, overwrite=overwrite)
    return trace
