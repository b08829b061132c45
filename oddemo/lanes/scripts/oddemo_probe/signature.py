"""A SavedModel's signature, run on pictures and tapped inside."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from oddemo_probe import RefusedError
from oddemo_probe.pictures import Pictures
from oddemo_probe.taps import Taps

#: Pictures in one call, where the signature takes any number.
BATCH = 16
TAP = "tap/"


def refuse_other_folders(folder: Path) -> None:
    """Say what is wrong with a folder that is no SavedModel, without loading TensorFlow."""
    if not (folder / "saved_model.pb").is_file():
        raise RefusedError(f"{folder} is not a SavedModel: there is no saved_model.pb in it.")


class Signature:
    """A signature of a SavedModel whose call returns its outputs and, named `tap/…`, what was found inside.

    Args:
        folder: Folder with saved_model.pb.
        name: Of the signature.
    """

    def __init__(self, folder: Path, name: str) -> None:
        refuse_other_folders(folder)
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        try:
            self._loaded = tf.saved_model.load(str(folder))
        except Exception as error:
            raise RefusedError(
                f"TensorFlow {tf.__version__} cannot load {folder}: {type(error).__name__}: {error}"
            ) from None
        if name not in self._loaded.signatures:
            raise RefusedError(
                f"{folder} has no signature {name!r}, only {', '.join(self._loaded.signatures) or 'none'}."
            )
        function = self._loaded.signatures[name]
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
        inputs = [tensor for tensor in frozen.inputs if tensor.dtype != tf.resource]
        if len(inputs) != 1:
            raise RefusedError(f"{folder} takes {len(inputs)} inputs; one, the pictures, was expected.")
        taps = Taps(frozen.graph)
        self.notes = taps.notes
        fetches = dict(zip(sorted(function.structured_outputs), frozen.outputs))
        fetches.update({TAP + key: tensor for key, tensor in taps.tensors.items()})
        self._call = frozen.prune(inputs[0], fetches)
        self.dtype = inputs[0].dtype
        self.shape = inputs[0].shape.as_list() if inputs[0].shape.rank is not None else []
        kinds = {operation.type for operation in frozen.graph.get_operations()}
        kinds |= {node.op for body in frozen.graph.as_graph_def().library.function for node in body.node_def}
        self.takes_examples = any(kind.startswith(("ParseExample", "ParseSingleExample")) for kind in kinds)
        self.takes_strings = self.dtype == tf.string
        fixed = len(self.shape) == 4 and None not in self.shape[1:3]
        if self.dtype not in (tf.string, tf.uint8) and fixed:
            raise RefusedError(
                f"{folder} takes the network's own input ({self.dtype.name} {self.shape}), which the caller prepares, "
                "and this script does not know how.\n"
                "  do: record an export that takes pictures (image_tensor or image_bytes), or audit it with oddemo"
            )

    def run(self, pictures: Pictures) -> dict[str, Any]:
        """Return name → array over all pictures."""
        import tensorflow as tf

        groups: dict[Any, list[int]] = defaultdict(list)
        for index, image in enumerate(pictures.images):
            groups[image.shape].append(index)
        limit = (self.shape[0] if self.shape else None) or BATCH
        parts: dict[str, list[Any]] = defaultdict(list)
        order: list[int] = []
        for group in groups.values():
            for start in range(0, len(group), limit):
                indices = group[start : start + limit]
                for key, tensor in self._call(tf.constant(self._feed(pictures, indices))).items():
                    parts[key].append(tensor.numpy())
                order += indices
        back = np.argsort(order)
        return {key: stack(arrays)[back] for key, arrays in parts.items()}

    def _feed(self, pictures: Pictures, indices: Sequence[int]) -> Any:
        import tensorflow as tf

        if not self.takes_strings:
            return np.stack([pictures.images[index] for index in indices]).astype(self.dtype.as_numpy_dtype)
        fed = [pictures.contents[index] for index in indices]
        if self.takes_examples:
            lists = [tf.train.BytesList(value=[content]) for content in fed]
            features = [{"image/encoded": tf.train.Feature(bytes_list=one)} for one in lists]
            fed = [tf.train.Example(features=tf.train.Features(feature=f)).SerializeToString() for f in features]
        return np.array(fed, dtype=object)


def stack(parts: Sequence[Any]) -> Any:
    """Join batches; lists of detections of different lengths are filled up with zeros."""
    if parts[0].ndim >= 2:
        longest = max(part.shape[1] for part in parts)
        parts = [np.pad(p, [(0, 0), (0, longest - p.shape[1])] + [(0, 0)] * (p.ndim - 2)) for p in parts]
    return np.concatenate(parts)
