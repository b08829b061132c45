"""A TFLite file, run by the interpreter of the TensorFlow that is here, with the delegates that it takes by itself.

Or without: what then changes is a delegate's doing, and none of the file's.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from oddemo_probe import RefusedError
from oddemo_probe.outputs import Arrays, Found, found_in
from oddemo_probe.pictures import Pictures
from oddemo_probe.trace_file import FORMAT

#: What TFLite's own post-processing hands out, in its order; files of the Object Detection API name nothing.
POST_PROCESS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


def network_inputs(path: Path, pictures: Pictures) -> Any:
    """Return the (pictures, h, w, 3) network inputs of a recorded trace, which prepared these very pictures."""
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        meta = json.loads(archive["meta"].tobytes().decode())
        if meta.get("format") != FORMAT or "dense/pixels/pixels" not in archive.files:
            raise RefusedError(f"{path} is not a trace that shows pixels; record the trained detector first.")
        if list(meta["image_names"]) != pictures.names:
            raise RefusedError(f"{path} was recorded on other pictures than those of --images.")
        return archive["dense/pixels/pixels"]


def run_tflite(file: Path, pixels: Any, pictures: Pictures, *, delegates: bool = True) -> list[Found]:
    """Detect in network inputs; boxes come back in pixels of each picture.

    TF-Vision's files tell boxes in the network's frame, into which the picture was letterboxed at the top left. Where
    TFLite's own post-processing names nothing, boxes are fractions of the frame, over which the picture was stretched.
    """
    import tensorflow as tf

    if not file.is_file():
        raise RefusedError(f"The file {file} does not exist.")
    try:
        kinds = tf.lite.experimental.OpResolverType
        kernels = kinds.AUTO if delegates else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = tf.lite.Interpreter(model_path=str(file), experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise RefusedError(f"{file} cannot be loaded: {str(error).strip().splitlines()[0][:300]}") from None
    detail = interpreter.get_input_details()[0]
    if tuple(detail["shape"]) != (1, *pixels.shape[1:]):
        raise RefusedError(f"{file} takes {tuple(detail['shape'])}, the trace has pixels {(1, *pixels.shape[1:])}.")
    run = interpreter.get_signature_runner()
    name = next(iter(run.get_input_details()))
    names = _by_order(interpreter, run.get_output_details())
    found = []
    for one, image in zip(pixels, pictures.images):
        outputs = {names.get(key, key): value[0] for key, value in run(**{name: _as_input(one[None], detail)}).items()}
        if not names:
            outputs["image_info"] = _letterbox(image.shape[:2], pixels.shape[1:3])
        found.append(found_in(outputs, image.shape[:2]))
    return found


def _by_order(interpreter: Any, outputs: dict[str, Arrays]) -> dict[str, str]:
    """Return the signature's name of an output → its own, where TFLite's post-processing hands it out unnamed."""
    if not set(POST_PROCESS).isdisjoint(outputs):
        return {}
    by_index = {int(detail["index"]): key for key, detail in outputs.items()}
    for operation in interpreter._get_ops_details():
        if operation["op_name"] == "TFLite_Detection_PostProcess":
            pairs = zip((int(index) for index in operation["outputs"]), POST_PROCESS)
            return {by_index[index]: name for index, name in pairs if index in by_index}
    return {}


def _as_input(values: Any, detail: Arrays) -> Any:
    dtype: Any = np.dtype(detail["dtype"])
    if dtype.kind == "f":
        return values.astype(dtype)
    scale, zero = detail["quantization"]
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / (scale or 1.0)) + zero, limits.min, limits.max).astype(dtype)


def _letterbox(size_hw: tuple[int, int], frame_hw: tuple[int, int]) -> Any:
    """Return TF-Vision's record of its resizing: sizes, scale, offset."""
    size = np.array(size_hw, np.float32)
    scaled = np.round(size * np.min(np.array(frame_hw, np.float32) / size))
    return np.array([size_hw, frame_hw, scaled / size, (0.0, 0.0)], np.float64)


def file_sha256(file: Path) -> str:
    """Return a hash of the file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
