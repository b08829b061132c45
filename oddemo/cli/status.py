"""A line on standard error that says what is going on, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from oddemo.progress import Tell, silent


@contextmanager
def telling(first: str) -> Iterator[Tell]:
    """Show a spinner with words that can be changed; silent where standard error is not a terminal.

    Args:
        first: The words to start with.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield silent
        return
    with console.status(first) as status:
        yield lambda words: status.update(words[: max(20, console.width - 4)])
