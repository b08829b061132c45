"""What a Keras file asks of a runtime: its container, the modules, classes and keys in it, and what they compute."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from oddemo.export.cards.h5_file import parse_config, read_h5
from oddemo.export.cards.keras_config import inbound, layers_of, objects
from oddemo.export.cards.keras_file import archive_texts, keras_weights
from oddemo.export.loading.keras_forms import FUNCTIONAL, form_reasons
from oddemo.export.loading.offers import Runtime, keras_table, keras_versions, standing_for
from oddemo.export.loading.record import CHANGES, FAILS, UNKNOWN, Reading, Reason

LOAD, LOAD_WEIGHTS = "keras.models.load_model(PATH, compile=False)", "model.load_weights(PATH)"
WEIGHTS_NOTE = "It holds weights only: whether your code computes the same there is not in it."
_MODELS = (*FUNCTIONAL, "Sequential")
#: Marks that Keras puts into a configuration; they are no classes.
_MARKS = ("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__ellipsis__", "__slice__", "function")


def keras_readings(path: Path, runtime: Runtime) -> tuple[Reading, ...]:
    """Return how a Keras file can be read by a runtime's Keras.

    Raises:
        OddemoError: If it is damaged or hostile.
    """
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    if zipfile.is_zipfile(path):
        config, version = archive_texts(path)
        reasons = [
            *_of_config(config, version, runtime, archive=True),
            *_of_weights(_in_archive(path, *stamp), runtime),
        ]
        return (Reading(LOAD, tuple(dict.fromkeys(reasons))),)
    texts, keys = _h5(path, *stamp)
    if "model_config" not in texts:
        return (Reading(LOAD_WEIGHTS, tuple(_of_weights(keys, runtime))),)
    config = parse_config(texts["model_config"], "The attribute model_config")
    reasons = list(_of_config(config, texts.get("keras_version"), runtime, archive=False))
    if path.suffix == ".keras" and not runtime.of_keras("containers")["hdf5_in_keras"]:
        text = f"it is HDF5 inside, and Keras {runtime.keras} takes only archives for .keras; call it .h5"
        return (Reading(LOAD, (Reason("hdf5_in_keras", FAILS, text, "the first bytes"), *dict.fromkeys(reasons))),)
    return (Reading(LOAD, tuple(dict.fromkeys(reasons))),)


@lru_cache(maxsize=4)
def _h5(path: Path, changed_ns: int, size: int) -> tuple[dict[str, str], frozenset[str]]:
    """Return the texts and the names of the tensors in an HDF5 file; read once for all runtimes, as it costs a process.

    Args:
        path: The file.
        changed_ns: When it was changed.
        size: Its bytes; another file of the same name is read again.
    """
    del changed_ns, size
    texts, tensors = read_h5(path)
    return texts, frozenset(tensor.key for tensor in tensors)


@lru_cache(maxsize=4)
def _in_archive(path: Path, changed_ns: int, size: int) -> frozenset[str]:
    """Return the names of the tensors in a .keras archive; read once as above."""
    del changed_ns, size
    return frozenset(tensor.key for tensor in keras_weights(path))


def _of_weights(keys: frozenset[str], runtime: Runtime) -> Iterator[Reason]:
    """Look whether the weights lie where a runtime looks for them.

    Weights of layers of one kind are numbered, in steps that differ between versions; a file with one layer of each
    kind fits every numbering below its root.
    """
    if not keys:
        return
    known = {layout for layouts in keras_table()["weights_layouts"].values() for layout in layouts}
    taken = set(runtime.of_keras("weights_layouts"))
    found = _layout(keys)
    fitting = {layout for layout in known if layout.startswith(found)}
    if not fitting:
        text = f"its weights lie at {found}…, where no Keras that was asked writes them"
        yield Reason("weights_layout", UNKNOWN, text, min(keys))
    elif not fitting & taken:
        text = f"its weights lie at {found}; Keras {runtime.keras} looks at {', '.join(sorted(taken))}"
        yield Reason("weights_layout", FAILS, text, min(keys))
    elif not fitting <= taken:
        text = f"its weights lie at {found}…, which several versions number in their own ways"
        yield Reason("weights_layout", UNKNOWN, text, min(keys))


def _layout(keys: frozenset[str]) -> str:
    """Return where the second layer of a kind lies, such as layers/NAME_1, or layers/NAME_ where no kind has two."""
    root = min(keys).split("/")[0]
    numbers: dict[str, set[int]] = {}
    for key in keys:
        name = key.removeprefix(f"{root}/").split("/")[0] if key.startswith(f"{root}/") else ""
        match = re.fullmatch(r"(.*?)_(\d+)", name)
        numbers.setdefault(match[1] if match else name, set()).add(int(match[2]) if match else 0)
    seconds = {sorted(found)[1] for found in numbers.values() if len(found) > 1}
    return f"{root}/NAME_{min(seconds)}" if seconds else f"{root}/NAME_"


def _of_config(config: Any, written_by: str | None, runtime: Runtime, *, archive: bool) -> Iterator[Reason]:
    if isinstance(config, dict):  # the optimizer is not needed to run it
        config = {key: value for key, value in config.items() if key != "compile_config"}
    for place, item in objects(config):
        name, module = item["class_name"], item.get("module")
        if name in _MARKS:
            continue
        if archive and isinstance(module, str):
            yield from _of_module(module, name, place, runtime)
        if name in FUNCTIONAL:
            yield from form_reasons(item.get("config"), place, runtime, archive=archive)
        if name not in _MODELS:
            yield from _of_class(name, item, place, runtime)
    yield from _of_computing(config, written_by, runtime)


def _of_module(module: str, name: str, place: str, runtime: Runtime) -> Iterator[Reason]:
    having = runtime.of_keras("modules")
    if module in having or module == "builtins":
        return
    if any(module in listed for listed in keras_table()["modules"].values()):
        text = f"{name} is looked for in the module {module}, which Keras {runtime.keras} does not have"
        yield Reason("module_missing", FAILS, text, place)
    else:
        yield Reason(
            "module_unknown", UNKNOWN, f"{name} comes from the module {module}, which was not asked for", place
        )


def _of_class(name: str, item: dict[str, Any], place: str, runtime: Runtime) -> Iterator[Reason]:
    known = keras_table()["classes"].get(name)
    if known is None:
        yield Reason("class_unknown", UNKNOWN, f"the class {name} is no part of a Keras that was asked", place)
        return
    if runtime.keras in known["unknown_to"]:
        yield Reason("class_missing", FAILS, f"Keras {runtime.keras} has no class {name}", place)
        return
    config = item.get("config")
    keys = set(config) if isinstance(config, dict) else set()
    refused = sorted(keys & set(known["refused"].get(runtime.keras, ())))
    if refused:
        text = f"Keras {runtime.keras} refuses the key {', '.join(refused)} of {name}"
        yield Reason("key_refused", FAILS, text, place)
    strange = sorted(keys - set(known["keys"]))
    if strange:
        text = f"no Keras that was asked writes the key {', '.join(strange)} of {name}"
        yield Reason("key_unknown", UNKNOWN, text, place)


def _of_computing(config: Any, written_by: str | None, runtime: Runtime) -> Iterator[Reason]:
    """Look for activations and layers that another Keras computes in another way."""
    computes = keras_table()["computes"]
    here = f"Keras {runtime.keras}"
    for place, item in objects(config):
        settings = item.get("config")
        for key, value in settings.items() if isinstance(settings, dict) else ():
            if "activation" in key and isinstance(value, str) and _differs(computes, value, written_by, runtime):
                text = f"{here} computes {value} in another way than Keras {written_by}"
                yield Reason("computed_otherwise", CHANGES, text, place)
        if _differs(computes, item["class_name"], written_by, runtime):
            text = f"{here} computes {item['class_name']} in another way than Keras {written_by}"
            yield Reason("computed_otherwise", CHANGES, text, place)
    layers = layers_of(config)
    pictures = {_name(layer) for layer in layers if '"dtype": "uint8"' in json.dumps(layer.get("config"))}
    for layer in layers:
        kind = layer.get("class_name")
        if pictures & set(inbound(layer)) and _differs(computes, f"{kind}@uint8", written_by, runtime):
            text = f"{here} computes {kind} of uint8 pictures in another way than Keras {written_by}"
            yield Reason("computed_otherwise", CHANGES, text, _name(layer))


def _name(layer: dict[str, Any]) -> str:
    settings = layer.get("config")
    return str(layer.get("name") or (settings.get("name") if isinstance(settings, dict) else "") or "")


def _differs(computes: dict[str, Any], name: str, written_by: str | None, runtime: Runtime) -> bool:
    """Return whether a thing is known to come out differently; a writer between two versions must differ from both."""
    groups = computes["activations"].get(name) or computes["layers"].get(name)
    if groups is None or written_by is None:
        return False
    ours = next((group for group in groups if runtime.keras in group), None)
    writers = standing_for(written_by, keras_versions())
    return ours is not None and bool(writers) and not any(writer in ours for writer in writers)
