"""SavedModels through TF-Vision's own exporter.

What such an export gives back: `detection_boxes` (B, M, 4) yxyx **in pixels of the network input**, `detection_scores`
(B, M), `detection_classes` (B, M) int32 from 1, `num_detections` (B,), and `image_info` (B, 4, 2), whose rows are,
height then width: size of the picture, size of the network input, scale, offset. A box in the frame of the picture is
`(box + offset) / scale`; `oddemo.detect.preprocess.boxes_to_picture` does it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MethodType
from typing import Any

from oddemo.detect.folder import LABEL_MAP, checkpoint_errors, find_checkpoint, read_classes, read_params
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.files import atomic_folder, refuse_to_overwrite

#: What the signature's `inputs` takes: uint8 pictures, encoded files, or serialised `tf.train.Example`s.
INPUT_TYPES = ("image_tensor", "image_bytes", "tf_example")

#: Input type → the method of TF-Vision's `ExportModule` that takes it.
_METHODS = {
    "image_tensor": "inference_from_image_tensors",
    "image_bytes": "inference_from_image_bytes",
    "tf_example": "inference_from_tf_example",
    "tflite": "inference_for_tflite",
}


def export_saved_model(
    detector_folder: Path,
    out_folder: Path,
    *,
    input_type: str = "image_tensor",
    batch_size: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None,
    module_class: Any = None,
    layer_functions: bool = True,
    overwrite: bool = False,
) -> Path:
    """Export a detector as a SavedModel with its `label_map.pbtxt` beside the graph.

    Args:
        detector_folder: `params.yaml`, checkpoint, `label_map.pbtxt`.
        out_folder: Where the SavedModel goes.
        input_type: One of `INPUT_TYPES`.
        batch_size: Pictures in a call; any number if not given. `nms_version` v1 needs one: TF-Vision silently
            exports `batched` NMS otherwise.
        overrides: Dotted names of the configuration → values to export with instead.
        checkpoint: Prefix of another checkpoint to take the weights from.
        module_class: A subclass of TF-Vision's `DetectionModule` to export in its place, for planting a fault.
        layer_functions: Beside the signature, keep what Keras adds for whoever loads the model to change it: the
            functions of each layer, in training and inference mode. TF-Vision's own command keeps them. What runs the
            signature alone (an audit, a server) never calls them, and an export without takes about half the time.
        overwrite: Replace what is in `out_folder`.

    Returns:
        `out_folder`.

    Raises:
        OddemoError: If the detector folder is incomplete, or the path is taken.
    """
    detector_folder, out_folder = Path(detector_folder), Path(out_folder)
    if input_type not in INPUT_TYPES:
        raise OddemoError(f"There is no input type {input_type!r}.", expected=", ".join(INPUT_TYPES))
    refuse_to_overwrite(out_folder, overwrite=overwrite)
    params = read_params(detector_folder, overrides=overrides)
    read_classes(detector_folder, num_classes=params.task.model.num_classes)
    with atomic_folder(out_folder) as temporary:
        write_graph(
            params,
            checkpoint if checkpoint is not None else find_checkpoint(detector_folder),
            temporary,
            input_type=input_type,
            batch_size=batch_size,
            module_class=module_class,
            layer_functions=layer_functions,
        )
        shutil.copyfile(detector_folder / LABEL_MAP, temporary / LABEL_MAP)
    return out_folder


def write_graph(
    params: Any,
    checkpoint: Path,
    folder: Path,
    *,
    input_type: str,
    batch_size: int | None,
    module_class: Any = None,
    layer_functions: bool = True,
) -> None:
    """Run TF-Vision's `export_inference_graph`.

    Args:
        params: TF-Vision's `ExperimentConfig`.
        checkpoint: Prefix of the checkpoint files.
        folder: Where the SavedModel and its `params.yaml` go.
        input_type: One of `INPUT_TYPES`, or `tflite`: float32, preprocessed by the caller.
        batch_size: Pictures in a call, or None for any number.
        module_class: In place of TF-Vision's `DetectionModule`.
        layer_functions: As in `export_saved_model`; none for `tflite`: the converter takes the signature alone, and
            nobody keeps the graph.

    Raises:
        OddemoError: If the checkpoint does not fit the configuration.
    """
    load_tensorflow()
    from official.vision.serving import detection, export_saved_model_lib

    size = [int(side) for side in params.task.model.input_size[:2]]
    module = (module_class or detection.DetectionModule)(
        params=params, batch_size=batch_size, input_image_size=size, input_type=input_type
    )
    whole = layer_functions and input_type != "tflite"
    if not whole:
        _trace_once(module, input_type)
    try:
        with nullcontext() if whole else _signature_alone():
            export_saved_model_lib.export_inference_graph(
                input_type=input_type,
                batch_size=batch_size,
                input_image_size=size,
                params=params,
                checkpoint_path=str(checkpoint),
                export_dir=str(folder),
                export_module=module,
            )
    except checkpoint_errors() as error:
        raise OddemoError(
            f"The checkpoint {checkpoint} cannot be exported.",
            expected="a whole checkpoint of the network that params.yaml describes",
            found=str(error).strip().splitlines()[0],
        ) from None


@contextmanager
def _signature_alone() -> Iterator[None]:
    """Leave out the functions of each Keras layer.

    To trace every layer once more in training mode and once in inference mode, to write all that and to load it again
    is a large part of an export's time.
    """
    from tf_keras.src.saving.legacy.saved_model.utils import keras_option_scope

    with keras_option_scope(save_traces=False, in_tf_saved_model_scope=False):
        yield


def _trace_once(module: Any, input_type: str) -> None:
    """Put the traced function in the place of the method from which TensorFlow, as it writes, would trace another."""
    import tensorflow as tf

    method = _METHODS[input_type]
    untranslated = MethodType(getattr(type(module), method).python_function, module)
    setattr(module, method, tf.function(untranslated, autograph=False))
    name = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    signatures = module.get_inference_signatures({input_type: name})
    setattr(module, method, signatures[name])
    module.get_inference_signatures = lambda _: signatures
