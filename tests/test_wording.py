"""Detections in words."""

from __future__ import annotations

from oddemo.data.records import Detections
from oddemo.data.wording import count_by_name, in_words

BOX = [0.0, 0.0, 1.0, 1.0]
NAMES = ("cat", "dog")
FOUND = Detections([BOX] * 4, [0.9, 0.5, 0.31, 0.1], [2, 1, 7, 2])


def test_names_and_scores_in_the_order_given_and_from_a_score_on():
    assert in_words(FOUND, NAMES) == "dog 0.90, cat 0.50, id 7 0.31"
    assert in_words(FOUND, NAMES, score_from=0.6) == "dog 0.90"
    assert in_words(Detections([], [], []), NAMES) == ""


def test_every_class_is_counted_and_ids_without_a_name_are_not_lost():
    assert count_by_name([FOUND, FOUND], NAMES) == {"cat": 2, "dog": 2}
    assert count_by_name([FOUND], NAMES, score_from=0.0) == {"cat": 1, "dog": 2, "id 7": 1}
    assert count_by_name([], NAMES) == {"cat": 0, "dog": 0}
