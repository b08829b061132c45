"""All exercises by their ids, in the order of the notebooks."""

from __future__ import annotations

from oddemo.course.exercise import Exercise
from oddemo.course.judges import network_input, picture_boxes, suppression

_MODULES = (picture_boxes, network_input, suppression)

EXERCISES: dict[str, Exercise] = {exercise.id: exercise for module in _MODULES for exercise in module.EXERCISES}
