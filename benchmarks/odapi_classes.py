"""Another `num_classes` at the export: the API's exporter ends without an error, and nobody can load what it wrote.

No trial of the fault benchmark can hold this fault: there, a deployment is run beside the reference. This one cannot
run. What is asked instead: do the files alone say what is wrong, before anything is loaded?
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from oddemo.audit.sources.parse import parse_source
from oddemo.errors import OddemoError
from oddemo.export.cards import read_card
from oddemo.export.loading.predict import predict
from oddemo.files import read_json, write_json
from oddemo.lanes.running import lane_environment, made_lane, run_in_lane
from oddemo.progress import track

#: The number in the configurations that the API ships (COCO's), one too few, and that of training.
OTHERS = (90, 2, 3)
#: The card's note begins so.
NOTE = "It cannot be loaded: "
#: Runtimes that are asked about: that of the lane, and that of this repository.
RUNTIMES = ("tensorflow==2.15", "tensorflow==2.20")


def other_classes(detector: Path, done: Path) -> list[dict[str, Any]]:
    """Export a detector with each number of classes that is not done yet; return what files and runtimes said."""
    found = []
    for classes in track(OTHERS, "numbers of classes"):
        path = done / f"classes_{classes}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="oddemo-classes-") as folder:
                write_json(path, with_classes(detector, classes, Path(folder) / "export"))
        found.append(read_json(path))
    return found


def with_classes(detector: Path, classes: int, folder: Path) -> dict[str, Any]:
    """Export with a number of classes; return what the exporter, the files and the runtimes say of it."""
    override = f"model {{ ssd {{ num_classes: {classes} }} }}"
    command: list[str | Path] = ["export", detector.absolute(), "--out", folder, "--override", override]
    # It raises where the exporter's exit status is not 0.
    run_in_lane(made_lane("odapi"), command, what="The export failed")
    place = folder / "saved_model"
    asked = {runtime: predict(place, runtime) for runtime in RUNTIMES}
    return {
        "num_classes": classes,
        "trained": read_card(detector).value("class_count"),
        "exporter_exit_status": 0,
        "written": (place / "saved_model.pb").is_file(),
        "card": [note.removeprefix(NOTE) for note in read_card(place).notes if note.startswith(NOTE)],
        "predicted": {runtime: one.outcome for runtime, one in asked.items()},
        "reasons": sorted({r.rule for one in asked.values() for r in one.readings[0].reasons}),
        "loading": {"tensorflow==2.15": loaded_in_lane(place), "audit": loaded_by_audit(place)},
    }


def loaded_in_lane(place: Path) -> str:
    """Load a SavedModel in the lane; return the last line of what was said, empty if it loads."""
    code = "import sys, tensorflow as tf; tf.saved_model.load(sys.argv[1])"
    command = [str(made_lane("odapi").python), "-W", "ignore", "-c", code, str(place)]
    environment = lane_environment() | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.stderr.strip().splitlines()[-1].replace(str(place), "EXPORT") if done.returncode else ""


def loaded_by_audit(place: Path) -> str:
    """Open a SavedModel as an audit does; return why it is refused, empty if it is not."""
    try:
        parse_source(f"savedmodel:{place}")
    except OddemoError as error:
        return str(error.found)
    return ""
