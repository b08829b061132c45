"""TFLite, converted by TF-Vision's own converter.

TF-Vision's default suppression (`nms_version` v2) converts to built-in operations alone, loops included, and the file
says what the reference says: on 64 pictures of each world in three seeds, all 3,715 detections had their partner, with
boxes within 3.1e-5 pixels of the network input and scores within 1.3e-6, with and without XNNPACK.

`nms_version` tflite puts the runtime's custom operation `TFLite_Detection_PostProcess` there instead, with settings of
its own (`…detection_generator.tflite_post_processing`). It does not clip boxes to the network input, returns classes as
floats and no `image_info`, and unless `use_regular_nms` is set it suppresses across classes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.detect.folder import LABEL_MAP, find_checkpoint, read_classes, read_params
from oddemo.errors import OddemoError
from oddemo.export.saved_model import write_graph
from oddemo.files import atomic_file, refuse_to_overwrite
from oddemo.quiet import native_stderr_silenced

#: Float32; weights in float16; weights in 8 bits; weights and activations in 8 bits.
QUANTIZATIONS = ("none", "float16", "dynamic", "int8")


def label_map_beside(tflite_file: Path) -> Path:
    """Return where the label map of a .tflite file lies: `<stem>.label_map.pbtxt` in the same folder."""
    return Path(tflite_file).with_name(f"{Path(tflite_file).stem}.{LABEL_MAP}")


def export_tflite(
    detector_folder: Path,
    out_file: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None,
    module_class: Any = None,
    quantization: str = "none",
    calibration: NDArray[np.float32] | None = None,
    overwrite: bool = False,
) -> Path:
    """Export a detector as a .tflite file, float32 if nothing else is asked for, with its label map beside it.

    The input is one preprocessed picture, (1, h, w, 3) float32: normalised, resized and padded by the caller, as
    `oddemo.detect.preprocess.Preprocessor` does. The outputs are those of the SavedModel, boxes in pixels of the
    network input; `image_info` in them is a constant that knows nothing of the original picture.

    Args:
        detector_folder: `params.yaml`, checkpoint, `label_map.pbtxt`.
        out_file: The .tflite file to write.
        overrides: Dotted names of the configuration → values to export with instead.
        checkpoint: Prefix of another checkpoint to take the weights from.
        module_class: A subclass of TF-Vision's `DetectionModule` to export in its place, for planting a fault.
        quantization: One of `QUANTIZATIONS`.
        calibration: (pictures, h, w, 3) float32 network inputs from which `int8` takes the range of each tensor.
        overwrite: Replace the file.

    Returns:
        `out_file`.

    Raises:
        OddemoError: If the detector folder is incomplete, the path is taken, or an operation cannot be converted.
    """
    detector_folder, out_file = Path(detector_folder), Path(out_file)
    if quantization not in QUANTIZATIONS:
        raise OddemoError(f"There is no quantisation {quantization!r}.", expected=", ".join(QUANTIZATIONS))
    if (quantization == "int8") != (calibration is not None):
        raise OddemoError(
            "8-bit integers need pictures to be calibrated on, and nothing else does.",
            expected="calibration with quantization='int8', and only there",
            found=f"quantization={quantization!r}, {'no' if calibration is None else 'a'} calibration",
        )
    if out_file.suffix != ".tflite":
        raise OddemoError(f"{out_file} is not the name of a TFLite file.", expected="a name that ends in .tflite")
    for path in (out_file, label_map_beside(out_file)):
        refuse_to_overwrite(path, overwrite=overwrite)
    params = read_params(detector_folder, overrides=overrides)
    if quantization == "int8" and params.task.model.detection_generator.nms_version != "tflite":
        raise OddemoError(
            "The loops of this suppression cannot be calibrated: the converter would end the process.",
            expected="task.model.detection_generator.nms_version: tflite",
            found=f"nms_version: {params.task.model.detection_generator.nms_version}",
            do="export with that override, or with float16 or dynamic weights",
        )
    read_classes(detector_folder, num_classes=params.task.model.num_classes)
    weights = checkpoint if checkpoint is not None else find_checkpoint(detector_folder)
    with tempfile.TemporaryDirectory(prefix="oddemo-tflite-") as temporary:
        write_graph(params, weights, Path(temporary), input_type="tflite", batch_size=1, module_class=module_class)
        content = convert_graph(Path(temporary), quantization, calibration)
    with atomic_file(label_map_beside(out_file)) as copy:
        shutil.copyfile(detector_folder / LABEL_MAP, copy)
    with atomic_file(out_file) as file:
        file.write_bytes(content)
    return out_file


def convert_graph(saved_model: Path, quantization: str, calibration: NDArray[np.float32] | None = None) -> bytes:
    """Convert a graph that `write_graph` wrote for TFLite, and return the file's content.

    Args:
        saved_model: Its folder.
        quantization: One of `QUANTIZATIONS`.
        calibration: For `int8`, and only there: (pictures, h, w, 3) float32 network inputs.
    """
    from official.vision.serving import export_tflite_lib

    with native_stderr_silenced():
        if calibration is not None:
            return _convert_to_integers(saved_model, calibration)
        kind = {"none": None, "float16": "fp16", "dynamic": "default"}[quantization]
        content: bytes = export_tflite_lib.convert_tflite_model(saved_model_dir=str(saved_model), quant_type=kind)
    return content


def _convert_to_integers(saved_model: Path, calibration: NDArray[np.float32]) -> bytes:
    """As TF-Vision's `int8`, with the pictures at hand in place of its input pipeline."""
    from oddemo.detect.runtime import load_tensorflow

    tf = load_tensorflow()
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None]] for picture in calibration)
    content: bytes = converter.convert()
    return content
