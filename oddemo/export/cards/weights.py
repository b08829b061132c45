"""Fingerprints of weights: one hash a tensor, compared as a set, so that names and order do not matter."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from oddemo.export.cards.bundle import full_names, read_bundle
from oddemo.export.cards.card import WeightSummary
from oddemo.export.cards.tensors import ITEM_BYTES

MODEL, AVERAGE, OPTIMIZER, OTHER = "model", "average", "optimizer", "other"

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = re.compile(r"/\.OPTIMIZER_SLOT/(?P<optimizer>.*)/(?P<slot>[^/]+)$")
_AVERAGES = re.compile(r"(^|/)(ExponentialMovingAverage|average|_?model_variables_moving_average(/\d+)?)$")
_OPTIMIZERS = re.compile(
    r"(^|/)_?(optimizer|optimizer_weights|optimizer_state|opt)(/|$)"
    r"|/(Adam|Adam_1|Momentum|RMSProp|RMSProp_1|Adagrad|Ftrl|Ftrl_1)$"
)
_COUNTERS = re.compile(
    r"(^|/)((compile_)?metrics?/.*|save_counter|global_step|iterations?|iter|learning_rate|beta_1|beta_2|decay|momentum_|step|seed_generator.*"
    r"|seed_generator_state|keras_api/.*)$"
)


@dataclass(frozen=True)
class WeightTensor:
    """One stored tensor.

    Attributes:
        key: Its name in the file.
        name: The variable's own name where the file notes it, else the key.
        role: `model`, `average` (a moving average of a model variable), `optimizer` or `other`.
        dtype: NumPy's name.
        shape: Whole dimensions.
        digest: Hash of its bytes, little-endian, in row-major order.
        uniform: Whether all its elements are equal, as after initialisation with zeros or ones.
        data: Its bytes, if they were asked for.
    """

    key: str
    name: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    digest: str
    uniform: bool
    data: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> tuple[str, str]:
        """What is compared: the dtype and the hash."""
        return self.dtype, self.digest


def role_of(key: str, dtype: str, name: str | None = None) -> str:
    """Return what a stored tensor is for, from its key and, where the file notes it, the variable's own name."""
    plain = key.removesuffix(_VALUE)
    if dtype not in ITEM_BYTES or _COUNTERS.search(plain):
        return OTHER
    slot = _SLOT.search(plain)
    if slot is not None:
        return AVERAGE if slot["slot"] == "average" else OPTIMIZER
    if _AVERAGES.search(plain):
        return AVERAGE
    if not _OPTIMIZERS.search(plain):
        return MODEL
    return AVERAGE if name is not None and "average" in name.split("/")[:-1] else OPTIMIZER


def plain_name(key: str) -> str:
    """Return a key without what TensorFlow adds to a variable's path."""
    plain = key.removesuffix(_VALUE)
    plain = _SLOT.sub("", plain).removesuffix("/ExponentialMovingAverage").removesuffix("/average")
    return plain.removesuffix(":0")


def fingerprint_tensor(
    key: str, data: bytes, dtype: str, shape: tuple[int, ...], *, name: str | None = None, keep: bool = False
) -> WeightTensor:
    """Return the fingerprint of a tensor's bytes (little-endian, row-major).

    Args:
        key: Its name in the file.
        data: Its bytes.
        dtype: NumPy's name.
        shape: Whole dimensions.
        name: The variable's own name, if the file notes one.
        keep: Keep the bytes too.
    """
    return WeightTensor(
        key=key,
        name=plain_name(name or key),
        role=role_of(key, dtype, name),
        dtype=dtype,
        shape=shape,
        digest=hashlib.blake2b(data, digest_size=12).hexdigest(),
        uniform=_uniform(data, ITEM_BYTES.get(dtype, 1)),
        data=data if keep else b"",
    )


def _uniform(data: bytes, item: int) -> bool:
    """Return whether all elements of `item` bytes are equal; an early look at the end avoids most of the work."""
    first = data[:item]
    if first != data[-item:] or first != data[len(data) // item // 2 * item :][:item]:
        return False
    return data == first * (len(data) // item)


def summarise(tensors: Iterable[WeightTensor]) -> WeightSummary | None:
    """Return the fingerprint of a set of tensors; None if it holds none of a model."""
    listed = list(tensors)
    model = [tensor for tensor in listed if tensor.role == MODEL]
    average = [tensor for tensor in listed if tensor.role == AVERAGE]
    if not model and not average:
        return None
    parameters = [math.prod(tensor.shape) for tensor in model]
    sizes = [count * ITEM_BYTES.get(tensor.dtype, 1) for count, tensor in zip(parameters, model, strict=True)]
    return WeightSummary(
        fingerprint=_digest(model),
        tensors=len(model),
        parameters=sum(parameters),
        bytes=sum(sizes),
        average_fingerprint=_digest(average) if average else None,
        average_tensors=len(average),
        other_tensors=len(listed) - len(model) - len(average),
    )


def _digest(tensors: list[WeightTensor]) -> str:
    counted = sorted(Counter(tensor.content for tensor in tensors).items())
    return hashlib.blake2b(repr(counted).encode(), digest_size=8).hexdigest()


def bundle_weights(prefix: Path, *, keep: bool = False) -> tuple[WeightTensor, ...]:
    """Return the tensors of a checkpoint, or of a SavedModel's `variables/variables`.

    Args:
        prefix: Path without `.index`.
        keep: Keep the tensors' bytes, and always look up the variables' own names.

    Raises:
        OddemoError: If the checkpoint is not whole.
    """
    bundle = read_bundle(prefix)
    trained = any(role_of(entry.key, entry.dtype) == OPTIMIZER for entry in bundle.entries.values())
    known = full_names(bundle) if keep or trained else {}
    files = {shard: bundle.shard_path(shard).open("rb") for shard in {e.shard for e in bundle.entries.values()}}
    try:
        found = []
        for entry in bundle.entries.values():
            if entry.dtype in ITEM_BYTES:
                file = files[entry.shard]
                file.seek(entry.offset)
                data, own = file.read(entry.size), known.get(entry.key)
                found.append(fingerprint_tensor(entry.key, data, entry.dtype, entry.shape, name=own, keep=keep))
        return tuple(found)
    finally:
        for file in files.values():
            file.close()
