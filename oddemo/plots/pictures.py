"""Pictures with boxes, and network inputs as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oddemo.data.records import Detections, FloatArray, ImageRecord
from oddemo.errors import OddemoError
from oddemo.plots.appearance import DASHES, Dashes, axes_or_current, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Detections are drawn from this score on.
SCORE_FROM = 0.3
_LETTERS_PT = 12


def draw_picture(image: NDArray[np.uint8], ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw a picture without ticks.

    Args:
        image: (height, width, 3) uint8 RGB.
        ax: Where to draw; the current axes if None.
        title: Above it.
    """
    ax = axes_or_current(ax)
    ax.imshow(image)
    ax.grid(visible=False)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, parse_math=False)
    return ax


def draw_detections(
    image: NDArray[np.uint8],
    detections: Detections | ImageRecord,
    class_names: Sequence[str],
    ax: Axes | None = None,
    *,
    score_from: float = SCORE_FROM,
    truth: ImageRecord | None = None,
    title: str = "",
) -> Axes:
    """Draw a picture with boxes: colour and dashes tell the class, the tag its name and score.

    Args:
        image: (height, width, 3) uint8 RGB.
        detections: Boxes in pixels of the picture; true boxes are drawn without a score.
        class_names: Class id `k` is `class_names[k - 1]`.
        ax: Where to draw; the current axes if None.
        score_from: Detections with a lower score are left out.
        truth: True boxes, drawn thin and white beneath.
        title: Above the picture.
    """
    ax = draw_picture(image, ax, title=title)
    if truth is not None:
        for box in truth.boxes_yxyx_px:
            _rectangle(ax, box, colour="white", width=1.2)
    shown = detections.above(score_from) if isinstance(detections, Detections) else detections
    colours = palette(max(len(class_names), 1))
    for index, (box, class_id) in enumerate(zip(shown.boxes_yxyx_px, shown.class_ids.tolist(), strict=True)):
        known = 1 <= class_id <= len(class_names)
        colour = colours[(class_id - 1) % len(colours)]
        tag = class_names[class_id - 1] if known else f"id {class_id}"
        if isinstance(shown, Detections):
            tag += f" {shown.scores[index]:.2f}"
        _rectangle(ax, box, colour=colour, width=2.4, dashes=DASHES[(class_id - 1) % len(DASHES)])
        _tag(ax, tag, box, colour)
    return ax


def draw_pair(
    image: NDArray[np.uint8],
    reference: Detections,
    candidate: Detections,
    class_names: Sequence[str],
    axes: Sequence[Axes] | None = None,
    *,
    score_from: float = SCORE_FROM,
    truth: ImageRecord | None = None,
    titles: tuple[str, str] = ("reference", "candidate"),
) -> tuple[Axes, Axes]:
    """Draw the same picture twice, with what each of two sources found on it.

    Args:
        image: (height, width, 3) uint8 RGB.
        reference: Detections of the reference, in pixels of the picture.
        candidate: Detections of the candidate.
        class_names: Class id `k` is `class_names[k - 1]`.
        axes: Two axes; two new ones side by side in the current figure if None.
        score_from: Detections with a lower score are left out.
        truth: True boxes, drawn thin and white beneath.
        titles: Above the pictures.

    Raises:
        OddemoError: If `axes` are not two.
    """
    import matplotlib.pyplot as plt

    places = plt.gcf().subplots(1, 2) if axes is None else axes
    if len(places) != 2:
        raise OddemoError("A pair needs two axes.", expected="2", found=str(len(places)))
    left, right = (
        draw_detections(image, found, class_names, ax, score_from=score_from, truth=truth, title=title)
        for ax, found, title in zip(places, (reference, candidate), titles, strict=True)
    )
    return left, right


def plot_pixels(
    pixels: FloatArray,
    ax: Axes | None = None,
    *,
    value_range: tuple[float, float] | None = None,
    title: str = "",
) -> Axes:
    """Draw a network input as a picture, with the range of its values below.

    Args:
        pixels: (height, width, 3) floats, as they enter the network, in the channel order in which they do.
        ax: Where to draw; the current axes if None.
        value_range: Values drawn as black and as full; the lowest and the highest value if not given. Two inputs can
            be compared by eye if both are drawn with the range of one.
        title: Above the picture.

    Raises:
        OddemoError: If `pixels` is not one picture of three channels.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise OddemoError("A network input has another shape.", expected="(height, width, 3)", found=str(pixels.shape))
    low, high = (float(pixels.min()), float(pixels.max())) if value_range is None else value_range
    spread = (high - low) or 1.0
    grey = np.clip((pixels.astype(np.float64) - low) / spread * 255.0, 0.0, 255.0).round().astype(np.uint8)
    ax = draw_picture(grey, ax, title=title)
    ax.set_xlabel(f"{pixels.min():.3g} … {pixels.max():.3g}".replace("-", "−"))
    return ax


def _rectangle(ax: Axes, box_yxyx_px: NDArray[Any], *, colour: str, width: float, dashes: Dashes = "-") -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    y_min, x_min, y_max, x_max = map(float, box_yxyx_px)
    # Continuous coordinates start at the edge of the first pixel, Matplotlib's at its middle.
    corner = (x_min - 0.5, y_min - 0.5)
    patch = Rectangle(corner, x_max - x_min, y_max - y_min, fill=False, edgecolor=colour, linewidth=width)
    patch.set_linestyle(dashes)
    halo = Stroke(linewidth=width + 1.8, foreground="black", alpha=0.45)
    patch.set_path_effects([halo, Normal()])
    ax.add_patch(patch)


def _tag(ax: Axes, text: str, box_yxyx_px: NDArray[Any], colour: str) -> None:
    y_min, x_min, _, x_max = map(float, box_yxyx_px)
    right = x_min + x_max > ax.get_xlim()[0] + ax.get_xlim()[1]
    corner = (x_max - 0.5 if right else x_min - 0.5, y_min - 0.5)
    # Above the box, or inside where the picture ends.
    room_pt = (ax.bbox.y1 - ax.transData.transform(corner)[1]) * 72 / ax.figure.dpi
    above = room_pt > _LETTERS_PT + 4
    ax.annotate(
        text,
        corner,
        xytext=(-1 if right else 1, 2 if above else -2),
        va="bottom" if above else "top",
        textcoords="offset points",
        ha="right" if right else "left",
        fontsize=_LETTERS_PT,
        color="black",
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0, "alpha": 0.9},
        parse_math=False,
        annotation_clip=True,
        clip_on=True,
    )
