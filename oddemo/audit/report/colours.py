"""Colours that people with any kind of colour vision can tell apart: seaborn's palette `colorblind`.

They stand here as values because drawing a report needs no plotting library; a test compares them with seaborn's.
"""

from __future__ import annotations

#: One for each class, in turn.
CLASS_COLOURS = (
    "#0173b2",
    "#de8f05",
    "#029e73",
    "#d55e00",
    "#cc78bc",
    "#ca9161",
    "#fbafe4",
    "#949494",
    "#ece133",
    "#56b4e9",
)


def class_colour(class_id: int) -> str:
    """Return the colour of a class id; ids start at 1, and any other integer has a colour too."""
    return CLASS_COLOURS[(class_id - 1) % len(CLASS_COLOURS)]


def ink_on(colour: str) -> str:
    """Return black or white, whichever stands out more on a colour given as `#rrggbb` (WCAG contrast)."""
    luminance = sum(
        weight * _linear(int(colour[at : at + 2], 16) / 255.0) for weight, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )
    return "#000000" if luminance > 0.179 else "#ffffff"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
