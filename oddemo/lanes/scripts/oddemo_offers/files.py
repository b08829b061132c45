"""Which files this Keras writes and reads: containers, the places of weights, the names in a checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

_WEIGHTS = "probe.weights.h5"


def probe_model() -> Any:
    """Return a model of two layers with weights."""
    import keras

    given = keras.Input((4,), name="given")
    hidden = keras.layers.Dense(3, name="first")(given)
    return keras.Model(given, keras.layers.Dense(2, name="second")(hidden), name="probe")


def weights_layout(folder: Path) -> str:
    """Write a file of weights; return where the second layer of a kind lies, such as layers/NAME_1."""
    import h5py

    probe_model().save_weights(str(folder / _WEIGHTS))
    with h5py.File(folder / _WEIGHTS, "r") as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    groups = {name.split("/")[1] for name in found if name.split("/")[1].startswith("dense")}
    return f"{found[0].split('/')[0]}/NAME{max(groups, key=len)[len('dense') :]}"


def reads_weights(folder: Path) -> bool:
    """Say whether weights of another lane are read."""
    try:
        probe_model().load_weights(str(folder / _WEIGHTS))
    except Exception:  # whatever it is, it does not load
        return False
    return True


def containers(folder: Path) -> dict[str, bool]:
    """Say which containers of whole models `load_model` reads: HDF5, the same called .keras, a SavedModel folder."""
    import keras
    import tensorflow as tf

    model = probe_model()
    model.save(str(folder / "probe.h5"))
    shutil.copy(str(folder / "probe.h5"), str(folder / "hdf5.keras"))
    try:
        model.save(str(folder / "saved_model"))
    except ValueError:  # Keras 3 does not write them
        tf.saved_model.save(model, str(folder / "saved_model"))
    found = {}
    for name, path in {"h5": "probe.h5", "hdf5_in_keras": "hdf5.keras", "saved_model": "saved_model"}.items():
        try:
            keras.models.load_model(str(folder / path), compile=False)
        except Exception:  # whatever it is, it does not load
            found[name] = False
        else:
            found[name] = True
    return found


def checkpoint_names(folder: Path) -> list[str]:
    """Return the names of what holds a model's variables in a checkpoint, numbers replaced by #."""
    import re

    import tensorflow as tf

    tf.train.Checkpoint(model=probe_model()).write(str(folder / "ckpt"))
    keys = [key for key, _ in tf.train.list_variables(str(folder / "ckpt")) if key.startswith("model/")]
    return sorted({re.sub(r"\d+", "#", key.split("/")[1]) for key in keys})
