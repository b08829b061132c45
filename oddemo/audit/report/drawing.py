"""Where a box and its name go on a picture: SVG geometry in the picture's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oddemo.audit.report.colours import class_colour, ink_on
from oddemo.audit.report.states import ShownBox
from oddemo.audit.report.visible import shortened, visible

#: Height of a letter as a part of the picture's width: about 11 px where three pictures stand in a row.
_LETTER = 0.03
#: Width of a letter of a monospaced font, in heights.
_ADVANCE = 0.61
#: Longest name on a picture; the whole name is in the box's tooltip.
_LONGEST = 14

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Chip:
    """A name on a coloured ground.

    Attributes:
        x: Left side.
        y: Top side.
        width: Of the ground.
        height: Of the ground.
        baseline: Of the letters.
        letter: Their height.
        text: Name and score.
        ground: Colour of the class.
        ink: Colour of the letters.
    """

    x: float
    y: float
    width: float
    height: float
    baseline: float
    letter: float
    text: str
    ground: str
    ink: str


@dataclass(frozen=True)
class DrawnBox:
    """A rectangle, its tooltip, and its chip if there was room for one."""

    x: float
    y: float
    width: float
    height: float
    state: str
    tooltip: str
    chip: Chip | None


def drawn_boxes(boxes: Sequence[ShownBox], size_hw_px: tuple[int, int]) -> list[DrawnBox]:
    """Lay out boxes and their names, the best score first; a name that would cover another one is left out.

    Args:
        boxes: In pixels of the picture.
        size_hw_px: Height and width of the picture.
    """
    taken: list[Rectangle] = []
    drawn = []
    for box in boxes:
        y_min, x_min, y_max, x_max = box.box_yxyx_px
        x, y = min(x_min, x_max), min(y_min, y_max)
        width, height = abs(x_max - x_min), abs(y_max - y_min)
        chip = _chip(box, (x, y, width, height), size_hw_px, taken)
        if chip is not None:
            taken.append((chip.x, chip.y, chip.width, chip.height))
        tooltip = f"{visible(box.name)}, score {box.score:.3f}, {box.state.replace('_', ' ')}"
        drawn.append(DrawnBox(_round(x), _round(y), _round(width), _round(height), box.state, tooltip, chip))
    return drawn


def _chip(box: ShownBox, place: Rectangle, size_hw_px: tuple[int, int], taken: Sequence[Rectangle]) -> Chip | None:
    letter = _LETTER * size_hw_px[1]
    text = f"{shortened(box.name, _LONGEST)} {box.score:.2f}"
    width, height = letter * (_ADVANCE * len(text) + 0.5), 1.3 * letter
    x, y, _, tall = place
    left = max(0.0, min(x, size_hw_px[1] - width))
    for top in (y - height, y, y + tall, y + tall - height):
        spot = (left, top, width, height)
        if top >= 0.0 and top + height <= size_hw_px[0] and not any(_overlap(spot, other) for other in taken):
            ground = class_colour(box.class_id)
            return Chip(
                x=_round(left),
                y=_round(top),
                width=_round(width),
                height=_round(height),
                baseline=_round(top + 0.98 * letter),
                letter=_round(letter),
                text=text,
                ground=ground,
                ink=ink_on(ground),
            )
    return None


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def _round(value: float) -> float:
    return round(value, 1)
