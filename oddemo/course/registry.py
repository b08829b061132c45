"""All exercises by their ids, in the order of the notebooks."""

from __future__ import annotations

from oddemo.course.exercise import Exercise
from oddemo.course.judges import (
    configuration,
    equality,
    fair_comparisons,
    fault_costs,
    file_versions,
    label_files,
    label_suspects,
    leaning_sets,
    measuring,
    network_input,
    picture_boxes,
    rare_classes,
    reports,
    serving,
    splits,
    suppression,
    weight_sets,
)

_PARTS: tuple[tuple[Exercise, ...], ...] = (
    reports.EXERCISES,
    label_files.EXERCISES,
    measuring.EXERCISES,
    equality.EXERCISES,
    rare_classes.EXERCISES,
    leaning_sets.EXERCISES,
    picture_boxes.EXERCISES,
    label_suspects.EXERCISES,
    splits.EXERCISES,
    fair_comparisons.EXERCISES,
    network_input.EXERCISES,
    weight_sets.EXERCISES,
    suppression.EXERCISES,
    file_versions.EXERCISES,
    configuration.EXERCISES,
    serving.EXERCISES,
    fault_costs.EXERCISES,
)

EXERCISES: dict[str, Exercise] = {exercise.id: exercise for part in _PARTS for exercise in part}
