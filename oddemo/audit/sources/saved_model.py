"""`savedmodel:DIR`: an exported graph, run through its serving signature and tapped inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.images import ImageSet
from oddemo.audit.network_runs import BATCH
from oddemo.audit.settings import Preprocessing
from oddemo.audit.sources.graphs import load_signature
from oddemo.audit.sources.labels import labels_beside
from oddemo.audit.sources.running import dense_of, detections_of, prepare, stack
from oddemo.audit.trace import Trace
from oddemo.errors import OddemoError
from oddemo.provenance import package_versions


class SavedModelSource:
    """A SavedModel with a serving signature that takes pictures.

    What it is fed follows from the signature: uint8 pictures; strings (encoded pictures, or tf.Example records);
    float32 of any size, taken as 0-255 RGB; or float32 of one fixed size, which is the network's own input,
    preprocessed by the caller.

    Args:
        folder: Folder with saved_model.pb.
        signature: Name of the signature.

    Attributes:
        folder: As given.
        labels: Names in the label map beside it, if there is one.
        variables_prefix: Where its variables can be read as a checkpoint.
    """

    def __init__(self, folder: Path, *, signature: str = "serving_default") -> None:
        self.folder = Path(folder)
        self.labels = labels_beside(self.folder)
        self.variables_prefix = self.folder / "variables" / "variables"
        self._signature = load_signature(self.folder, signature)

    @property
    def spec(self) -> str:
        """`savedmodel:DIR`."""
        return f"savedmodel:{self.folder}"

    def trace(self, pictures: ImageSet, *, caller: Preprocessing | None = None) -> Trace:
        """Run on the pictures; see `Source`.

        Raises:
            OddemoError: If it takes the network's own input and no `caller` says how to make it, if it cannot run on
                these pictures, or if its outputs cannot be read.
        """
        images = pictures.decode()
        size = self._signature.network_size_hw
        batch = None if size is None else prepare(images, caller, size, self.spec)
        outputs: dict[str, list[NDArray[Any]]] = {}
        batches = self._batches(images)
        order = [index for indices in batches for index in indices]
        for indices in batches:
            fed = batch.pixels[indices] if batch is not None else self._feed(pictures, images, indices)
            for name, array in self._run(fed).items():
                outputs.setdefault(name, []).append(array)
        restore = np.argsort(order)
        arrays = {name: stack(parts)[restore] for name, parts in outputs.items()}
        return Trace(
            source=self.spec,
            image_names=pictures.names,
            images=() if self._signature.takes_strings else images,
            dense=dense_of(arrays),
            detections=detections_of(arrays, images, batch, self.spec),
            labels=self.labels,
            provenance={
                "versions": package_versions(),
                "notes": list(self._signature.taps.notes),
                "batches": batches,
            },
        )

    def _batches(self, images: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
        """Group pictures that can go through together: of one size, and as many as the signature takes.

        A signature that decodes files itself needs one size as well: TF-Vision's stacks what it decoded.
        """
        one_kind = self._signature.network_size_hw is not None
        limit = self._signature.batch_size or BATCH
        groups: dict[object, list[int]] = {}
        for index, image in enumerate(images):
            groups.setdefault(None if one_kind else image.shape, []).append(index)
        return [group[i : i + limit] for group in groups.values() for i in range(0, len(group), limit)]

    def _feed(self, pictures: ImageSet, images: Sequence[NDArray[np.uint8]], indices: list[int]) -> NDArray[Any]:
        if not self._signature.takes_strings:
            return np.stack([images[index] for index in indices]).astype(self._signature.numpy_dtype)
        encoded = [pictures.paths[index].read_bytes() for index in indices]
        if self._signature.takes_examples:
            encoded = [_example(content) for content in encoded]
        return np.array(encoded, dtype=object)

    def _run(self, fed: NDArray[Any]) -> dict[str, NDArray[Any]]:
        import tensorflow as tf

        try:
            return {name: tensor.numpy() for name, tensor in self._signature.call(tf.constant(fed)).items()}
        except (tf.errors.OpError, ValueError) as error:
            raise OddemoError(
                f"{self.spec} cannot run on these pictures.",
                expected=f"{self._signature.dtype} of shape {list(self._signature.shape)}",
                found=f"{fed.dtype} of shape {list(fed.shape)}: {str(error).splitlines()[0][:300]}",
            ) from None


def _example(content: bytes) -> bytes:
    import tensorflow as tf

    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
    example = tf.train.Example(features=tf.train.Features(feature={"image/encoded": feature}))
    serialized: bytes = example.SerializeToString()
    return serialized
