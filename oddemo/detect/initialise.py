"""Weights to start a training from: freshly drawn, or taken from another detector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.detect.runtime import load_tensorflow
from oddemo.errors import OddemoError

#: Detectors whose weights are kept for further trainings.
_KEPT = 4


def draw_weights(params: Any, *, seed: int, head_init: str, l1_weight: float = 0.0) -> Any:
    """Build TF-Vision's RetinaNet with weights that follow from the seed.

    Args:
        params: TF-Vision's `ExperimentConfig`.
        seed: The same seed gives the same weights.
        head_init: `he_normal` draws the kernels of the head with the variance that keeps signals alive; `tf_vision`
            leaves its standard deviations of 0.01 and 1e-5, with which a short training hardly starts.
        l1_weight: So many times the sum of the kernels' absolute values is one of the model's losses.
    """
    load_tensorflow()
    import tf_keras

    from oddemo.detect.detector import build_model

    tf_keras.utils.set_random_seed(seed)
    model = build_model(params, l1_weight=l1_weight)
    if head_init == "he_normal":
        kernels = [variable for variable in model.head.trainable_variables if len(variable.shape) == 4]
        for number, kernel in enumerate(kernels):
            draw = tf_keras.initializers.HeNormal(seed=seed * 1000 + number)
            kernel.assign(draw(kernel.shape, kernel.dtype))
    return model


def start_from(model: Any, class_names: tuple[str, ...], folder: Path) -> str:
    """Set a model's weights to those of another detector, as far as they mean the same.

    Backbone, feature pyramid and the towers of the head are taken over. The last convolution of the class tower has a
    column for each class: it is taken over only if the classes are the same, and keeps its drawn weights otherwise.

    Args:
        model: The model whose weights are set, in place.
        class_names: Its classes.
        folder: Detector folder to start from.

    Returns:
        What was taken over: `all`, or `all but the classifier`.

    Raises:
        OddemoError: If the other detector is of another architecture.
    """
    source = _weights_in(Path(folder), _state_of(Path(folder)))
    same_classes = source.class_names == class_names
    try:
        model.backbone.set_weights(source.backbone)
        model.decoder.set_weights(source.decoder)
        if same_classes:
            model.head.set_weights(source.head)
            return "all"
        for own, other in zip(model.head.weights, source.head, strict=True):
            if "/scores/" not in own.name:
                own.assign(other)
    except ValueError as error:
        raise OddemoError(
            f"The detector in {folder} is built differently from the one to train.",
            expected="the same backbone, feature pyramid, head and anchors",
            found=str(error).splitlines()[0],
            do="train with the recipe of that detector (its training.json), or from scratch",
        ) from None
    return "all but the classifier"


@dataclass(frozen=True)
class _Weights:
    """What a detector folder holds, part by part, in the order of Keras' `get_weights`."""

    class_names: tuple[str, ...]
    backbone: list[NDArray[np.float32]]
    decoder: list[NDArray[np.float32]]
    head: list[NDArray[np.float32]]


@lru_cache(maxsize=_KEPT)
def _weights_in(folder: Path, state: object) -> _Weights:
    """Read a folder once for many trainings that start from it; another state of its files is read anew."""
    del state
    from oddemo.detect.detector import load_detector

    source = load_detector(folder)
    parts = [part.get_weights() for part in (source.model.backbone, source.model.decoder, source.model.head)]
    return _Weights(source.class_names, *parts)


def _state_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(path for path in folder.resolve().glob("*") if path.is_file())
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
