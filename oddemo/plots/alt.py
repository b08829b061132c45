"""Showing a figure together with what it shows in words, for people who do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddemo.errors import OddemoError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Fewer letters than this describe nothing.
SHORTEST_ALT = 20
#: Where a notebook keeps the words. nbconvert's classic template reads them there; JupyterLab shows none for outputs.
IMAGE_TYPES = ("image/png", "image/jpeg")


def show(alt: str, figure: Figure | None = None) -> None:
    """Show a figure and close it; in a notebook the words are stored with the picture, as its alternative text.

    Pages that are made of the notebook can say them; JupyterLab itself does not, so the code cell is where they are
    read there.

    Args:
        alt: What a person sees in the figure, in a sentence or two. Measured values belong beside it, in print.
        figure: The figure; the current one if not given.

    Raises:
        OddemoError: If the words are too few to stand for a figure.
    """
    import matplotlib.pyplot as plt

    if len(alt.strip()) < SHORTEST_ALT:
        raise OddemoError(
            "The figure's alternative text says too little.",
            expected=f"what a person sees in it, in at least {SHORTEST_ALT} letters",
            found=repr(alt),
        )
    shown = plt.gcf() if figure is None else figure
    if _in_notebook():
        import IPython.display as notebook

        notebook.display(shown, metadata={kind: {"alt": alt.strip()} for kind in IMAGE_TYPES})  # type: ignore[no-untyped-call]
    else:
        plt.show()
    plt.close(shown)


def _in_notebook() -> bool:
    """Whether Matplotlib draws into a notebook's output."""
    import matplotlib as mpl

    return "inline" in mpl.get_backend()
