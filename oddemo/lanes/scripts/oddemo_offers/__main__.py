"""`python -m oddemo_offers write FOLDER LANE`, and when every lane has, `python -m oddemo_offers read FOLDER LANE`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from oddemo_offers import computing, dynamic, files, forms, lite, operations, rebuilding


def write(folder: Path, lane: str) -> dict[str, Any]:
    """Return what a lane offers by itself, and write probe files for the others."""
    (folder / lane).mkdir(exist_ok=True)
    np.savez(folder / lane / "activations.npz", **computing.activations())
    np.savez(folder / lane / "layers.npz", **computing.layers())
    return {
        "operations": operations.registered(),
        "graph": operations.graph_versions(),
        "tflite": lite.builtin_versions(),
        "tflite_names": lite.builtin_names(),
        "unassigned_variable": lite.unassigned_variable(),
        "objects": rebuilding.written(),
        "weights_layout": files.weights_layout(folder / lane),
        "containers": files.containers(folder / lane),
        "checkpoint_names": files.checkpoint_names(folder / lane),
        "forms": forms.forms_taken(folder / lane),
        "delegated": dynamic.write_models(folder / lane),
    }


def read(folder: Path, lane: str) -> dict[str, Any]:
    """Return what a lane makes of what the others wrote."""
    written = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("tf*.json"))}
    objects = {name: told["objects"] for name, told in written.items()}
    modules = sorted({entry["module"] for told in objects.values() for entry in told.values() if entry["module"]})
    return {
        "modules": rebuilding.importable(modules),
        "refused": rebuilding.taken(objects[lane], objects),
        "weights_layouts": sorted(
            {told["weights_layout"] for name, told in written.items() if files.reads_weights(folder / name)}
        ),
        "distances": {name: dynamic.distances(folder / name) for name in written},
    }


def main() -> int:
    """Do one of the two and write its result beside the other lanes'."""
    command, folder, lane = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    out = folder / (f"{lane}.json" if command == "write" else f"read-{lane}.json")
    out.write_text(json.dumps({"write": write, "read": read}[command](folder, lane)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
