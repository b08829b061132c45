"""Knobs as widgets beside a picture and its numbers, or the picture as it starts where nobody can turn them."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oddemo.touch.knobs import Choice, Knob, Look, Slider, View, at_start

if TYPE_CHECKING:
    from ipywidgets import Box, Widget
    from matplotlib.figure import Figure

_FIELD, _CHOICE, _SLIDE = "15em", "29em", "14em"
_FITS = "max-width: 100%; height: auto"
_NAMES = {"description_width": "9em"}
#: Positions are sums of steps: 0.15000000000000002.
_DECIMALS = 6


def panel(knobs: Mapping[str, Knob], look: Look, *, live: bool | None = None) -> Box | None:
    """Return widgets, or draw and print what the knobs show at first.

    Args:
        knobs: Key → knob, from top to bottom.
        look: What is seen at which positions.
        live: Whether there is somebody to turn the knobs; found out if not given.

    Returns:
        A box of widgets, or None where the figure was drawn once for all.
    """
    if live is None:
        live = in_live_notebook()
    if live:
        return _box(knobs, look)
    _draw_once(look(at_start(knobs)))
    return None


def in_live_notebook() -> bool:
    """Say whether a person's notebook runs this cell, and widgets can be made.

    JupyterLab and the notebooks built like it tell the kernel which cell they run. What executes a notebook from start
    to end, to store or to check it, does not, and would store widgets that nobody can move.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    parent_of = getattr(shell, "get_parent", None)
    if parent_of is None:
        return False
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return False
    asked: Mapping[str, Any] = parent_of().get("metadata") or {}
    return "cellId" in asked


def _draw_once(view: View) -> None:
    from oddemo.plots import show

    print(view.text)
    show(view.alt, view.figure)


def _box(knobs: Mapping[str, Knob], look: Look) -> Box:
    from ipywidgets import HTML, HBox, Layout, VBox

    made = {key: _widgets(knob) for key, knob in knobs.items()}
    # HTML, as a picture of ipywidgets has no alternative text. What changes in a status is read aloud.
    picture, numbers = HTML(layout=Layout(max_width="100%")), HTML()

    def turned(change: Any = None) -> None:
        del change
        view = look({key: _position(knobs[key], widgets[0]) for key, widgets in made.items()})
        numbers.value = f'<pre role="status" class="oddemo-numbers">{html.escape(view.text)}</pre>'
        source = f"data:image/jpeg;base64,{base64.b64encode(_jpeg(view.figure)).decode()}"
        picture.value = f'<img class="oddemo-picture" style="{_FITS}" alt="{html.escape(view.alt)}" src="{source}">'

    turned()
    for first, *_ in made.values():
        first.observe(turned, "value")
    return VBox([HBox([VBox([HBox(widgets) for widgets in made.values()]), numbers]), picture])


def _position(knob: Knob, widget: Any) -> Any:
    return _rounded(widget.value) if isinstance(knob, Slider) else widget.value


def _widgets(knob: Knob) -> tuple[Widget, ...]:
    """Return what is asked for the position, and a slider that moves along with it where it is a number.

    The slider of ipywidgets tells a screen reader its value and no name; a field has both.
    """
    from ipywidgets import BoundedFloatText, BoundedIntText, Dropdown, FloatSlider, IntSlider, Layout, link

    named: dict[str, Any] = {"description": knob.name, "style": _NAMES}
    if isinstance(knob, Choice):
        options = list(knob.options.items())
        return (Dropdown(options=options, value=knob.start, layout=Layout(width=_CHOICE), **named),)
    limits = {"value": knob.start, "min": knob.low, "max": knob.high, "step": knob.step}
    whole = all(float(value).is_integer() for value in limits.values())
    field = (BoundedIntText if whole else BoundedFloatText)(**limits, layout=Layout(width=_FIELD), **named)
    slider = (IntSlider if whole else FloatSlider)(**limits, layout=Layout(width=_SLIDE), readout=False)
    link((field, "value"), (slider, "value"), transform=(_rounded, _rounded))
    return field, slider


def _rounded(value: float) -> float:
    return round(value, _DECIMALS)


def _jpeg(figure: Figure) -> bytes:
    """Return the figure as a file, and close it."""
    import matplotlib.pyplot as plt

    file = io.BytesIO()
    figure.savefig(file, format="jpeg", pil_kwargs={"quality": 85})
    plt.close(figure)
    return file.getvalue()
