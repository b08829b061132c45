"""Notebook 11: telling weights apart, judged by the bytes of the files and by sets that were made to be related."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.story import detector_folder
from oddemo.course.answers import called
from oddemo.course.exercise import Exercise, NotYet

Weights = dict[str, NDArray[np.float32]]


def hand_out(folder: Path) -> dict[str, Path]:
    """Write four detector folders, of which some have the weights of the shipped detector and some have not."""
    original = detector_folder("inspection")
    places = {name: Path(folder) / name for name in ("amber", "birch", "cedar", "dogwood")}
    for place in places.values():
        shutil.copytree(original, place, ignore=shutil.ignore_patterns("logs"))
    # The same weights under another name.
    for part in places["amber"].glob("ckpt-4000.*"):
        part.rename(part.with_name(part.name.replace("4000", "9000")))
    state = places["amber"] / "checkpoint"
    state.write_text(state.read_text(encoding="utf-8").replace("ckpt-4000", "ckpt-9000"), encoding="utf-8")
    # One number of one tensor is another one; name, size and date of the files tell nothing.
    data = places["birch"] / "ckpt-4000.data-00000-of-00001"
    numbers = np.frombuffer(data.read_bytes(), np.uint8).copy()
    numbers[numbers.size // 2] ^= 1
    data.write_bytes(numbers.tobytes())
    # Other settings, the same weights.
    params = places["cedar"] / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("pre_nms_score_threshold: 0.05", "pre_nms_score_threshold: 0.5"), encoding="utf-8")
    # The detector of the other world in this one's folder.
    for part in detector_folder("wildlife").glob("ckpt-4000.*"):
        shutil.copy(part, places["dogwood"])
    return places


def judge_others(others: Any) -> str:
    """Judge the names of the folders whose weights are not the shipped detector's."""
    if isinstance(others, str) or not hasattr(others, "__iter__"):
        raise NotYet(f"a {type(others).__name__} came", "a set of names is asked for")
    said = {str(one) for one in others}
    with tempfile.TemporaryDirectory() as folder:
        places = hand_out(Path(folder))
        due = {name for name, place in places.items() if _hashed(place) != _hashed(detector_folder("inspection"))}
    if said - set(places):
        raise NotYet(f"{sorted(said - set(places))[0]!r} is no folder", "the names are the keys of `places`")
    if said != due:
        wrong, passed_over = sorted(said - due), sorted(due - said)
        if wrong:
            raise NotYet(
                f"{wrong[0]} is accused, and its weights are the reference's",
                "names and settings are not weights: which line of the card is made of the weights alone?",
            )
        raise NotYet(
            f"{len(passed_over)} of them {'is' if len(passed_over) == 1 else 'are'} passed over",
            "equal numbers of tensors and parameters say nothing: which line of the card looks at every number?",
        )
    return f"{len(due)} of {len(places)} have other weights, as the bytes of their files say"


def _hashed(folder: Path) -> str:
    (data,) = folder.glob("ckpt-*.data-*")
    return hashlib.sha256(data.read_bytes()).hexdigest()


def _weights(rng: np.random.Generator) -> Weights:
    names = [f"layer{k}/{part}" for k in range(4) for part in ("kernel", "gamma", "moving_mean", "moving_variance")]
    return {name: rng.normal(0, 1, (3, 5)).astype(np.float32) for name in names}


def _statistic(name: str) -> bool:
    return name.endswith(("moving_mean", "moving_variance"))


def judge_relation(relation: Any) -> str:
    """Judge `relation(first, second)`, which returns "same", "averaged", "in part" or "another"."""
    rng = np.random.default_rng(111)
    first, fresh = _weights(rng), _weights(rng)
    near = {name: (value * 1.0001).astype(np.float32) for name, value in first.items()}
    turned = dict(reversed(first.items()))
    cases = [
        ("same", "the same weights, read in another order", turned, "names belong to arrays, places do not"),
        ("averaged", "averaged weights", _mixed(first, near, keep=_statistic), "which ones differ, and which do not?"),
        ("in part", "a head left out", _mixed(first, fresh, keep=lambda name: not name.startswith("layer3")), ""),
        ("in part", "a backbone left out", _mixed(first, fresh, keep=lambda name: name.startswith("layer3")), ""),
        ("in part", "kernels restored alone", _mixed(first, fresh, keep=lambda name: name.endswith("kernel")), ""),
        ("another", "a step later", near, "close is not equal: nearly the same number is another training step"),
        ("another", "another training", fresh, "is there anything equal at all?"),
    ]
    words = {one[0] for one in cases}
    for due, name, second, hint in cases:
        answer = called(relation, dict(first), second)
        if answer not in words:
            raise NotYet(f"it says {answer!r}", "one of the four words of the table is asked for")
        if answer != due:
            told = hint or "the rows of the table are asked from above: which is the first one that holds?"
            raise NotYet(f"{name}: it says {answer!r}", told)
    return f"{len(cases)} pairs of weights are told apart"


def _mixed(first: Weights, second: Weights, *, keep: Any) -> Weights:
    return {name: value if keep(name) else second[name] for name, value in first.items()}


EXERCISES = (
    Exercise(
        "11.1",
        "find the detectors with other weights, by their cards alone",
        "print the `weights` of two cards, and look for what is made of the numbers themselves",
        judge_others,
    ),
    Exercise(
        "11.2",
        "say how two sets of weights are related",
        "collect the names of the arrays that are equal, and those of the arrays that are not",
        judge_relation,
    ),
)
