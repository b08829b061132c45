"""The contract card of a TensorFlow checkpoint: only weights, no promises about pictures."""

from __future__ import annotations

import re
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.export.cards.card import ContractCard
from oddemo.export.cards.limits import MAX_CONFIG_BYTES, read_file, refuse_links_outside
from oddemo.export.cards.weights import bundle_weights, summarise

_STATE = re.compile(r'^\s*model_checkpoint_path:\s*"([^"\n]*)"', re.MULTILINE)


def checkpoint_prefix(folder: Path) -> Path:
    """Return the newest checkpoint of a folder: the one its `checkpoint` file names, else the highest number.

    Raises:
        OddemoError: If there is none, or the file names one outside of the folder.
    """
    refuse_links_outside(folder)
    state = folder / "checkpoint"
    if state.is_file():
        match = _STATE.search(read_file(state, limit=MAX_CONFIG_BYTES).decode("utf-8", "replace"))
        if match is not None:
            # An absolute path is where it was trained; the files lie beside the state file now.
            prefix = folder / Path(match[1]).name
            if ".." in Path(match[1]).parts or not match[1]:
                raise OddemoError(f"{state} names a checkpoint outside of its folder.", found=match[1])
            if prefix.with_name(f"{prefix.name}.index").is_file():
                return prefix
    found = sorted(folder.glob("*.index"), key=lambda path: (_number(path), path.name))
    if not found:
        raise OddemoError(
            f"The folder {folder} holds no checkpoint.",
            expected="files such as ckpt-1.index and ckpt-1.data-00000-of-00001",
            do="point to the folder that the training wrote",
        )
    return found[-1].with_name(found[-1].name.removesuffix(".index"))


def _number(path: Path) -> int:
    digits = re.findall(r"\d{1,18}", path.name)
    return int(digits[-1]) if digits else -1


def checkpoint_card(place: Path) -> ContractCard:
    """Return the card of a checkpoint.

    Args:
        place: Its prefix, or its folder.

    Raises:
        OddemoError: If it is not whole.
    """
    prefix = checkpoint_prefix(place) if place.is_dir() else place
    weights = summarise(bundle_weights(prefix))
    return ContractCard(
        kind="checkpoint",
        path=str(prefix),
        weights=weights,
        notes=("A checkpoint holds weights only: how pictures are treated is decided by the code that restores it.",),
    )
