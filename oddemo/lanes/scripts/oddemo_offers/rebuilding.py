"""What this Keras writes about its layers and other objects, and which keys of another Keras it takes."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Any, Iterator

_ROOMS = ("layers", "initializers", "regularizers", "constraints")
#: For arguments that a class asks for; what is not here is tried with 2.
_GIVEN: dict[str, Any] = {
    "activation": "relu",
    "axis": -1,
    "bin_boundaries": [0.0, 1.0],
    "dims": [2, 1],
    "factor": 0.1,
    "height_factor": 0.1,
    "lower": 0.5,
    "mean": 0.0,
    "rate": 0.5,
    "scale": 0.5,
    "stddev": 0.5,
    "target_shape": [-1],
    "upper": 1.5,
    "value": 0.5,
    "variance": 1.0,
}


def classes() -> Iterator[tuple[str, type]]:
    """Yield `(room, class)` of everything public that a saved model may be made of."""
    import keras

    for room in _ROOMS:
        for name in sorted(dir(getattr(keras, room))):
            found = getattr(getattr(keras, room), name)
            if inspect.isclass(found) and found.__name__ == name and hasattr(found, "get_config"):
                yield room, found


def example(found: type) -> Any:
    """Return an object of a class with nothing but what it asks for.

    Raises:
        Exception: Whatever the class raises if that is not enough.
    """
    parameters = list(inspect.signature(found.__init__).parameters.values())[1:]  # type: ignore[misc]
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return found(**{name: _GIVEN.get(name, 2) for name in needed})


def serialization() -> Any:
    """Return the module that writes and reads objects; Keras 2.12 does not show it under its later name."""
    import keras

    if hasattr(keras.saving, "serialize_keras_object"):
        return keras.saving
    return importlib.import_module("keras.saving.serialization_lib")


def plain(value: Any) -> Any:
    """Return a configuration as JSON values; what is none becomes its text."""
    return json.loads(json.dumps(value, default=repr))


def written() -> dict[str, dict[str, Any]]:
    """Return class name → the object as this Keras writes it, defaults everywhere."""
    import keras

    found = {}
    for _, one in classes():
        try:
            found[one.__name__] = plain(serialization().serialize_keras_object(example(one)))
        except Exception:  # what cannot be made from defaults is not known
            continue
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    inside = keras.Model(small.inputs, small.outputs)
    for model in (small, inside):
        told = plain(serialization().serialize_keras_object(model))
        found[told["class_name"]] = {**told, "config": {}}
    found["InputLayer"] = plain(serialization().serialize_keras_object(inside.layers[0]))
    for entry in _objects([one["config"] for one in list(found.values())] + [plain(inside.get_config())]):
        found.setdefault(entry["class_name"], entry)
    return found


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), dict) and "module" in value:
            yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def importable(modules: list[str]) -> list[str]:
    """Return those of some modules that this Keras can import."""
    found = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        found.append(name)
    return found


def taken(own: dict[str, dict[str, Any]], foreign: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return class name → the keys that this Keras refuses, of all keys that any Keras writes for it.

    Where the whole configuration of another Keras is refused, each of its keys is put alone into this Keras's own one.
    A class that is not known here at all is None.

    Args:
        own: What `written` gave in this version.
        foreign: The same of each other version.
    """
    found: dict[str, Any] = {}
    for name in sorted({name for written_there in foreign.values() for name in written_there}):
        if name in ("Functional", "Sequential", "Model"):
            continue
        theirs = [written_there[name] for written_there in foreign.values() if name in written_there]
        if name not in own:
            found[name] = [] if any(_rebuilds(entry) for entry in theirs) else None
            continue
        refused = set()
        for entry in theirs:
            if _rebuilds(entry):
                continue  # old names of a key are often taken, but not beside the new one
            for key, value in entry["config"].items():
                # An object inside is an entry of its own.
                if key in own[name]["config"] or key in refused or (isinstance(value, dict) and "class_name" in value):
                    continue
                if not _rebuilds({**own[name], "config": {**own[name]["config"], key: value}}):
                    refused.add(key)
        found[name] = sorted(refused)
    return found


def _rebuilds(entry: dict[str, Any]) -> bool:
    try:
        serialization().deserialize_keras_object(entry)
    except Exception:  # whatever it is, it does not load
        return False
    return True
