"""Progress bars for long work: on a terminal's standard error, and silent everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

#: Told in a few words what is going on.
Tell = Callable[[str], None]


def silent(words: str) -> None:
    """Tell nobody."""
    del words


def track(items: Iterable[Item], description: str, *, total: int | None = None) -> Iterator[Item]:
    """Yield `items` while a bar with the time left is shown, if standard error is a terminal.

    Args:
        items: What to go through.
        description: A few words beside the bar.
        total: How many items there are, where `items` has no length.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(items, total=total, description=description)
