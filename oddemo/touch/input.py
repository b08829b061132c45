"""The knobs before the network: resizing, normalisation and the order of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oddemo.audit.effect import truth_for
from oddemo.audit.images import ImageSet
from oddemo.audit.settings import Normalization, Preprocessing, Settings
from oddemo.data.records import Dataset
from oddemo.touch.knobs import Choice, Knob, Positions, Slider, View
from oddemo.touch.measures import DRAWN_FROM, classes_with_truth, measure, plot_two_curves
from oddemo.touch.panel import panel

if TYPE_CHECKING:
    from ipywidgets import Box

    from oddemo.audit.bench import Bench

_TO_UNIT = Normalization((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
_SIGNED = Normalization((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
_OTHER_KERNELS = (
    "tensorflow/nearest",
    "tensorflow/area",
    "tensorflow/bilinear_antialias",
    "opencv/area",
    "pillow/bicubic",
)


def explore_input(bench: Bench, pictures: ImageSet, truth: Dataset, *, live: bool | None = None) -> Box | None:
    """Turn resizing, normalisation and colour order, and watch what the network sees, a picture and a curve.

    The network runs on all pictures at every turn: 20 of them take a moment.

    Args:
        bench: The trained detector on the bench.
        pictures: What it runs on.
        truth: True boxes of these pictures.
        live: Whether somebody can turn the knobs; found out if not given. If not, the settings of the training are
            drawn and printed.

    Returns:
        A box of widgets, or None where there was nobody to turn them.
    """
    truth = truth_for(truth, pictures)
    own, images = bench.settings.pre, pictures.decode()
    as_trained = bench.pixels(pictures, own).pixels
    value_range = float(as_trained.min()), float(as_trained.max())
    trained = measure(truth, bench.trace(pictures, bench.settings, stages=()).detections)

    def look(at: Positions) -> View:
        import matplotlib.pyplot as plt

        from oddemo.plots import draw_detections, plot_pixels

        settings = turned(bench.settings, at)
        now = measure(truth, bench.trace(pictures, settings, stages=()).detections)
        index, class_id = at["picture"] - 1, at["class_id"]
        name = truth.class_names[class_id - 1]
        pixels = bench.pixels(pictures, settings.pre).pixels[index]
        figure = plt.figure(figsize=(14, 4.4), dpi=80, layout="constrained")
        first, second, third = figure.subplots(1, 3)
        plot_pixels(pixels, first, value_range=value_range, title="what the network sees")
        draw_detections(images[index], now.drawn(index), truth.class_names, second, title="what it finds")
        plot_two_curves(now.curves[class_id], trained.curves[class_id], third, title=name)
        text = (
            f"network input: {pixels.min():.2f} … {pixels.max():.2f}, mean {pixels.mean():.2f}\n"
            f"{now.told_of(index, class_id, name)}"
        )
        alt = (
            f"Left: picture {index + 1} as it enters the network, {in_words(settings.pre, own)}. Middle: the picture "
            f"with the detections from a score of {DRAWN_FROM} on. Right: precision over recall of the class {name}, "
            "a solid line for these settings, a dashed one as trained."
        )
        return View(text, figure, alt)

    return panel(_knobs(own, truth), look, live=live)


def turned(settings: Settings, at: Positions) -> Settings:
    """Return the settings with the knobs before the network as they stand."""
    names = ("kernel", "keep_aspect_ratio", "normalizations", "channel_order")
    return settings.with_preprocessing(**{name: at[name] for name in names})


def in_words(pre: Preprocessing, own: Preprocessing) -> str:
    """Say in which of the knobs a preprocessing differs from the one of the training."""
    normalised = {value: name for name, value in _normalizations(own).items()}
    words = {
        "kernel": f"resized by {pre.kernel}",
        "keep_aspect_ratio": "letterboxed" if pre.keep_aspect_ratio else "stretched to a square",
        "normalizations": f"normalised: {normalised[pre.normalizations]}",
        "channel_order": f"colours as {pre.channel_order.upper()}",
    }
    other = [told for name, told in words.items() if getattr(pre, name) != getattr(own, name)]
    return ", ".join(other) if other else "prepared as in training"


def _normalizations(own: Preprocessing) -> dict[str, tuple[Normalization, ...]]:
    trained = own.normalizations
    others = {"missing": (), "to [0, 1] before": (_TO_UNIT, *trained), "to [-1, 1] instead": (_SIGNED,)}
    return {"as trained": trained, **{name: passes for name, passes in others.items() if passes != trained}}


def _knobs(own: Preprocessing, truth: Dataset) -> dict[str, Knob]:
    kernels = (own.kernel, *(kernel for kernel in _OTHER_KERNELS if kernel != own.kernel))
    orders = (own.channel_order, *({"rgb", "bgr"} - {own.channel_order}))
    shapes = {"letterboxed": True, "stretched": False}
    trained_first = dict(sorted(shapes.items(), key=lambda shape: shape[1] != own.keep_aspect_ratio))
    return {
        "normalizations": Choice("normalisation", _normalizations(own)),
        "channel_order": Choice("colours", {order.upper(): order for order in orders}),
        "kernel": Choice("resizing", {kernel: kernel for kernel in kernels}),
        "keep_aspect_ratio": Choice("shape", trained_first),
        "picture": Slider("picture", 1, len(truth), 1, 1),
        "class_id": Choice("class of the curve", classes_with_truth(truth)),
    }
