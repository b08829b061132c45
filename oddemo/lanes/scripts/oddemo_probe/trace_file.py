"""The npz that `oddemo` reads as `trace:FILE.npz`, and what it says about its origin."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from oddemo_probe.outputs import Arrays, Found
from oddemo_probe.pictures import Pictures

#: Of the npz; `oddemo` reads this one.
FORMAT = 1


def described(notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the recording depends on: versions, threads, machine."""
    import tensorflow as tf

    versions = {"python": platform.python_version(), "tensorflow": tf.__version__, "numpy": np.__version__}
    # Which Keras stands behind `tf.keras`: keras, or tf_keras where TensorFlow was asked for Keras 2.
    keras = tf.keras.layers.Layer.__module__.split(".")[0]
    versions[keras.replace("_", "-")] = getattr(sys.modules.get(keras), "__version__", "unknown")
    threading = tf.config.threading
    threads = {
        "intra_op": threading.get_intra_op_parallelism_threads(),
        "inter_op": threading.get_inter_op_parallelism_threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "default"),
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return {"versions": versions, "threads": threads, "machine": machine, "recorder": "probe.py", "notes": list(notes)}


def write_trace(
    path: Path,
    *,
    source: str,
    pictures: Pictures,
    show_images: bool,
    dense: dict[str, Arrays],
    detections: Sequence[Found],
    labels: Sequence[str],
    provenance: dict[str, Any],
) -> None:
    """Write the npz that `oddemo.audit.trace.load_trace` reads; it appears whole or not at all."""
    meta = {
        "format": FORMAT,
        "source": source,
        "image_names": pictures.names,
        "labels": list(labels),
        "provenance": provenance,
        "has_images": show_images,
        "has_detections": True,
    }
    arrays: Arrays = {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    if show_images:
        arrays.update({f"image/{index}": image for index, image in enumerate(pictures.images)})
    for stage, members in dense.items():
        arrays.update({f"dense/{stage}/{name}": array for name, array in members.items()})
    arrays["detections/counts"] = np.array([len(found.scores) for found in detections], dtype=np.int64)
    for field in Found._fields:
        arrays[f"detections/{field}"] = np.concatenate([getattr(found, field) for found in detections])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=str(path.parent)) as folder:
        whole = Path(folder) / path.name
        with whole.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        whole.replace(path)


def weights_sha256(folder: Path) -> str:
    """Return a hash over the files below variables/."""
    digest = hashlib.sha256()
    for path in sorted((folder / "variables").glob("*")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
