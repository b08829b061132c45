"""What each TensorFlow and each Keras offers to artefacts: tables that `tools/lane_offers.py` wrote by asking them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from oddemo.files import read_json

FOLDER = Path(__file__).parent / "offers"
OPERATIONS, RUNTIMES, KERAS = FOLDER / "operations.txt", FOLDER / "runtimes.json", FOLDER / "keras.json"


@cache
def runtimes() -> dict[str, Any]:
    """Return what TensorFlow versions accept besides operations, and the lanes that were asked."""
    found: dict[str, Any] = read_json(RUNTIMES)
    return found


@cache
def keras_table() -> dict[str, Any]:
    """Return what Keras versions write, take and compute."""
    found: dict[str, Any] = read_json(KERAS)
    return found


def tensorflow_versions() -> tuple[str, ...]:
    """Return the versions that were asked, oldest first."""
    return tuple(dict.fromkeys(versions["tensorflow"] for versions in runtimes()["lanes"].values()))


def keras_versions() -> tuple[str, ...]:
    """Return the versions that were asked, oldest first."""
    return tuple(sorted(keras_table()["versions"], key=number_of))


def keras_of(tensorflow: str) -> str:
    """Return the Keras that the lane of a TensorFlow version has, the first if there are several."""
    return next(str(v["keras"]) for v in runtimes()["lanes"].values() if v["tensorflow"] == tensorflow)


def number_of(version: str) -> tuple[int, ...]:
    """Return a version as numbers, so that versions can be put in order."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def standing_for(version: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return which known versions stand for one: itself, one of the same minor version, else both neighbours.

    Returns:
        One or two versions; none if it is older or newer than all of them.
    """
    versions = sorted(known, key=number_of)
    wanted = number_of(version)
    near = [other for other in versions if number_of(other)[:2] == wanted[:2]]
    if version in versions or near:
        return (version if version in versions else near[-1],)
    older = [other for other in versions if number_of(other) < wanted]
    newer = [other for other in versions if number_of(other) > wanted]
    return (older[-1], newer[0]) if older and newer else ()


@dataclass(frozen=True)
class Runtime:
    """One TensorFlow with one Keras, both of versions that were asked."""

    tensorflow: str
    keras: str

    @cached_property
    def operations(self) -> dict[str, frozenset[str]]:
        """Operation → the attributes that it has here."""
        return _operations(self.tensorflow)[0]

    @cached_property
    def without_kernel(self) -> frozenset[str]:
        """Operations that are registered here, but run on a CPU in another version only."""
        return _operations(self.tensorflow)[1]

    @property
    def graph_number(self) -> int:
        """The number of the graphs that this TensorFlow writes, the newest that it knows."""
        return int(runtimes()["graph"][self.tensorflow]["producer"])

    def allowed(self, op: str, attribute: str) -> list[Any] | None:
        """Return the values that an attribute may have here, None where versions do not differ in that."""
        found = runtimes()["allowed"].get(op, {}).get(attribute, {}).get(self.tensorflow)
        return found if isinstance(found, list) else None

    def tflite_versions(self, builtin: str) -> tuple[int, int] | None:
        """Return the oldest and newest version of a built-in operation that the TFLite runtime has."""
        found = runtimes()["tflite"].get(builtin, {}).get(self.tensorflow)
        return (int(found[0]), int(found[1])) if found else None

    @property
    def runs_unassigned_variables(self) -> bool:
        """Whether the TFLite runtime runs on when a variable is read that has no value."""
        return bool(runtimes()["unassigned_variable"][self.tensorflow] == "runs")

    def of_keras(self, *names: str) -> Any:
        """Return what the Keras table says about this Keras."""
        value = keras_table()
        for name in names:
            value = value[name]
        return value[self.keras]


def known_anywhere(op: str) -> bool:
    """Return whether any version that was asked registers an operation."""
    return op in _lines()


@cache
def _lines() -> dict[str, tuple[str, list[str]]]:
    """Return operation → where it is, and its words in the table."""
    _, *lines = OPERATIONS.read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        first, *rest = line.split()
        name, _, where = first.partition("@")
        found[name] = (where, rest)
    return found


@cache
def _operations(version: str) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    having: dict[str, frozenset[str]] = {}
    without: set[str] = set()
    for name, (where, rest) in _lines().items():
        if not _is_in(version, where):
            continue
        words = [word.partition("@") for word in rest]
        having[name] = frozenset(word for word, _, at in words if word[0] != "!" and _is_in(version, at))
        if any(word == "!cpu" and not _is_in(version, at) for word, _, at in words):
            without.add(name)
    return having, frozenset(without)


def _is_in(version: str, where: str) -> bool:
    """Return whether a version is among `first+`, `-last`, or versions with `|` between; nothing means all."""
    if not where:
        return True
    if where.endswith("+"):
        return number_of(version) >= number_of(where[:-1])
    return number_of(version) <= number_of(where[1:]) if where[0] == "-" else version in where.split("|")
