"""A detector folder: TF-Vision's `params.yaml`, a checkpoint with its weights, and `label_map.pbtxt`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError

PARAMS = "params.yaml"
LABEL_MAP = "label_map.pbtxt"
TRAINING = "training.json"
CHECKPOINT_NAME = "ckpt"
#: How the last part of a variable's key in a checkpoint is called.
_VALUE = ".ATTRIBUTES/VARIABLE_VALUE"


def read_params(folder: Path, *, overrides: Mapping[str, Any] | None = None) -> Any:
    """Return the folder's configuration as TF-Vision's `ExperimentConfig`.

    Args:
        folder: Detector folder.
        overrides: Dotted names → values that take the place of what the file says, as in
            `{"task.model.detection_generator.nms_iou_threshold": 0.9}`.

    Raises:
        OddemoError: If the file is missing, is no RetinaNet configuration, or an override names nothing in it.
    """
    path = Path(folder) / PARAMS
    if not path.is_file():
        raise OddemoError(
            f"{folder} is not a detector folder.",
            expected=f"{PARAMS}, a checkpoint (ckpt-*.index, ckpt-*.data-*) and {LABEL_MAP}",
            found=f"no {PARAMS}",
            do="give the folder that `oddemo train` or TF-Vision's trainer wrote",
        )
    load_tensorflow()
    from official.core import exp_factory
    from official.modeling import hyperparams
    from official.vision.configs import retinanet

    params = exp_factory.get_exp_config("retinanet")
    try:
        params = hyperparams.override_params_dict(params, str(path), is_strict=True)
    except Exception as error:  # TF-Vision raises many kinds for a file that does not fit
        raise OddemoError(
            f"{path} cannot be read as a RetinaNet configuration of TF-Vision.",
            expected="params.yaml as TF-Vision writes it",
            found=f"{type(error).__name__}: {error}",
        ) from None
    if not isinstance(params.task, retinanet.RetinaNetTask):
        raise OddemoError(f"{path} is not the configuration of a RetinaNet.", found=type(params.task).__name__)
    override_params(params, overrides or {})
    return params


def override_params(params: Any, overrides: Mapping[str, Any]) -> None:
    """Set dotted names of a TF-Vision configuration, in place.

    Raises:
        OddemoError: If a name is not in the configuration.
    """
    for name, value in overrides.items():
        nested: Any = value
        for part in reversed(name.split(".")):
            nested = {part: nested}
        try:
            params.override(nested, is_strict=True)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise OddemoError(
                f"The configuration has no entry {name!r}, or it does not take {value!r}.",
                expected="a dotted name as in params.yaml, such as task.model.detection_generator.nms_iou_threshold",
                found=str(error),
            ) from None


def find_checkpoint(folder: Path) -> Path:
    """Return the prefix of the newest checkpoint in a folder, such as `FOLDER/ckpt-3000`.

    Raises:
        OddemoError: If there is none.
    """
    folder = Path(folder)
    tf = load_tensorflow()
    if folder.is_dir():
        named = tf.train.latest_checkpoint(str(folder))
        if named is not None:
            return Path(named)
        numbered = [
            (int(match.group(1)), path.with_suffix(""))
            for path in folder.glob(f"{CHECKPOINT_NAME}-*.index")
            if (match := re.fullmatch(rf"{CHECKPOINT_NAME}-(\d+)", path.stem))
        ]
        if numbered:
            return max(numbered)[1]
    raise OddemoError(
        f"{folder} holds no checkpoint.",
        expected=f"{CHECKPOINT_NAME}-*.index and {CHECKPOINT_NAME}-*.data-00000-of-00001",
        found="none of them" if folder.is_dir() else "no such folder",
        do="copy the whole detector folder, or train one with `oddemo train`",
    )


def restore(checkpoint: Path, **objects: Any) -> None:
    """Load the variables of objects from a checkpoint; every variable must be found in it.

    Args:
        checkpoint: Prefix of the checkpoint files.
        objects: Name in the checkpoint (`model`, `backbone`, …) → object whose variables are set.

    Raises:
        OddemoError: If the checkpoint is missing, damaged, or of another architecture.
    """
    tf = load_tensorflow()
    try:
        status = tf.train.Checkpoint(**objects).read(str(checkpoint))
        status.assert_existing_objects_matched().expect_partial()
    except checkpoint_errors() as error:
        raise OddemoError(
            f"The checkpoint {checkpoint} cannot be loaded.",
            expected="a whole checkpoint of the network that params.yaml describes",
            found=str(error).strip().splitlines()[0],
            do="check that the files are whole and belong to this params.yaml",
        ) from None


def restore_averages(checkpoint: Path, model: Any) -> None:
    """Set a model to the other of the two sets of weights, raw and averaged (EMA), that its checkpoint holds.

    Args:
        checkpoint: Prefix of the checkpoint files.
        model: TF-Vision's model, whose weights are set.

    Raises:
        OddemoError: If the checkpoint holds one set alone, or is of another architecture.
    """
    tf = load_tensorflow()
    restore(checkpoint, model=model)
    reader = tf.train.load_checkpoint(str(checkpoint))
    others: dict[tuple[Any, ...], Any] = {}
    for key in reader.get_variable_to_shape_map():
        own, slot, _ = key.partition("/.OPTIMIZER_SLOT/")
        if slot and key.endswith(f"/average/{_VALUE}"):
            value = reader.get_tensor(f"{own}/{_VALUE}")
            others[value.shape, value.tobytes()] = reader.get_tensor(key)
    if not others:
        raise OddemoError(
            f"The checkpoint {checkpoint} holds one set of weights.",
            expected="averages beside the raw weights, as a training with EMA keeps them",
            found="no averages",
        )
    for variable in model.trainable_variables:
        value = variable.numpy()
        variable.assign(others.get((value.shape, value.tobytes()), value))


def checkpoint_errors() -> tuple[type[Exception], ...]:
    """Return what TensorFlow raises for a checkpoint that is missing, damaged, or of another architecture.

    A file that ends too early raises `IndexError` or `RuntimeError`, according to where it ends.
    """
    tf = load_tensorflow()
    return AssertionError, ValueError, IndexError, RuntimeError, tf.errors.OpError


def read_classes(folder: Path, *, num_classes: int) -> tuple[str, ...]:
    """Return the class names of a detector folder, ids 1 to N.

    Args:
        folder: Detector folder.
        num_classes: Number of classes in the configuration, with TF-Vision's background class.

    Raises:
        OddemoError: If the label map is missing, or does not have as many names as the network has classes.
    """
    from oddemo.data.label_map import read_label_map

    path = Path(folder) / LABEL_MAP
    names = read_label_map(path)
    if len(names) != num_classes - 1:
        raise OddemoError(
            f"{path} does not fit the network.",
            expected=f"{num_classes - 1} names (params.yaml counts {num_classes}, one of them the background)",
            found=f"{len(names)} names: {', '.join(names)}",
            do="use the label map that the detector was trained with",
        )
    return names
