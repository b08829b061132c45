"""Sound deployments of a detector that differ in everything that should not matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import build
from oddemo.audit.plant.record import Parts
from oddemo.data.records import Dataset
from oddemo.data.scenes import WorldSpec, make_world
from oddemo.export.saved_model import export_saved_model
from oddemo.export.tflite import export_tflite

PICTURES = 12
#: On so many sets of pictures the export is also run in a process of its own, with other kernels and other threads.
OTHER_MACHINES = 4


def deployments(detector: Path, folder: Path) -> dict[str, str]:
    """Deploy a detector soundly in every way; return kind → source."""
    models = {
        "image_tensor": export_saved_model(detector, folder / "tensor"),
        "exported_again": export_saved_model(detector, folder / "again"),
        "batch_of_1": export_saved_model(detector, folder / "one", batch_size=1),
        "image_bytes": export_saved_model(detector, folder / "bytes", input_type="image_bytes"),
        "tf_example": export_saved_model(detector, folder / "example", input_type="tf_example"),
    }
    sources = {kind: f"savedmodel:{place}" for kind, place in models.items()}
    sources["tflite"] = f"tflite:{export_tflite(detector, folder / 'model.tflite')}"
    sources["script"] = build(Parts(client="sound"), detector, folder / "script")
    sources["itself"] = f"tfvision:{detector}"
    return sources


def pictures(world: str, seed: int, number: int, folder: Path) -> Dataset:
    """Render a set of pictures; every third set as PNG files."""
    image_format = "png" if number % 3 == 2 else "jpg"
    spec = WorldSpec(world=world, seed=seed, images=PICTURES, image_format=image_format)
    return make_world(spec, folder, splits={"test": PICTURES})


def recordings(sources: dict[str, str], chosen: ImageSet, number: int, folder: Path) -> dict[str, str]:
    """Record an export in another process, oneDNN off and one thread, for a few sets in the order of their names."""
    if number % 2 or number >= 2 * OTHER_MACHINES:
        return {}
    folder.mkdir(parents=True)
    out = folder / "elsewhere.npz"
    command = [sys.executable, "-m", "oddemo", "record", sources["image_tensor"], "--images", str(chosen.root)]
    machine = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True, env=os.environ | machine)
    return {"other_kernels_and_threads": f"trace:{out}"}
