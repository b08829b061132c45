"""In which forms this Keras takes what a functional model's file says of its one input and its one output.

A model that is read is a real file of this Keras, in which one of the two was put into another form.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

from oddemo_offers.files import probe_model

PLACES = ("input_layers", "output_layers")
#: Forms that are tried: the place of a tensor (layer, node, number) alone, in a list, or under its layer's name.
FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "flat": lambda place: place,
    "listed": lambda place: [place],
    "named": lambda place: {place[0]: place},
}


def forms_taken(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return container (`archive`, `h5`) → key of the configuration → the forms that load."""
    _save(folder / "own.keras", folder / "own.h5")
    found: dict[str, dict[str, list[str]]] = {}
    for container, name in (("archive", "own.keras"), ("h5", "own.h5")):
        config = json.loads(_read(folder / name))
        found[container] = {}
        for key in PLACES:
            taken = []
            for form, put in FORMS.items():
                other = {**config, "config": {**config["config"], key: put(_one(config["config"][key]))}}
                path = folder / f"{key}_{form}{Path(name).suffix}"
                _write(folder / name, path, json.dumps(other))
                if _loads(path):
                    taken.append(form)
            found[container][key] = taken
    return found


def _save(archive: Path, h5: Path) -> None:
    model = probe_model()
    model.save(str(archive))
    if not zipfile.is_zipfile(archive):  # Keras 2.12 asks for it in words
        model.save(str(archive), save_format="keras")
    model.save(str(h5))


def _one(places: Any) -> list[Any]:
    """Return the place of the only tensor, in whatever form this Keras writes it."""
    inner = list(places.values()) if isinstance(places, dict) else places
    return list(inner if isinstance(inner[0], str) else inner[0])


def _read(path: Path) -> str:
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json").decode()
    with h5py.File(path, "r") as file:
        text = file.attrs["model_config"]
    return text if isinstance(text, str) else text.decode()


def _write(own: Path, path: Path, config: str) -> None:
    """Write the same file with another configuration."""
    import h5py

    if zipfile.is_zipfile(own):
        with zipfile.ZipFile(own) as before, zipfile.ZipFile(path, "w") as after:
            for name in before.namelist():
                after.writestr(name, config if name == "config.json" else before.read(name))
        return
    path.write_bytes(own.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = config


def _loads(path: Path) -> bool:
    import keras

    try:
        keras.models.load_model(str(path), compile=False)
    except Exception:  # whatever it is, it does not load
        return False
    return True
