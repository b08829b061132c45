"""Making a deployment, sound or broken: export the graph, put the serving script beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.plant.record import Parts
from oddemo.audit.sources.labels import LABEL_MAP
from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.detect.folder import CHECKPOINT_NAME, find_checkpoint, read_classes, read_params, restore_averages
from oddemo.detect.preprocess import Preprocessor
from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError
from oddemo.export.saved_model import export_saved_model
from oddemo.export.tflite import export_tflite, label_map_beside
from oddemo.files import atomic_file
from oddemo.lanes.probe_file import SCRIPTS

if TYPE_CHECKING:
    from oddemo.detect.detector import Detector

CLIENTS = Path(__file__).with_name("clients")


def build(
    parts: Parts,
    detector: Path,
    folder: Path,
    *,
    calibration: Sequence[Path] = (),
    pictures: ImageSet | None = None,
) -> str:
    """Make a deployment of a detector.

    A sound export that is in the folder already is taken for a deployment whose only fault is in its script.

    Args:
        parts: What is wrong with it.
        detector: Detector folder.
        folder: The export goes to `saved_model` (or `model.tflite`) in it, a script beside that.
        calibration: Pictures for an export in 8-bit integers; those of the built-in sample if not given.
        pictures: What a deployment that runs elsewhere is recorded on.

    Returns:
        Its source, `kind:place`.

    Raises:
        OddemoError: If the detector folder is incomplete, or the place is taken.
    """
    if parts.tflite:
        file = _tflite(parts, detector, folder / "model.tflite", calibration)
        return f"trace:{recorded_elsewhere(file, detector, pictures)}" if parts.elsewhere else f"tflite:{file}"
    place = folder / "saved_model"
    only_script = parts == Parts(client=parts.client)
    if not (only_script and parts.client is not None and place.is_dir()):
        with checkpoint_of(parts, detector) as checkpoint:
            export_saved_model(
                detector,
                place,
                overrides=parts.overrides,
                module_class=_module(parts),
                layer_functions=False,  # they would hold no trace of the fault
                checkpoint=checkpoint,
                batch_size=1 if "v1" in parts.overrides.values() else None,  # see `export_saved_model`
            )
        if parts.names_swapped:
            swap_names(place / LABEL_MAP)
    return f"savedmodel:{place}" if parts.client is None else with_script(parts.client, place)


def swap_names(label_map: Path) -> None:
    """Swap the first two names of a label map, in place."""
    first, second, *others = read_label_map(label_map)
    write_label_map(label_map, (second, first, *others), overwrite=True)


def with_script(client: str, export: Path) -> str:
    """Put a serving script, and the label map, beside the SavedModel that it loads; return the script's source.

    Args:
        client: Name of a script in `clients`.
        export: The SavedModel, in a folder of its own.
    """
    script = export.parent / f"{client}.py"
    for source, copy in ((CLIENTS / script.name, script), (export / LABEL_MAP, export.parent / LABEL_MAP)):
        with atomic_file(copy) as temporary:
            shutil.copyfile(source, temporary)
    return f"python:{script}:detect"


def _tflite(parts: Parts, detector: Path, file: Path, calibration: Sequence[Path]) -> Path:
    with checkpoint_of(parts, detector) as checkpoint:
        export_tflite(
            detector,
            file,
            overrides=parts.overrides,
            checkpoint=checkpoint,
            module_class=_module(parts),
            quantization=parts.tflite,
            calibration=_network_inputs(detector, calibration) if parts.tflite == "int8" else None,
        )
    if parts.names_swapped:
        swap_names(label_map_beside(file))
    return file


def recorded_elsewhere(file: Path, detector: Path, pictures: ImageSet | None) -> Path:
    """Run a TFLite file in another process, with the stand-alone recorder, on the reference's network inputs.

    Args:
        file: The .tflite file; the recording goes beside it.
        detector: Detector folder that it was made from.
        pictures: What it is recorded on.

    Raises:
        OddemoError: If there are no pictures.
    """
    from oddemo.audit.trace import Trace, save_trace

    if pictures is None:
        raise OddemoError("A deployment that runs elsewhere is recorded on pictures.", expected="pictures")
    pixels, out = file.with_name("reference.npz"), file.with_name("elsewhere.npz")
    params = read_params(detector)
    preprocess = Preprocessor(params)
    fed = np.stack([preprocess(image)[0] for image in pictures.decode()])
    labels = read_classes(detector, num_classes=params.task.model.num_classes)
    save_trace(Trace(f"tfvision:{detector}", pictures.names, (), {"pixels": {"pixels": fed}}, (), labels), pixels)
    where = ["--pixels", str(pixels), "--images", str(pictures.root), "--out", str(out)]
    command = [sys.executable, "-m", "oddemo_probe", "record-tflite", str(file), *where]
    for name in pictures.names:
        command += ["--picture", name]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(SCRIPTS)})
    return out


def _network_inputs(detector: Path, calibration: Sequence[Path]) -> NDArray[np.float32]:
    """Preprocess pictures as in training; without any, those of the built-in sample with the detector's classes."""
    from oddemo.data.sample import sample_dataset
    from oddemo.data.scenes.spec import CLASS_NAMES
    from oddemo.detect.decode import read_as_trained

    params = read_params(detector)
    if not calibration:
        class_names = read_classes(detector, num_classes=params.task.model.num_classes)
        fitting = [world for world, names in CLASS_NAMES.items() if names == class_names]
        if not fitting:
            raise OddemoError(
                "8-bit integers need pictures to be calibrated on.", found=f"none for {', '.join(class_names)}"
            )
        sample = sample_dataset(fitting[0], "test")
        calibration = [sample.image_path(record) for record in sample.records]
    preprocess = Preprocessor(params)
    return np.stack([preprocess(read_as_trained(path))[0] for path in calibration])


def _module(parts: Parts) -> Any:
    """Return TF-Vision's serving module with the mistakes in its graph, or None if it has none."""
    if parts.before is None and parts.inputs is None and parts.after is None and not parts.training_mode:
        return None
    tf = load_tensorflow()
    from official.vision.serving import detection
    from tf_keras.src import backend

    class Module(detection.DetectionModule):  # type: ignore[misc]
        """TF-Vision's serving module with a mistake."""

        def _build_inputs(self, image: Any) -> Any:
            image = tf.cast(image, tf.float32)
            if parts.before is not None:
                image = parts.before(self, image)
            if parts.inputs is not None:
                pixels, image_info = parts.inputs(self, image)
                return pixels, self._build_anchor_boxes(), image_info
            return super()._build_inputs(image)

        def serve(self, images: Any) -> dict[str, Any]:
            # As `tf.keras.backend.set_learning_phase(1)`, left on from the training.
            mode = backend.deprecated_internal_learning_phase_scope(1) if parts.training_mode else nullcontext()
            with mode:
                outputs: dict[str, Any] = super().serve(images)
            return outputs if parts.after is None else parts.after(self, outputs)

    return Module


@contextmanager
def checkpoint_of(parts: Parts, detector: Path) -> Iterator[Path | None]:
    """Yield the prefix of the checkpoint that a deployment is made from, or None for the detector's own.

    Args:
        parts: What is wrong with the deployment; its weights alone matter.
        detector: Detector folder.
    """
    if not (parts.weights_moved or parts.left_out or parts.other_set):
        yield None
        return
    from oddemo.detect.detector import load_detector

    tf = load_tensorflow()
    other = load_detector(detector)
    if parts.other_set:
        restore_averages(find_checkpoint(detector), other.model)
    if parts.left_out:
        _draw_again(other, parts.left_out)
    random = np.random.default_rng(0)
    for variable in other.model.variables if parts.weights_moved else ():
        value = variable.numpy()
        step = parts.weights_moved * value.std() * random.standard_normal(value.shape)
        moved = np.abs(value + step) if variable.name.endswith("moving_variance:0") else value + step
        variable.assign(moved.astype(value.dtype))
    with tempfile.TemporaryDirectory(prefix="oddemo-plant-") as temporary:
        yield Path(tf.train.Checkpoint(model=other.model).save(str(Path(temporary) / CHECKPOINT_NAME)))


def _draw_again(detector: Detector, part: str) -> None:
    """Give a part of the network the weights of a fresh model, as a restore that silently leaves it out does."""
    from oddemo.detect.initialise import draw_weights

    fresh = draw_weights(detector.params, seed=0, head_init="tf_vision")
    for own, other in zip(_variables(detector.model, part), _variables(fresh, part), strict=True):
        own.assign(other)


def _variables(model: Any, part: str) -> list[Any]:
    if part == "batch_norm":
        return [variable for variable in model.variables if "batch_normalization" in variable.name]
    return list(getattr(model, part).variables)
