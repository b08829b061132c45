"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oddemo.errors import OddemoError
from oddemo.plots.appearance import DASHES, axes_or_current

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_learning_curves(
    history: Sequence[Mapping[str, float]],
    ax: Axes | None = None,
    *,
    keys: Sequence[str] = ("total_loss", "cls_loss", "box_loss"),
    label: str = "loss",
    title: str = "",
) -> Axes:
    """Draw values over the steps of a training, each with a colour and dashes of its own.

    Args:
        history: One mapping a log line with `step` and the keys, as `oddemo.detect.train.TrainingResult.history`.
        ax: Where to draw; the current axes if None.
        keys: What to draw.
        label: Of the vertical axis.
        title: Above the plot.

    Raises:
        OddemoError: If there are no log lines, or one lacks a key.
    """
    missing = sorted({key for line in history for key in ("step", *keys) if key not in line})
    if not history or missing:
        raise OddemoError(
            "There are no learning curves to draw.",
            expected=f"log lines with step, {', '.join(keys)}",
            found="no log lines" if not history else f"lines without {', '.join(missing)}",
        )
    ax = axes_or_current(ax)
    steps = [line["step"] for line in history]
    for index, key in enumerate(keys):
        values = [line[key] for line in history]
        ax.plot(steps, values, label=key.replace("_", " "), color=f"C{index}", linestyle=DASHES[index % len(DASHES)])
    ax.set(xlabel="step", ylabel=label)
    ax.set_title(title, parse_math=False)
    ax.legend()
    return ax
