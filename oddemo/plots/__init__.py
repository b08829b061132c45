"""Plots for notebooks: each takes the axes to draw on, returns them, and computes nothing.

Without axes, the current ones are used, so a cell can end with `show(alt="…")`.
"""

from oddemo.plots.alt import show
from oddemo.plots.appearance import palette, style
from oddemo.plots.boxes import plot_box_middles
from oddemo.plots.confusion import plot_confusion
from oddemo.plots.curves import plot_curves
from oddemo.plots.gallery import draw_gallery
from oddemo.plots.intervals import plot_interval, plot_intervals
from oddemo.plots.pictures import draw_detections, draw_pair, draw_picture, plot_pixels
from oddemo.plots.runs import plot_runs
from oddemo.plots.stages import plot_stage_strip
from oddemo.plots.training import plot_learning_curves
from oddemo.plots.versions import draw_version_matrix, plot_foreseen, plot_version_grid

__all__ = [
    "draw_detections",
    "draw_gallery",
    "draw_pair",
    "draw_picture",
    "draw_version_matrix",
    "palette",
    "plot_box_middles",
    "plot_confusion",
    "plot_curves",
    "plot_foreseen",
    "plot_interval",
    "plot_intervals",
    "plot_learning_curves",
    "plot_pixels",
    "plot_runs",
    "plot_stage_strip",
    "plot_version_grid",
    "show",
    "style",
]
