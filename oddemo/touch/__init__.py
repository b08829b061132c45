"""Figures to touch: sliders where a notebook is open, the figure as it starts everywhere else."""

from oddemo.touch.input import explore_input
from oddemo.touch.output import explore_output

__all__ = ["explore_input", "explore_output"]
