"""Detections in words and in numbers of each class, for notebooks and terminals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oddemo.data.records import Detections


def in_words(detections: Detections, class_names: Sequence[str], *, score_from: float = 0.3) -> str:
    """Return the detections of a picture as `name score, name score, …`, best score first.

    Args:
        detections: Of one picture.
        class_names: Class id `k` is `class_names[k - 1]`; an id without a name is told as a number.
        score_from: Detections with a lower score are left out.
    """
    shown = detections.above(score_from)
    return ", ".join(
        f"{_name(class_id, class_names)} {score:.2f}"
        for class_id, score in zip(shown.class_ids.tolist(), shown.scores.tolist(), strict=True)
    )


def count_by_name(
    pictures: Iterable[Detections], class_names: Sequence[str], *, score_from: float = 0.5
) -> dict[str, int]:
    """Return how many detections of each class there are in all pictures together.

    Args:
        pictures: Detections of each picture.
        class_names: Class id `k` is `class_names[k - 1]`.
        score_from: Detections with a lower score are not counted.

    Returns:
        Class name → number, every class in the order of its id, then ids without a name if there are any.
    """
    counts = dict.fromkeys(class_names, 0)
    for detections in pictures:
        for class_id in detections.above(score_from).class_ids.tolist():
            name = _name(class_id, class_names)
            counts[name] = counts.get(name, 0) + 1
    return counts


def _name(class_id: int, class_names: Sequence[str]) -> str:
    return class_names[class_id - 1] if 1 <= class_id <= len(class_names) else f"id {class_id}"
