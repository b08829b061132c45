"""What people take away from the Object Detection API, made from the shipped detector in the API's lane."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.files import atomic_folder
from oddemo.lanes.running import lane_environment, made_lane, run_in_lane

#: As many as the detector itself hands out; the exporter's own default is 10.
MAX_DETECTIONS = 50
#: Converts a SavedModel as the API's documentation says: where, whereto, and whether weights become 8 bits.
CONVERT = """
import sys, pathlib, tensorflow as tf
converter = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1])
if sys.argv[3] == "dynamic":
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
pathlib.Path(sys.argv[2]).write_bytes(converter.convert())
"""


@dataclass(frozen=True)
class Artefact:
    """One file or folder that is carried from the lane to a machine with another TensorFlow.

    Attributes:
        name: Of it.
        writer: The lane whose TensorFlow wrote it; that of the API, but for the converter of another version.
        input_type: Of `exporter_main_v2`; empty for TFLite.
        weights: `float32`, or `dynamic` for TFLite weights of 8 bits.
        override: Text that is merged into pipeline.config at the export.
    """

    name: str
    writer: str = "odapi"
    input_type: str = ""
    weights: str = "float32"
    override: str = ""

    @property
    def format(self) -> str:
        """As in the version matrix."""
        return "saved_model" if self.input_type else "tflite_of_saved_model"

    @property
    def place(self) -> str:
        """The folder or file below the folder in which it is made."""
        return "saved_model" if self.input_type else "model.tflite"


ARTEFACTS = (
    *(
        Artefact(name, input_type=name)
        for name in ("image_tensor", "float_image_tensor", "encoded_image_string_tensor", "tf_example")
    ),
    Artefact("tflite"),
    Artefact("tflite_dynamic", weights="dynamic"),
    Artefact("tflite_of_2.20", writer="tf2.20"),
    # The control: nobody can load it (see benchmarks/odapi_classes.py).
    Artefact("num_classes_90", input_type="image_tensor", override="model { ssd { num_classes: 90 } }"),
)


def made_artefact(artefact: Artefact, detector: Path, folder: Path) -> Path:
    """Return where an artefact lies; it is made if it is not there, whole or not at all.

    Args:
        artefact: Which.
        detector: With pipeline.config and checkpoint.
        folder: In which all of them lie.

    Raises:
        OddemoError: If a lane is not made, the exporter or the converter fails.
    """
    place = folder / artefact.name
    if not place.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_folder(place) as making:
            _make(artefact, detector, making)
    return place / artefact.place


def _make(artefact: Artefact, detector: Path, folder: Path) -> None:
    export = folder / "export"
    kind: list[str | Path] = ["--input-type", artefact.input_type]
    if not artefact.input_type:
        kind = ["--tflite", "--max-detections", str(MAX_DETECTIONS)]
    kind += ["--override", artefact.override] if artefact.override else []
    run_in_lane(made_lane("odapi"), ["export", detector, "--out", export, *kind], what="The export failed")
    (export / "saved_model").rename(folder / "saved_model")
    if not artefact.input_type:
        _convert(artefact, folder / "saved_model", folder / artefact.place)


def _convert(artefact: Artefact, export: Path, file: Path) -> None:
    python = made_lane(artefact.writer).python
    command = [str(python), "-W", "ignore", "-c", CONVERT, str(export), str(file), artefact.weights]
    environment = lane_environment() | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise OddemoError(f"The lane {artefact.writer} cannot convert {artefact.name}.", found=done.stderr[-600:])
