"""Making a deployment, sound or broken: export the graph, put the serving script beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from oddemo.audit.plant.record import Parts
from oddemo.audit.sources.labels import LABEL_MAP
from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.detect.folder import CHECKPOINT_NAME
from oddemo.detect.runtime import load_tensorflow
from oddemo.export.saved_model import export_saved_model
from oddemo.files import atomic_file

CLIENTS = Path(__file__).with_name("clients")


def build(parts: Parts, detector: Path, folder: Path) -> str:
    """Make a deployment of a detector.

    A sound export that is in the folder already is taken for a deployment whose only fault is in its script.

    Args:
        parts: What is wrong with it.
        detector: Detector folder.
        folder: The export goes to `saved_model` in it, the script beside that.

    Returns:
        Its source, `kind:place`.

    Raises:
        OddemoError: If the detector folder is incomplete, or the place is taken.
    """
    place = folder / "saved_model"
    only_script = parts == Parts(client=parts.client)
    if not (only_script and parts.client is not None and place.is_dir()):
        with checkpoint_of(parts, detector) as checkpoint:
            export_saved_model(
                detector, place, overrides=parts.overrides, module_class=_module(parts), checkpoint=checkpoint
            )
        if parts.names_swapped:
            first, second, *others = read_label_map(place / LABEL_MAP)
            write_label_map(place / LABEL_MAP, (second, first, *others), overwrite=True)
    if parts.client is None:
        return f"savedmodel:{place}"
    script = folder / f"{parts.client}.py"
    for source, copy in ((CLIENTS / script.name, script), (place / LABEL_MAP, folder / LABEL_MAP)):
        with atomic_file(copy) as temporary:
            shutil.copyfile(source, temporary)
    return f"python:{script}:detect"


def _module(parts: Parts) -> Any:
    """Return TF-Vision's serving module with the mistakes in its graph, or None if it has none."""
    if parts.before is None and parts.inputs is None and parts.after is None:
        return None
    tf = load_tensorflow()
    from official.vision.serving import detection

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
            outputs: dict[str, Any] = super().serve(images)
            return outputs if parts.after is None else parts.after(self, outputs)

    return Module


@contextmanager
def checkpoint_of(parts: Parts, detector: Path) -> Iterator[Path | None]:
    """Yield the prefix of the checkpoint that a deployment is made from, or None for the detector's own.

    Args:
        parts: What is wrong with the deployment; `weights_moved` alone matters.
        detector: Detector folder.
    """
    if parts.weights_moved == 0.0:
        yield None
        return
    from oddemo.detect.detector import load_detector

    tf = load_tensorflow()
    other = load_detector(detector)
    random = np.random.default_rng(0)
    for variable in other.model.trainable_variables:
        value = variable.numpy()
        step = parts.weights_moved * value.std() * random.standard_normal(value.shape)
        variable.assign(value + step.astype(value.dtype))
    with tempfile.TemporaryDirectory(prefix="oddemo-plant-") as temporary:
        yield Path(tf.train.Checkpoint(model=other.model).save(str(Path(temporary) / CHECKPOINT_NAME)))
