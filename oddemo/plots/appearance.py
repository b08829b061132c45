"""How plots look: colours that everybody can tell apart, letters that can be read from the back of a workshop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Names of dashes that Matplotlib knows.
Dashes = Literal["-", "--", ":", "-."]
#: Dashes that tell classes apart without colour, in turn.
DASHES: tuple[Dashes, ...] = ("-", "--", ":", "-.")


def palette(count: int | None = None) -> list[str]:
    """Return colours as `#rrggbb` that people with any kind of colour vision can tell apart.

    Args:
        count: How many; they repeat after ten. Ten if not given.
    """
    import seaborn as sns

    return [str(colour) for colour in sns.color_palette("colorblind", count).as_hex()]


def style() -> None:
    """Set fonts of at least 12 points, figures of 8 × 4 inches and the palette, for all plots from here on.

    `with matplotlib.pyplot.rc_context():` around it keeps that to a few of them.
    """
    import seaborn as sns

    sizes = {
        "font.size": 13,
        "axes.titlesize": 15,
        "axes.labelsize": 14,
        "xtick.labelsize": 12,
        "ytick.labelsize": 12,
        "legend.fontsize": 12,
        "legend.title_fontsize": 12,
        "figure.titlesize": 16,
    }
    figure = {"figure.figsize": (8, 4), "figure.dpi": 90, "figure.constrained_layout.use": True}
    sns.set_theme(style="whitegrid", palette="colorblind", rc={**sizes, **figure, "lines.linewidth": 2.2})


def axes_or_current(ax: Axes | None) -> Axes:
    """Return `ax`, or the current axes if it is None."""
    import matplotlib.pyplot as plt

    return plt.gca() if ax is None else ax
