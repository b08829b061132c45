"""What one TensorFlow wrote and another read, and how often that was foreseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oddemo.errors import OddemoError
from oddemo.plots.appearance import axes_or_current, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Cells = Iterable[Mapping[str, Any]]

#: Outcome of a cell → sign, words, colour (index into the palette; None is white), lightness of its letters.
OUTCOMES: Mapping[str, tuple[str, str, int | None]] = {
    "same": ("", "same outputs", None),
    "changed": ("!", "loads, other outputs", 1),
    "fails": ("✗", "fails", 0),
    "not_made": ("–", "could not be written", 7),
    "unknown": ("?", "no claim", 7),
}


def _outcome(cell: Mapping[str, Any]) -> str:
    return "fails" if cell["outcome"] == "aborts" else str(cell["outcome"])


def plot_version_grid(
    cells: Cells, ax: Axes | None = None, *, versions: Sequence[str], title: str = "", words: int = 13
) -> Axes:
    """Draw one format: a row a writing version, a column a reading one; colour and sign say what happens.

    Args:
        cells: Of one model and one format.
        ax: Where to draw; the current axes if None.
        versions: Names of the lanes, in order.
        title: Above it.
        words: Size of the signs, in points.

    Raises:
        OddemoError: If a pair of versions is missing, or there twice.
    """
    from matplotlib.patches import Rectangle

    found = [((cell["producer"], cell["consumer"]), _outcome(cell)) for cell in cells]
    outcome = dict(found)
    if len(found) != len(outcome) or set(outcome) != {(a, b) for a in versions for b in versions}:
        raise OddemoError("A grid needs each pair of versions once.", found=f"{len(found)} cells")
    ax = axes_or_current(ax)
    colours = palette()
    for row, producer in enumerate(versions):
        for column, consumer in enumerate(versions):
            sign, _, colour = OUTCOMES[outcome[producer, consumer]]
            face = "white" if colour is None else colours[colour]
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor="0.4", linewidth=1.0))
            letters = "white" if colour == 0 else "black"
            ax.text(column, row, sign, ha="center", va="center", fontsize=words, color=letters, weight="bold")
    labels = [version.removeprefix("tf2") for version in versions]
    ax.set_xticks(range(len(versions)), labels)
    ax.set_yticks(range(len(versions)), labels)
    ax.set(xlim=(-0.5, len(versions) - 0.5), ylim=(len(versions) - 0.5, -0.5), aspect="equal")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_title(title, parse_math=False)
    return ax


def draw_version_matrix(
    cells: Cells, figure: Figure, *, versions: Sequence[str], formats: Mapping[str, str], columns: int = 4
) -> Figure:
    """Draw a grid for each format, and what the signs mean.

    Args:
        cells: Of one model.
        figure: Where to draw; what is on it stays.
        versions: Names of the lanes, in order.
        formats: Format → the words above its grid, in order.
        columns: Grids beside one another.

    Raises:
        OddemoError: If a pair of versions is missing, or there twice.
    """
    from matplotlib.patches import Patch

    kept = list(cells)
    rows = -(-len(formats) // columns)
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(formats):
            axes.set_axis_off()
            continue
        form, words = list(formats.items())[place]
        plot_version_grid((c for c in kept if c["format"] == form), axes, versions=versions, title=words)
        axes.set_ylabel("written by 2…" if place % columns == 0 else "")
        axes.set_xlabel("read by 2…" if place >= len(formats) - columns else "")
        axes.tick_params(labelleft=place % columns == 0, labelsize=11)
    colours = palette()
    seen = {_outcome(cell) for cell in kept if cell["format"] in formats}
    keys = [
        Patch(
            facecolor="white" if colour is None else colours[colour], edgecolor="0.4", label=f"{sign}  {words}".strip()
        )
        for name, (sign, words, colour) in OUTCOMES.items()
        if name in seen
    ]
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(h_pad=0.12)  # type: ignore[call-arg]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), fontsize=13, frameon=False)
    return figure


def plot_foreseen(cells: Cells, ax: Axes | None = None, *, words: int = 15) -> Axes:
    """Draw what was foreseen against what happened: counts of cells, a frame around the ones that agree.

    Args:
        cells: Those without a prediction are left out.
        ax: Where to draw; the current axes if None.
        words: Size of the numbers, in points.

    Raises:
        OddemoError: If nothing was predicted.
    """
    from matplotlib.patches import Rectangle

    counts = Counter((str(cell["predicted"]), _outcome(cell)) for cell in cells if cell["predicted"] is not None)
    if not counts:
        raise OddemoError("Nothing was predicted in these cells.", do="run: oddemo lanes matrix")
    ax = axes_or_current(ax)
    happened = ["same", "changed", "fails"]
    said = [*happened, *(["unknown"] if any(first == "unknown" for first, _ in counts) else [])]
    largest = max(counts.values())
    for row, predicted in enumerate(said):
        for column, outcome in enumerate(happened):
            number = counts[predicted, outcome]
            agrees = predicted == outcome
            shade = 0.15 + 0.45 * number / largest if number else 0.0
            face = (palette()[2 if agrees else 3], shade) if number else "white"
            tile = Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, facecolor=face)
            tile.set(edgecolor="black" if agrees else "0.7", linewidth=3.0 if agrees else 1.0)
            ax.add_patch(tile)
            weight = "bold" if agrees else "normal"
            ax.text(column, row, str(number), ha="center", va="center", fontsize=words, weight=weight)
    ax.set_xticks(range(len(happened)), [OUTCOMES[name][1] for name in happened])
    ax.set_yticks(range(len(said)), [OUTCOMES[name][1] for name in said])
    ax.set(xlim=(-0.55, len(happened) - 0.45), ylim=(len(said) - 0.45, -0.55))
    ax.set(xlabel="what happened", ylabel="foreseen from the file")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    return ax
