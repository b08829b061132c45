"""Notebook 13: which TensorFlow reads a file as it was meant, judged by what the six TensorFlows really did."""

from __future__ import annotations

from typing import Any

from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import data_folder
from oddemo.files import read_json

#: File in data/versions → model and format in the matrix; both were written by TensorFlow 2.15.
FILES = {"detector.keras": ("detector", "keras"), "pictures_in.h5": ("pictures_in", "h5")}


def _outcomes() -> dict[str, dict[str, str]]:
    """Return file → TensorFlow version → `same`, `changed` or `fails`, as it was measured."""
    matrix = read_json(data_folder().parent / "results" / "version_matrix.json")
    versions = {lane: one["tensorflow"] for lane, one in matrix["lanes"].items()}
    return {
        file: {
            versions[cell["consumer"]]: cell["outcome"]
            for cell in matrix["cells"]
            if (cell["model"], cell["format"], cell["producer"]) == (model, form, "tf2.15")
        }
        for file, (model, form) in FILES.items()
    }


def judge_survives(survives: Any) -> str:
    """Judge file → TensorFlow versions in which it loads and stays what it was."""
    if not isinstance(survives, dict) or set(survives) != set(FILES):
        raise NotYet("the answer has no entry for each file", f"a dict is asked for, its keys {' and '.join(FILES)}")
    measured = _outcomes()
    for file, versions in survives.items():
        if isinstance(versions, str) or not hasattr(versions, "__iter__"):
            raise NotYet(f"{file} has a {type(versions).__name__}", "a list of versions is asked for")
        said, known = {str(one) for one in versions}, measured[file]
        if said - set(known):
            raise NotYet(f"{sorted(said - set(known))[0]!r} is no version of the matrix", "`versions` holds the six")
        wrong = sorted(version for version in said if known[version] != "same")
        if any(known[version] == "changed" for version in wrong):
            raise NotYet(
                f"{file}: a version is named in which it loads and says something else",
                "that it loads is half of the question: which outcomes has a prediction?",
            )
        if wrong:
            raise NotYet(f"{file}: a version is named that cannot read it", "ask `predict`, and print its outcome")
        missing = {version for version, outcome in known.items() if outcome == "same"} - said
        if missing:
            raise NotYet(f"{file}: {len(missing)} more would do", "is every version asked, older ones too?")
    return "so it was when the six TensorFlows read the two files"


EXERCISES = (
    Exercise(
        "13.1",
        "say which TensorFlow reads a file as it was meant",
        "ask `predict` about one file and one version, and print the outcome",
        judge_survives,
    ),
)
