"""What was there against what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oddemo.errors import OddemoError
from oddemo.plots.appearance import axes_or_current, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_confusion(
    counts: Mapping[tuple[str, str], int],
    ax: Axes | None = None,
    *,
    row_label: str = "planted",
    column_label: str = "named",
) -> Axes:
    """Draw a table of counts: a row for what was there, a column for what was said.

    Right answers (both names equal) and wrong ones differ in colour and in shape: nothing hangs on colour alone.

    Args:
        counts: (what was there, what was said) → how often; pairs that never happened may be left out. Names are in
            the order in which they come, those that were only said after those that were there.
        ax: Where to draw; the current axes if None. Allow a third of an inch a name.
        row_label: What the rows are.
        column_label: What the columns are.

    Raises:
        OddemoError: If there is nothing to draw.
    """
    if not counts:
        raise OddemoError("There are no counts to draw.", expected="at least one")
    ax = axes_or_current(ax)
    rows = list(dict.fromkeys(there for there, _ in counts))
    columns = list(dict.fromkeys([*rows, *(said for _, said in counts)]))
    right, wrong = palette()[0], palette()[3]
    for (there, said), count in counts.items():
        if count:
            hit = there == said
            x, y = columns.index(said), rows.index(there)
            ax.plot(x, y, "o" if hit else "s", color=right if hit else wrong, markersize=20, markeredgecolor="none")
            ax.text(x, y, str(count), ha="center", va="center", color="white", weight="bold", fontsize=12)
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(rows) - 0.4, -0.6), xlabel=column_label, ylabel=row_label)
    ax.set_xticks(range(len(columns)), columns, rotation=90, parse_math=False)
    ax.set_yticks(range(len(rows)), rows, parse_math=False)
    return ax
