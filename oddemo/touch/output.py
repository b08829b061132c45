"""The knobs after the network: threshold and suppression, on boxes that the network gave once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oddemo.audit.effect import truth_for
from oddemo.audit.images import ImageSet
from oddemo.data.records import Dataset
from oddemo.touch.knobs import Choice, Knob, Positions, Slider, View
from oddemo.touch.measures import DRAWN_FROM, Measured, classes_with_truth, measure, plot_two_curves
from oddemo.touch.panel import panel

if TYPE_CHECKING:
    from ipywidgets import Box

    from oddemo.audit.bench import Bench


def explore_output(bench: Bench, pictures: ImageSet, truth: Dataset, *, live: bool | None = None) -> Box | None:
    """Turn score threshold and overlap of the suppression, and watch a picture and a curve.

    The network runs once; every position of the knobs is threshold and suppression of the same boxes.

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
    settings, images = bench.settings, pictures.decode()

    def found_with(score_threshold: float, nms_iou: float) -> Measured:
        post = replace(settings.post, score_threshold=score_threshold, nms_iou=nms_iou)
        return measure(truth, bench.trace(pictures, replace(settings, post=post), stages=()).detections)

    trained = found_with(settings.post.score_threshold, settings.post.nms_iou)

    def look(at: Positions) -> View:
        import matplotlib.pyplot as plt

        from oddemo.plots import draw_detections

        now = found_with(at["score_threshold"], at["nms_iou"])
        index, class_id = at["picture"] - 1, at["class_id"]
        name = truth.class_names[class_id - 1]
        figure = plt.figure(figsize=(12, 4.6), dpi=80, layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_detections(images[index], now.drawn(index), truth.class_names, left, title=f"picture {index + 1}")
        plot_two_curves(now.curves[class_id], trained.curves[class_id], right, title=name)
        kept = f"threshold {at['score_threshold']:.2f}, overlap {at['nms_iou']:.2f}"
        text = (
            f"{kept}: {sum(map(len, now.found))} detections in {len(pictures)} pictures\n"
            f"{now.told_of(index, class_id, name)}"
        )
        alt = (
            f"Left: picture {index + 1} with the detections that are left at {kept}, from a score of {DRAWN_FROM} on. "
            f"Right: precision over recall of the class {name}, a solid line for these settings, a dashed one as "
            "trained."
        )
        return View(text, figure, alt)

    return panel(_knobs(bench.settings.post, truth), look, live=live)


def _knobs(post: Any, truth: Dataset) -> dict[str, Knob]:
    crowded = max(range(len(truth)), key=lambda index: len(truth.records[index].class_ids))
    return {
        "score_threshold": Slider("score threshold", 0.05, 0.95, 0.05, post.score_threshold),
        "nms_iou": Slider("overlap", 0.1, 0.95, 0.05, post.nms_iou),
        "picture": Slider("picture", 1, len(truth), 1, crowded + 1),
        "class_id": Choice("class of the curve", classes_with_truth(truth)),
    }
