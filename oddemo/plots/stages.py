"""The stages of a pipeline and where two of them part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from oddemo.plots.appearance import axes_or_current, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Status → sign, word, colour (index into the palette).
_LOOK: Mapping[str, tuple[str, str, int]] = {
    "equal": ("✓", "equal", 2),
    "differs": ("✗", "differs", 3),
    "not_compared": ("–", "not\ncompared", 7),
}


class HasStatus(Protocol):
    """One stage's result, such as `oddemo.audit.compare.StageResult`."""

    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102


class HasStages(Protocol):
    """All stages in order, such as `oddemo.audit.compare.Comparison`."""

    @property
    def stages(self) -> Sequence[HasStatus]: ...  # noqa: D102
    @property
    def first_divergence(self) -> str | None: ...  # noqa: D102


def plot_stage_strip(comparison: HasStages, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the stages from left to right, each with sign, word and colour; the first difference is marked.

    Args:
        comparison: The comparison of two traces.
        ax: Where to draw; the current axes if None. A strip needs little height: figsize (8, 1.8) will do.
        title: Above it.
    """
    from matplotlib.patches import Rectangle

    ax = axes_or_current(ax)
    colours = palette()
    for index, result in enumerate(comparison.stages):
        sign, word, colour = _LOOK[result.status]
        first = result.stage == comparison.first_divergence
        tile = Rectangle((index, 0.0), 0.88, 1.0, facecolor=(colours[colour], 0.75 if first else 0.35))
        tile.set(edgecolor="black" if first else "none", linewidth=3.0 if first else 0.0)
        ax.add_patch(tile)
        words: dict[str, Any] = {"ha": "center", "fontsize": 12}
        ax.text(index + 0.44, 0.78, result.stage, va="center", weight="bold" if first else "normal", **words)
        ax.text(index + 0.44, 0.34, f"{sign} {word}", va="center", **words)
        if first:
            ax.text(index + 0.44, -0.1, "first difference", va="top", **words)
        if index:
            arrow = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (index, 0.5), (index - 0.12, 0.5), arrowprops=arrow)
    ax.set(xlim=(-0.05, len(comparison.stages) - 0.07), ylim=(-0.4, 1.1))
    ax.set_axis_off()
    ax.set_title(title, parse_math=False)
    return ax
